"""A provider on virtual time: jobs of any distribution, with even, uneven or no progress."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate

from prefect_seedance.providers import JobState, JobView

Length = Callable[[random.Random], float]

LENGTHS: dict[str, Length] = {
    "20-40 s": lambda chance: chance.uniform(20, 40),
    "30-300 s": lambda chance: chance.uniform(30, 300),
    "heavy tail": lambda chance: 20 * chance.paretovariate(2),
    "two kinds": lambda chance: max(5.0, chance.choice((chance.gauss(30, 3), chance.gauss(120, 10)))),
    "0.05-2 s": lambda chance: chance.uniform(0.05, 2),
}

PARTS = 8


def even(_: random.Random) -> list[float]:
    return [number / PARTS for number in range(PARTS + 1)]


def _steps(amounts: list[float]) -> list[float]:
    whole = sum(amounts) or 1.0
    return [0.0, *(step / whole for step in accumulate(amounts))]


def uneven(chance: random.Random) -> list[float]:
    """Each eighth of the duration adds a different amount: 0.5 to 1.5 times the mean."""
    return _steps([chance.uniform(0.5, 1.5) for _ in range(PARTS)])


def pausing(chance: random.Random) -> list[float]:
    """Worse: a sixth of them add nothing, and others up to four times as much as their neighbours."""
    return _steps([0.0 if chance.random() < 1 / 6 else chance.uniform(0.5, 2) for _ in range(PARTS)])


def halfway(_: random.Random) -> list[float]:
    """Anyfast's: the reported progress starts at 50 %."""
    return [0.5 + number / PARTS / 2 for number in range(PARTS + 1)]


CURVES: dict[str, Callable[[random.Random], list[float]] | None] = {
    "even": even,
    "uneven": uneven,
    "pausing": pausing,
    "from 50 %": halfway,
    "none": None,
}


@dataclass
class Job:
    born: float
    length: float
    curve: list[float] | None
    asked: int = 0
    noticed: float | None = None

    def progress(self, now: float) -> float | None:
        """Return the progress in whole per cent; 0 during the first 15 % of the duration, as in the sandbox."""
        if self.curve is None:
            return None
        part = (now - self.born) / self.length
        if part < 0.15:
            return 0.0
        place = min(int(part * PARTS), PARTS - 1)
        reported = self.curve[place] + (part * PARTS - place) * (self.curve[place + 1] - self.curve[place])
        return min(0.99, max(0.01, round(reported, 2)))


@dataclass
class Provider:
    """Makes jobs, answers queries after `latency` seconds, and enforces the hidden limit."""

    length: Length
    curve: Callable[[random.Random], list[float]] | None
    seed: int = 1
    times: bool = True
    latency: float = 0.03
    limits: tuple[tuple[float, int], ...] = ()
    jobs: dict[str, Job] = field(default_factory=dict)
    ends: list[float] = field(default_factory=list)
    refused: int = 0
    questions: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def limit(self, now: float) -> int | None:
        if not self.limits:
            return None
        return self.limits[bisect_right([moment for moment, _ in self.limits], now) - 1][1]

    async def create(self) -> str | None:
        """Return the job's name; None above the limit."""
        await asyncio.sleep(self.latency / 2)
        now = asyncio.get_running_loop().time()
        limit = self.limit(now)
        if limit is not None:
            self.ends = [end for end in self.ends if end > now]
            if len(self.ends) >= limit:
                self.refused += 1
                await asyncio.sleep(self.latency / 2)
                return None
        name = f"j{len(self.jobs)}"
        job = Job(now, self.length(self.chance), self.curve(self.chance) if self.curve else None)
        self.jobs[name] = job
        self.ends.append(now + job.length)
        await asyncio.sleep(self.latency / 2)
        return name

    async def query(self, job_id: str) -> JobView:
        self.questions += 1
        await asyncio.sleep(self.latency / 2)
        now = asyncio.get_running_loop().time()
        job = self.jobs[job_id]
        job.asked += 1
        over = now >= job.born + job.length
        state = JobState.SUCCEEDED if over else JobState.RUNNING
        born, end = (datetime.fromtimestamp(int(1e9 + at), UTC) for at in (job.born, job.born + job.length))
        view = JobView(
            job_id=job_id,
            state=state,
            provider_status=state.value,
            progress=(1.0 if over else job.progress(now)) if self.curve else None,
            video_url="https://x/v.mp4" if over else None,
            created_at=born if self.times else None,
            finished_at=end if self.times and over else None,
        )
        await asyncio.sleep(self.latency / 2)
        return view

    def lag(self, job: Job) -> float:
        """Return the seconds between done and noticed."""
        return (job.noticed or 0.0) - job.born - job.length
