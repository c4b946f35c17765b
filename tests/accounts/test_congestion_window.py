"""The window finds an unpublished limit, follows it when it changes, and is seldom refused."""

from __future__ import annotations

import heapq
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from prefect_seedance.accounts.congestion_window import MOST_TRIES, PROBE, CongestionWindow


class Account:
    """Always more to do than is allowed; a create is answered at once, and an end is noticed `lag` seconds later."""

    def __init__(self, limit: int, lag: float, seed: int) -> None:
        self.limit, self.lag, self.chance = limit, lag, random.Random(seed)
        self.window, self.now, self.open_at = CongestionWindow(), 0.0, 0.0
        self.running: list[float] = []
        self.noticed: list[float] = []
        self.refusals: list[float] = []

    def until(self, end: float) -> None:
        while self.now < end:
            self._see()
            while self.now >= self.open_at and len(self.noticed) < min(200, self.window.allowed(self.now)):
                self._create()
            moments = [self.now + 1.0, *self.noticed[:1]]
            self.now = max(min(moments), self.now + 0.01)

    def _see(self) -> None:
        while self.running and self.running[0] <= self.now:
            heapq.heappop(self.running)
        while self.noticed and self.noticed[0] <= self.now:
            heapq.heappop(self.noticed)
            self.window.ended(self.now)

    def _create(self) -> None:
        if len(self.running) < self.limit:
            length = self.chance.uniform(20, 40)
            heapq.heappush(self.running, self.now + length)
            heapq.heappush(self.noticed, self.now + length + self.lag)
            self.window.accepted(len(self.noticed), self.now)
        else:
            self.refusals.append(self.now)
            self.open_at = self.now + 1.0
            self.window.refused(len(self.noticed), self.now)


@given(limit=st.integers(1, 60), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_limit_that_stands_is_found_to_the_job(limit: int, seed: int) -> None:
    account = Account(limit, 0.0, seed)
    account.until(3600)
    assert account.window.size == limit
    assert account.window.highest == limit
    # Once it is known, one try in `PROBE` seconds for each job, and ever fewer of them.
    assert len(account.refusals) <= 3 + 3600 / (PROBE * limit)


@given(
    limits=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    seed=st.integers(0, 99),
    lag=st.sampled_from([0.0, 0.4, 0.8]),
)
@settings(max_examples=60, deadline=None)
def test_it_follows_a_limit_that_moves(limits: list[int], seed: int, lag: float) -> None:
    account, end = Account(limits[0], lag, seed), 0.0
    for before, limit in zip([limits[0], *limits], limits, strict=False):
        account.limit = limit
        # A limit that has risen is found by the next try, and then by one create after the other.
        end += 200 + 4 * PROBE * before
        account.until(end)
        unseen = 1 + round(limit * lag / 15)
        assert account.window.size <= limit + unseen
        assert account.window.size >= min(limit, limit * 0.5) - unseen
    assert len(account.refusals) <= end / 20 + 12


def test_nothing_is_held_back_before_a_limit_is_met() -> None:
    window = CongestionWindow()
    for made in range(1, 500):
        assert window.allowed(float(made)) > made
        window.accepted(made, float(made))
    assert not window.found
    assert window.highest == 499


def test_what_was_on_its_way_when_another_was_refused_is_no_try_for_more() -> None:
    window = CongestionWindow()
    for made in range(1, 10):
        window.accepted(made, 0.0)
    window.refused(9, 0.1)
    assert (window.size, window.allowed(0.2)) == (9, 9)
    window.accepted(10, 0.2)
    assert (window.size, window.allowed(0.3)) == (10, 10)


def test_a_try_into_the_place_of_a_job_that_had_ended_unseen_proves_nothing() -> None:
    window = CongestionWindow()
    window.accepted(1, 0.0)
    window.accepted(2, 0.0)
    window.refused(2, 1.0)
    moment = window.next_try
    window.accepted(3, moment)
    assert window.size == 3
    window.ended(moment + 1.0)
    assert window.size == 2


def test_a_limit_of_many_jobs_can_rise_though_jobs_end_all_the_time() -> None:
    window, made = CongestionWindow(), 100
    for number in range(1, made + 1):
        window.accepted(number, 0.0)
    window.refused(made, 1.0)
    now = window.next_try
    assert window.tries(now) == 1
    for _ in range(60):
        window.ended(now)
        window.accepted(made, now + 0.1)  # into the place of the one that has ended
        made += 1
        window.accepted(made, now + 0.2)  # a try
        now += 0.5
    assert window.size == 160
    assert window.tries(now) == MOST_TRIES
