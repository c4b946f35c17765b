"""The three steps by hand: each is a task that any flow may call, with your own steps between them.

A step that runs again, in a retried flow or another process, does not pay again: the ledger has its row.

    python examples/three_tasks.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from prefect import flow
from sandbox_route import sandbox_route

from prefect_seedance import RouteDefaults, create_video, download_video, poll_video


@flow(retries=2, log_prints=True)
def lantern(route: RouteDefaults | str, output: Path) -> str:
    """Make one video step by step; return its path."""
    job = create_video(
        "A paper lantern over a rice terrace", route=route, batch="by-hand", row="lantern", output=output
    )
    print(f"Job {job.job_id} is created and paid for. It is in the ledger and cannot be lost.")
    job = poll_video(job)
    print(f"It cost {job.cost} {job.currency}.")
    return str(download_video(job).video)


if __name__ == "__main__":
    with sandbox_route() as route:
        print(lantern(route, Path(tempfile.mkdtemp(prefix="seedance-by-hand-"))))
