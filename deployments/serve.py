"""All deployments in one process, without a work pool: `python deployments/serve.py` until Ctrl-C.

It carries out the runs that are started in the Prefect UI, in the folder in which it was started. Set
PREFECT_SEEDANCE_LEDGER to a path or URL that outlives it.
"""

from prefect import serve

from prefect_seedance.cli.deploy import read_deployments

if __name__ == "__main__":
    serve(*read_deployments(), pause_on_shutdown=False, limit=4)
