"""How many queries it takes to learn that a job has ended, and how late that is: the poller on virtual time.

    .venv/bin/python benchmarks/polling.py [--quick]

Calls are the create and all queries, for each finished job; lag is the time between done and noticed. The poller is
the program's own; only the provider and the clock are simulated. `bare` queries every 5 s, or at another interval.
"""

from __future__ import annotations

import asyncio
import sys
import time
import tracemalloc

from foresight.provider import CURVES, LENGTHS, Job, Provider
from foresight.virtual import run_virtual

from prefect_seedance.accounts.polling.forecast import Forecast, Profile
from prefect_seedance.accounts.polling.poller import Poller

PROFILE = Profile("seedance2.0-mini", 5, "720p")


async def ours(provider: Provider, forecast: Forecast, jobs: int, in_flight: int, every: float = 0.006) -> None:
    """Create jobs as fast as `in_flight` and `every` allow, and wait for each with the poller."""
    poller, places, loop = (
        Poller(provider, 10, forecast=forecast),
        asyncio.Semaphore(in_flight),
        asyncio.get_running_loop(),
    )

    async def one() -> None:
        try:
            name = await provider.create()
            await poller.wait(name or "", pace=None, patience=1e9, profile=PROFILE, age=0.0)
            provider.jobs[name or ""].noticed = loop.time()
        finally:
            places.release()

    tasks = []
    for _ in range(jobs):
        await places.acquire()
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(every)
    await asyncio.gather(*tasks)
    await poller.close()


async def bare(provider: Provider, jobs: int, pace: float) -> None:
    async def one() -> None:
        name = await provider.create() or ""
        while True:
            await asyncio.sleep(pace)
            if (await provider.query(name)).state.final:
                break
        provider.jobs[name].noticed = asyncio.get_running_loop().time()

    tasks = []
    for _ in range(jobs):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(0.006)
    await asyncio.gather(*tasks)


def figures(provider: Provider, jobs: list[Job] | None = None) -> str:
    jobs = jobs if jobs is not None else list(provider.jobs.values())
    lags = sorted(provider.lag(job) for job in jobs)
    calls = 1 + sum(job.asked for job in jobs) / len(jobs)
    half, most = lags[len(lags) // 2], lags[int(len(lags) * 0.95)]
    return f"{calls:5.2f} calls  p50 {half:5.2f} s  p95 {most:5.2f} s  max {lags[-1]:6.1f} s"


def show(title: str, provider: Provider, jobs: list[Job] | None = None) -> None:
    print(f"{title:<58} {figures(provider, jobs)}", flush=True)


def scene(length: str, curve: str, jobs: int, in_flight: int, seed: int, **also: object) -> tuple[Provider, Provider]:
    """Run the same scene twice: once without history, then with what was learned."""
    forecast, found = Forecast(), []
    for turn in range(2):
        provider = Provider(LENGTHS[length], CURVES[curve], seed=seed + turn, **also)  # type: ignore[arg-type]
        run_virtual(ours(provider, forecast, jobs, in_flight))
        found.append(provider)
    return found[0], found[1]


def cost(jobs: int) -> None:
    """Print our own processor time and memory for many jobs in flight."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]

    async def memory() -> float:
        poller = Poller(Provider(LENGTHS["20-40 s"], None), 10)
        waits = [
            asyncio.create_task(poller.wait(f"j{n}", pace=None, patience=1e9, profile=PROFILE, age=0.0))
            for n in range(jobs)
        ]
        await asyncio.sleep(0)
        held = tracemalloc.get_traced_memory()[0] - before
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
        await poller.close()
        return held

    held = run_virtual(memory())
    tracemalloc.stop()
    for curve in ("none", "uneven"):
        provider = Provider(LENGTHS["20-40 s"], CURVES[curve])
        started = time.process_time()
        run_virtual(ours(provider, Forecast(), jobs, jobs, every=0.0004))
        spent = time.process_time() - started
        show(f"20-40 s, progress {curve}, {jobs:,} at once, ignorant", provider)
        print(f"    {1e6 * spent / jobs:.0f} us of CPU a job, the simulated provider and the row's own task included")
    print(f"    {held / jobs:.0f} bytes a job in flight, the row's own task included")


def main() -> None:
    seeds = (1,) if "--quick" in sys.argv else (1, 101, 201)
    for pace in (5.0, 2.0):
        provider = Provider(LENGTHS["20-40 s"], None)
        run_virtual(bare(provider, 500, pace))
        show(f"20-40 s, 500 at once, bare every {pace:g} s", provider)
    for length in LENGTHS:
        for curve in CURVES:
            for seed in seeds:
                cold, warm = scene(length, curve, 500, 500, seed)
                show(f"{length}, progress {curve}, 500 at once, ignorant", cold)
                show(f"{length}, progress {curve}, 500 at once, with history", warm)
    for curve in ("uneven", "none"):
        cold, _ = scene("20-40 s", curve, 500, 50, 1)
        show(f"20-40 s, progress {curve}, 50 in flight, ignorant", cold)
        cold, warm = scene("20-40 s", curve, 500, 500, 1, times=False)
        show(f"20-40 s, progress {curve}, 500, no times reported, ignorant", cold)
        show(f"20-40 s, progress {curve}, 500, no times reported, history", warm)
        cold, warm = scene("20-40 s", curve, 1, 1, 1)
        show(f"20-40 s, progress {curve}, a single job, ignorant", cold)
    if "--quick" not in sys.argv:
        cost(10_000)


if __name__ == "__main__":
    main()
