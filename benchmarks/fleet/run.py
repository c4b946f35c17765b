"""A run of one way against its own sandbox, and its figures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from fleet.sandbox import Records, sandbox

from prefect_seedance.cli.prefect_server import local_server

__all__ = ["WAYS", "Figures", "environment", "run"]

WAYS = {
    "per_chunk": "ours, per chunk",
    "per_step": "ours, per step",
    "bare": "bare asyncio + httpx, every 5 s",
    "bare_proof": "the same, with our proof",
    "map": "Prefect `.map` of three sync tasks, every 5 s",
}


@dataclass(frozen=True)
class Figures:
    """The figures of one run.

    Attributes:
        way: The way; see `WAYS`.
        rows: How many rows.
        stored: How many files were made.
        cpu: Milliseconds of the client's processor time per video.
        proof: The part of it for decoding every frame, hashes and pictures.
        calls: Creates and queries for a finished video.
        half: Seconds between done and noticed, the median.
        most: The same, the 95th percentile.
        memory: Kilobytes of peak memory for a row in flight.
        in_flight: The largest number of jobs at one time.
        over: Seconds that the run took longer than its slowest job.
        start: Seconds of processor time before the measurement: imports, and the first few videos.
        load: The machine's load just before.
    """

    way: str
    rows: int
    stored: int
    cpu: float
    proof: float
    calls: float
    half: float
    most: float
    memory: float
    in_flight: int
    over: float
    start: float
    load: float


def environment(folder: Path) -> dict[str, str]:
    """Environment of a process that keeps its files below `folder` and logs nothing."""
    return {
        **os.environ,
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SEEDANCE_LEDGER": str(folder / "ledger.db"),
    }


def run(way: str, rows: int, *, in_flight: int | None = None, speed: float = 1.0, progress: str) -> Figures:
    """Make `rows` videos one way, with its own servers, and measure it."""
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seedance-bench-")))
        variables = environment(folder)
        provider = stack.enter_context(sandbox(speed=speed, progress=progress))
        warm = stack.enter_context(sandbox(speed=200, progress=progress))
        if not way.startswith("bare"):
            url = stack.enter_context(local_server(folder / "prefect", folder / "server.log", port=0))
            variables["PREFECT_API_URL"] = f"{url}/api"
        given = {
            "way": way,
            "rows": rows,
            "in_flight": in_flight or rows,
            "url": provider.url,
            "warm_url": warm.url,
            "folder": str(folder),
        }
        script = Path(__file__).with_name("child.py")
        done = subprocess.run(
            [sys.executable, str(script), json.dumps(given)],
            env=variables,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return _figures(way, rows, json.loads(done.stdout.splitlines()[-1]), provider.records(), load)


def _figures(way: str, rows: int, child: dict, records: Records, load: float) -> Figures:
    lags, stored = records.lags, max(1, child["stored"])
    return Figures(
        way=way,
        rows=rows,
        stored=child["stored"],
        cpu=1000 * child["cpu"] / stored,
        proof=1000 * child["proof_cpu"] / stored,
        calls=records.asked / stored,
        half=lags[len(lags) // 2],
        most=lags[int(len(lags) * 0.95)],
        memory=child["memory"] / 1000 / max(1, records.most),
        in_flight=records.most,
        over=child["wall"] - records.ideal,
        start=child["start_cpu"],
        load=load,
    )
