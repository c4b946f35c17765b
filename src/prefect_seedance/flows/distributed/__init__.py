"""A run in several processes: Prefect workers, Dask or Ray carry its shards."""
