"""A step that runs for the rows that have a video, and for no others.

A failed row never affects the others: the provider refuses the second one, and the others continue.
`generate_videos` raises only when no row at all could be stored.

    python examples/downstream.py
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from prefect import flow, task
from sandbox_route import sandbox_route

from prefect_seedance import RouteDefaults, generate_videos

TABLE = [
    {"id": "tea", "prompt": "A paper lantern drifts over a rice terrace"},
    {"id": "mouse", "prompt": "米老鼠在城堡前跳舞"},
    {"id": "rain", "prompt": "Raindrops race down a train window"},
]


@task(task_run_name="publish {row}")
def publish(row: str, video: str) -> str:
    """Your own step: an upload, a message, an entry in a shop."""
    return f"{row} {hashlib.sha256(Path(video).read_bytes()).hexdigest()[:12]}"


@flow(log_prints=True)
def made_and_published(route: RouteDefaults | str, output: Path) -> list[str]:
    """Make the videos, and publish those that were stored."""
    result = generate_videos(TABLE, route=route, batch="downstream", output=output)
    for row in result:
        if row.video is None:
            print(f"{row.row} has no video, it is {row.status}: {row.error_message}")
    return [publish(row.row, row.video) for row in result if row.video is not None]


if __name__ == "__main__":
    with sandbox_route() as route:
        print(made_and_published(route, Path(tempfile.mkdtemp(prefix="seedance-downstream-"))))
