"""When each job of an account is queried next: by its forecast, else in turn with the other jobs of its profile."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator

from prefect_seedance.accounts.polling.forecast import Forecast, Profile
from prefect_seedance.accounts.polling.watch import Pool, Watch, rest

__all__ = ["Schedule"]

SHORTEST = 0.25
"""Seconds: the shortest time between two queries of one job, unless the user sets another pace."""

EARLY = 16
"""One job in so many is first queried at half the usual age; else it would not be noticed that jobs have become
quicker."""


class Schedule:
    """The next queries of the jobs that are waited for, by time."""

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
        """Schedule the first query of a job."""
        if watch.pace is not None:
            self.at(watch, now + watch.pace)
        elif not watch.age_known:
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
        """Schedule the next query of a job that is still running."""
        if watch.pace is not None:
            self.at(watch, now + watch.pace)
            return
        profile = watch.profile or Profile("")
        planned = self._forecast.next_age(profile, watch.alive, watch.progress_seen) if watch.age_known else None
        if planned is not None:
            self.at(watch, max(now + SHORTEST, watch.born + planned))
        elif self._forecast.knows(profile) or not watch.age_known:
            self.at(watch, now + max(1.0, min(self._advice, (now - watch.born) / 6)))
        else:
            self._pool(watch, now)

    def at(self, watch: Watch, when: float) -> None:
        """Schedule the query of a job at this time, instead of any earlier plan."""
        watch.due = when
        heapq.heappush(self._later, (when, next(self._order), watch))

    def open(self, model: str, now: float) -> None:
        """The first job of a model has ended: now its other jobs can be scheduled by forecast."""
        for kind in [kind for kind in self._pools if kind.model == model]:
            pool = self._pools.pop(kind)
            pool.due = None
            for watch in pool.members():
                self.again(watch, now)

    def next_time(self) -> float | None:
        """When the next job is due; None where none is scheduled."""
        return self._later[0][0] if self._later else None

    def due(self, now: float) -> Iterator[tuple[Watch, float]]:
        """The jobs whose time has come, and since when."""
        while self._later and self._later[0][0] <= now:
            when, _, item = heapq.heappop(self._later)
            if item.due != when:
                continue  # it was rescheduled since
            if isinstance(item, Watch):
                item.due = None
                yield item, when
            elif (watch := item.take(now, self._advice)) is None:
                self._schedule_pool(item, now)
            else:
                yield watch, now
                self._schedule_pool(item, now + rest(now - watch.born))

    def _pool(self, watch: Watch, now: float) -> None:
        """There is no forecast for this job yet: it takes its turn with the other jobs of its profile."""
        pool = self._pools.setdefault(watch.profile or Profile(""), Pool())
        pool.add(watch)
        if pool.due is None:
            self._schedule_pool(pool, now)

    def _schedule_pool(self, pool: Pool, now: float) -> None:
        pool.due = pool.next_due(now, self._advice)
        if pool.due is not None:
            heapq.heappush(self._later, (pool.due, next(self._order), pool))
