"""When each job of an account is asked about next: by what is foreseen of it, else in turn with others of its kind."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator

from prefect_seedance.accounts.polling.forecast import Forecast, Profile
from prefect_seedance.accounts.polling.watch import Pool, Watch, rest

__all__ = ["Schedule"]

SHORTEST = 0.25
"""Seconds: the closest that we ask about one job again, unless the user sets another pace."""

EARLY = 16
"""One job in so many is asked about at half the usual age: else it was never seen that jobs have become quicker."""


class Schedule:
    """The future of the jobs that are waited for, by time."""

    def __init__(self, advice: float, forecast: Forecast) -> None:
        """A schedule without jobs.

        Args:
            advice: Seconds between two queries of one job, as the provider's documents advise.
            forecast: What is known of the account's jobs.
        """
        self._advice = advice
        self._forecast = forecast
        self._pools: dict[Profile, Pool] = {}
        self._later: list[tuple[float, int, Watch | Pool]] = []
        self._order = itertools.count()

    def first(self, watch: Watch, now: float) -> None:
        """Say when a job is asked about for the first time."""
        if watch.pace is not None:
            self.at(watch, now + watch.pace)
        elif not watch.exact:
            self.at(watch, now)
        elif watch.profile is not None and watch.profile.model and self._forecast.knows(watch.profile):
            age = now - watch.born
            planned = self._forecast.next_age(watch.profile, age) or age
            if next(self._order) % EARLY == 0:
                planned = max(age, planned / 2)
            self.at(watch, watch.born + planned)
        else:
            self._pool(watch, now)

    def again(self, watch: Watch, now: float) -> None:
        """Say when a job that is still running is asked about next."""
        if watch.pace is not None:
            self.at(watch, now + watch.pace)
            return
        profile = watch.profile or Profile("")
        planned = self._forecast.next_age(profile, watch.alive, watch.told) if watch.exact else None
        if planned is not None:
            self.at(watch, max(now + SHORTEST, watch.born + planned))
        elif self._forecast.knows(profile) or not watch.exact:
            self.at(watch, now + max(1.0, min(self._advice, (now - watch.born) / 6)))
        else:
            self._pool(watch, now)

    def at(self, watch: Watch, when: float) -> None:
        """A job is asked about at this time; what was said before is forgotten."""
        watch.due = when
        heapq.heappush(self._later, (when, next(self._order), watch))

    def open(self, model: str, now: float) -> None:
        """The first job of a model has ended: now there is something to plan by."""
        for kind in [kind for kind in self._pools if kind.model == model]:
            pool = self._pools.pop(kind)
            pool.due = None
            for watch in pool.members():
                self.again(watch, now)

    def next_time(self) -> float | None:
        """When somebody is due; None where nobody ever is."""
        return self._later[0][0] if self._later else None

    def due(self, now: float) -> Iterator[tuple[Watch, float]]:
        """The jobs whose time has come, and since when."""
        while self._later and self._later[0][0] <= now:
            when, _, item = heapq.heappop(self._later)
            if item.due != when:
                continue  # it was planned anew since
            if isinstance(item, Watch):
                item.due = None
                yield item, when
            elif (watch := item.take(now, self._advice)) is None:
                self._turn(item, now)
            else:
                yield watch, now
                self._turn(item, now + rest(now - watch.born))

    def _pool(self, watch: Watch, now: float) -> None:
        """Nothing can be foreseen of this job yet: it takes its turn with the others of its kind."""
        pool = self._pools.setdefault(watch.profile or Profile(""), Pool())
        pool.add(watch)
        if pool.due is None:
            self._turn(pool, now)

    def _turn(self, pool: Pool, now: float) -> None:
        pool.due = pool.next_due(now, self._advice)
        if pool.due is not None:
            heapq.heappush(self._later, (pool.due, next(self._order), pool))
