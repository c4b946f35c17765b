"""The limiter: never more in flight than allowed, no waiter starves, and rate limits are obeyed."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_seedance.accounts.limiter import Limiter
from prefect_seedance.ledger import Allocation
from tests.patience import patience, settle


@given(ceiling=st.integers(1, 5), seed=st.integers(0, 1000), number=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_places_are_never_more_than_the_ceiling_whoever_is_cancelled(ceiling: int, seed: int, number: int) -> None:
    async def scene() -> tuple[int, int]:
        chance = random.Random(seed)
        limiter, now, most, done = Limiter(), 0, 0, 0

        async def one() -> None:
            nonlocal now, most, done
            async with limiter.slot("m", ceiling) as slot:
                now += 1
                most = max(most, now)
                try:
                    if chance.random() < 0.5:
                        limiter.accepted(slot)
                    await asyncio.sleep(chance.random() / 1000)
                finally:
                    now -= 1
            done += 1

        tasks = [asyncio.create_task(one()) for _ in range(number)]
        for task in tasks:
            if chance.random() < 0.3:
                await asyncio.sleep(0)
                task.cancel()
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), patience())
        # Every slot was released: all of them can be acquired again at once.
        async with asyncio.timeout(patience()):
            for _ in range(ceiling):
                await limiter._acquire("m", ceiling, paid=True)
        return most, done + sum(isinstance(result, asyncio.CancelledError) for result in results)

    most, ended = asyncio.run(scene())
    assert most <= ceiling
    assert ended == number


async def test_retry_after_is_waited_for() -> None:
    limiter = Limiter()
    limiter.refused(0.2)
    limiter.refused(0.1)
    started = asyncio.get_running_loop().time()
    await limiter.ready()
    assert asyncio.get_running_loop().time() - started >= 0.19


async def test_a_burst_of_refusals_is_one_refusal() -> None:
    limiter = Limiter()
    for _ in range(50):
        limiter.refused(None)
    assert limiter._open_at - asyncio.get_running_loop().time() <= 1.0
    await limiter.ready()


async def test_the_pause_grows_until_a_create_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    limiter = Limiter()
    loop = asyncio.get_running_loop()
    now = loop.time()
    with monkeypatch.context() as still:
        still.setattr(loop, "time", lambda: now)
        pauses = []
        for _ in range(4):
            limiter._open_at = 0.0
            limiter.refused(None)
            pauses.append(limiter._open_at - now)
        limiter.accepted()
        limiter._open_at = 0.0
        limiter.refused(None)
    assert pauses == pytest.approx([1, 2, 4, 8])
    assert limiter._open_at - now == pytest.approx(1)


async def test_who_stood_still_puts_nothing_more_in_flight_before_it_was_told_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr("prefect_seedance.accounts.limiter.boot_time", lambda: now)
    limiter = Limiter()
    for lease, more in ((0.5, False), (60.0, True)):
        limiter.demand()
        limiter.apply_share(Allocation({"m": 2}), lease)
        async with limiter.slot("m", 9):
            now += 0.55
            waiting = asyncio.create_task(limiter._acquire("m", 9))
            await settle()
            assert waiting.done() is more
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)


async def test_a_job_that_exists_waits_behind_none_that_may_not_be_made() -> None:
    limiter = Limiter()
    limiter.demand()
    limiter.apply_share(Allocation({"m": 0}))
    unmade = asyncio.create_task(limiter._acquire("m", 5))
    await asyncio.sleep(0)
    async with asyncio.timeout(patience()), limiter.slot("m", 5, paid=True) as slot:
        assert slot.made
        assert not unmade.done()
    unmade.cancel()


async def test_who_stops_waits_for_nothing() -> None:
    limiter, over = Limiter(), False

    async def waits(*, first: bool) -> None:
        async with limiter.slot("m", 1, over=lambda: over) as slot:
            if first:
                limiter.refused(60.0, slot)
                await limiter.ready(slot, lambda: over)

    tasks = [asyncio.create_task(waits(first=first)) for first in (True, False, False)]
    other = asyncio.create_task(waits(first=False))
    await settle()
    limiter.wake()
    await settle()
    assert not any(task.done() for task in tasks)
    over = True
    limiter.wake()
    async with asyncio.timeout(patience()):
        await asyncio.gather(*tasks, other)


async def test_pauses_count_together_until_a_create_is_accepted() -> None:
    limiter = Limiter()
    limiter.refused(1e30)
    left = limiter.pause_beyond(86_000.0)
    assert left is not None
    assert left <= 86_400.0
    assert limiter.pause_beyond(86_500.0) is None
    limiter.apply_share(Allocation({"m": 1}, pause=90_000.0))
    assert limiter.pause_beyond(86_500.0) is not None
    limiter.accepted()
    assert limiter.pause_beyond(0.0) is None


async def test_who_does_not_wait_for_so_long_is_let_through_at_once_and_the_others_wait() -> None:
    limiter = Limiter()
    limiter.demand()
    limiter.apply_share(Allocation({"m": 0}))

    async def waits(seconds: float) -> None:
        over = lambda: limiter.pause_beyond(seconds) is not None  # noqa: E731
        async with limiter.slot("m", 5, over=over) as slot:
            await limiter.ready(slot, over)

    early, patient = asyncio.create_task(waits(3.0)), asyncio.create_task(waits(3600.0))
    await asyncio.sleep(0)
    limiter.refused(60.0)
    async with asyncio.timeout(patience()):
        await early
        await waits(3.0)  # also who comes later
    assert not patient.done()
    patient.cancel()
