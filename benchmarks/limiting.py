"""A hidden limit of jobs in flight that moves: how much of it the limiter uses, and how many creates are refused.

    .venv/bin/python benchmarks/limiting.py

The limit is 10, then 4, then 20 while 400 rows run; all on virtual time. The oracle knows the limit at every moment,
notices every end at once, and is never refused; the time that it takes is compared with ours.
"""

from __future__ import annotations

import asyncio
import heapq

from foresight.provider import LENGTHS, Provider
from foresight.virtual import run_virtual

from prefect_seedance.accounts.limiter import Limiter, LimiterReport

ROWS = 400
CEILING = 50
NOTICED = 0.8
"""Seconds between done and noticed: see benchmarks/polling.py."""

Limits = tuple[tuple[float, int], ...]


async def ours(provider: Provider, limiter: Limiter, noticed: float) -> float:
    loop = asyncio.get_running_loop()

    async def one() -> None:
        async with limiter.slot("m", CEILING) as slot:
            tried = 0
            while True:
                await limiter.ready(slot)
                name = await provider.create()
                if name is not None:
                    break
                limiter.refused(1.0, slot)
                tried += 1
                await asyncio.sleep((1, 2, 5, 10, 30)[min(tried, 5) - 1])
            limiter.accepted(slot)
            job = provider.jobs[name]
            await asyncio.sleep(job.born + job.length + noticed - loop.time())

    await asyncio.gather(*(one() for _ in range(ROWS)))
    return max(job.born + job.length for job in provider.jobs.values())


def oracle(limits: Limits, lengths: list[float]) -> float:
    """Return when the last job ends if the limit is known."""
    running: list[float] = []
    now, end = 0.0, 0.0
    for length in lengths:
        while True:
            while running and running[0] <= now:
                heapq.heappop(running)
            limit = min(CEILING, [allowed for moment, allowed in limits if moment <= now][-1])
            if len(running) < limit:
                break
            moments = [running[0], *(moment for moment, _ in limits if moment > now)]
            now = min(moments)
        heapq.heappush(running, now + length)
        end = max(end, now + length)
    return end


def show(title: str, limits: Limits, noticed: float, seed: int) -> None:
    provider, limiter = Provider(LENGTHS["20-40 s"], None, seed=seed, limits=limits), Limiter()
    took = run_virtual(ours(provider, limiter, noticed))
    best = oracle(limits, [job.length for job in provider.jobs.values()])
    report: LimiterReport = limiter.snapshot()
    share = provider.refused / (ROWS + provider.refused)
    print(
        f"{title:<46} {best / took:6.1%} of the oracle  {share:5.2%} refused ({provider.refused})  {report}", flush=True
    )


def main() -> None:
    for noticed in (0.0, NOTICED):
        for first, second in ((300, 600), (150, 300), (200, 600)):
            limits = ((0.0, 10), (float(first), 4), (float(second), 20))
            for seed in (1, 2, 3):
                show(f"10 -> 4 at {first} s -> 20 at {second} s, noticed {noticed} s", limits, noticed, seed)
        show(f"20 all the time, noticed {noticed} s", ((0.0, 20),), noticed, 1)
        show(f"no limit, noticed {noticed} s", ((0.0, 10_000),), noticed, 1)


if __name__ == "__main__":
    main()
