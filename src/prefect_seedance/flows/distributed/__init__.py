"""A run in several processes: Prefect workers, Dask or Ray run its shards."""
