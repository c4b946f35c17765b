"""Prefect's own pattern for long jobs: trigger a block, wait for its run, and fetch its result.

Code for Prefect's `JobBlock` works with it. A second trigger of the same row does not pay again.

    prefect block register -m prefect_seedance.tasks.video_job    # to create it in the Prefect UI
    python examples/video_job.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.blocks.abstract import JobBlock
from sandbox_route import sandbox_route

from prefect_seedance import RouteDefaults, VideoJob


@flow
def run_any_job(job: JobBlock) -> Any:
    """Run any job block; nothing in here is specific to videos."""
    run: Any = job.trigger()
    run.wait_for_completion()
    return run.fetch_result()


def lantern(route: RouteDefaults, output: Path) -> VideoJob:
    """Return the block; `VideoJob.load("my-job")` loads a saved one instead."""
    return VideoJob(
        route=route,
        batch="job-block",
        row="lantern",
        prompt="A paper lantern over a rice terrace",
        output=str(output),
    )


if __name__ == "__main__":
    with sandbox_route() as route:
        ticket = run_any_job(lantern(route, Path(tempfile.mkdtemp(prefix="seedance-job-"))))
        print(ticket.video, ticket.cost, ticket.currency)
