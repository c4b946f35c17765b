"""The sandbox as a provider in a separate process, and its records after a run."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from prefect_seedance.cli.prefect_server import free_port, spawned

__all__ = ["Records", "Sandbox", "sandbox"]


@dataclass(frozen=True)
class Records:
    """The provider's records after a run: its jobs, oldest first, and how often it was called."""

    jobs: list[dict]
    calls: dict[str, int]

    @property
    def asked(self) -> int:
        return self.calls.get("jimmy.create", 0) + self.calls.get("jimmy.query", 0)

    @property
    def lags(self) -> list[float]:
        """Seconds from each job's end to the first query that reported it, in ascending order."""
        return sorted(job["told_at"] - job["finished_at"] for job in self.jobs if job["told_at"] is not None)

    @property
    def ideal(self) -> float:
        """Duration of the slowest job in seconds."""
        return max(job["finished_at"] - job["created_at"] for job in self.jobs)

    @property
    def most(self) -> int:
        """The largest number of jobs at one time."""
        steps = sorted([(job["created_at"], 1) for job in self.jobs] + [(job["finished_at"], -1) for job in self.jobs])
        running = most = 0
        for _, step in steps:
            running += step
            most = max(most, running)
        return most


class Sandbox:
    """A running sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url

    def change(self, **faults: object) -> None:
        """Change faults."""
        httpx.post(f"{self.url}/_sandbox/faults", json=faults, trust_env=False).raise_for_status()

    def records(self) -> Records:
        jobs, calls = (
            httpx.get(f"{self.url}/_sandbox/{page}", timeout=60, trust_env=False).json() for page in ("jobs", "calls")
        )
        return Records(jobs, calls)


@contextlib.contextmanager
def sandbox(*, speed: float = 1.0, results: Path | None = None, **faults: object) -> Iterator[Sandbox]:
    """Run a sandbox while the block runs. Its jobs take 20 to 40 s, divided by `speed`.

    With `results` its links serve the files of that folder in place of its own videos.
    """
    port = free_port(0)
    command = [sys.executable, "-m", "prefect_seedance.sandbox", "--port", str(port), "--speed", str(speed)]
    if results is not None:
        command += ["--results", str(results)]
        faults["given_result"] = 1.0
    with spawned([*command, "--faults", json.dumps(faults)], os.environ, Path(os.devnull)):
        found = Sandbox(f"http://127.0.0.1:{port}")
        for _ in range(200):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(found.url, trust_env=False)
                break
            time.sleep(0.05)
        yield found
