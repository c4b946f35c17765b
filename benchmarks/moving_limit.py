"""A hidden limit of jobs in flight that moves, 10 to 4 to 20: how much of it we use, and how many creates it refuses.

    .venv/bin/python benchmarks/moving_limit.py [--rows 400] [--after 150 300]

The real program runs against a sandbox in its own process, in real time (about a quarter of an hour);
benchmarks/limiting.py does the same on virtual time, with many seeds. The oracle knows the limit at every moment,
notices every end at once, and is never refused.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from fleet.run import environment
from fleet.sandbox import Sandbox, sandbox
from limiting import Limits, oracle

from prefect_seedance.cli.prefect_server import local_server

__all__ = ["Moving", "moving", "table"]

STEPS = (10, 4, 20)
CEILING = 50


@dataclass(frozen=True)
class Moving:
    """The result: seconds that we and the oracle took, and the number of refused creates."""

    rows: int
    took: float
    best: float
    refused: int
    load: float


def moving(rows: int, after: tuple[float, float]) -> Moving:
    """Make `rows` videos while the limit moves `after` so many seconds, each counted from the first create."""
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seedance-bench-")))
        provider = stack.enter_context(sandbox(progress="uneven", concurrency=STEPS[0]))
        warm = stack.enter_context(sandbox(speed=200))
        url = stack.enter_context(local_server(folder / "prefect", folder / "server.log", port=0))
        given = {
            "way": "per_chunk",
            "rows": rows,
            "in_flight": CEILING,
            "url": provider.url,
            "warm_url": warm.url,
            "folder": str(folder),
        }
        command = [sys.executable, str(Path(__file__).parent / "fleet" / "child.py"), json.dumps(given)]
        limits: list[tuple[float, int]] = []
        mover = threading.Thread(target=_move, args=(provider, after, limits), daemon=True)
        mover.start()
        variables = {**environment(folder), "PREFECT_API_URL": f"{url}/api"}
        subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, check=True)
        records = provider.records()
    begun = records.jobs[0]["created_at"]
    known: Limits = ((0.0, STEPS[0]), *((moment - begun, limit) for moment, limit in limits[1:]))
    lengths = [job["finished_at"] - job["created_at"] for job in records.jobs]
    took = max(job["finished_at"] for job in records.jobs) - begun
    return Moving(rows, took, oracle(known, lengths), records.calls.get("jimmy.create.over_limit", 0), load)


def _move(provider: Sandbox, after: tuple[float, float], limits: list[tuple[float, int]]) -> None:
    while not provider.records().jobs:
        time.sleep(0.2)
    begun = time.time()
    limits.append((begun, STEPS[0]))
    for moment, limit in zip(after, STEPS[1:], strict=True):
        time.sleep(max(0.0, begun + moment - time.time()))
        provider.change(concurrency=limit)
        limits.append((time.time(), limit))


def table(one: Moving) -> str:
    """The figures in Markdown."""
    creates = one.rows + one.refused
    return (
        f"| {one.rows} rows, hidden limit {' → '.join(map(str, STEPS))} | |\n| --- | ---: |\n"
        f"| throughput compared with an oracle that knows the limit | {one.best / one.took:.1%} |\n"
        f"| creates refused | {one.refused} of {creates} ({one.refused / creates:.2%}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--after", type=float, nargs=2, default=(150.0, 300.0))
    given = parser.parse_args()
    found = moving(given.rows, tuple(given.after))
    print(table(found))
    print(f"    {found.took:.0f} s, the oracle {found.best:.0f} s; load before {found.load:.1f}")


if __name__ == "__main__":
    main()
