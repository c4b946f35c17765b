"""A job that is waited for, and the pool of the jobs that have no forecast yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from prefect_seedance.accounts.polling.forecast import Profile, ProgressPoint
from prefect_seedance.errors import SeedanceError
from prefect_seedance.providers import JobView

__all__ = ["OnView", "Pool", "Watch", "rest"]

OnView = Callable[[JobView], None]

PROGRESS_KEPT = 6
"""Progress values of a job that are remembered."""

FIRST = 0.5
"""Seconds: the age at the first query of a job without a forecast, and the shortest time between two queries of it."""

CROWD = 8.0
"""Queries per second for all young jobs of a pool together."""

CHANGE = 4
"""Every fourth query of a pool goes to a job that was not queried before."""

THINNING = 165.0
"""Divided by the age: the queries per second, where that is fewer. An end that is found a tenth too late does little
harm."""


class Watch:
    """One job that is waited for.

    Attributes:
        job_id: The provider's id of it.
        profile: What its duration depends on; None where the caller does not give it.
        pace: The user's seconds between two queries, if set.
        born: When it was created, on the loop's clock.
        age_known: Whether `born` is known; else it is the time at which the wait began.
        until: When the patience of all waiters is over.
        lifetime: Seconds that its result link is valid at least, counted from its creation.
        due: When it is queried next; None while it is being queried, or in a pool.
        alive: Its age in seconds when it was last seen running.
        progress_seen: The progress that it reported.
        not_found: How often in a row the provider did not know it.
        absent_from: When the first of these answers came.
        absence: Seconds of such answers after which the wait ends.
        failures: How many queries in a row failed.
        last: The last answer, or the last error.
        timer: Fires when the patience is over.
        asked: When it was last queried.
        asking: Whether a query is in flight.
        answers: The futures of the waiters.
        listeners: Called with every answer.
    """

    __slots__ = (
        "absence",
        "absent_from",
        "age_known",
        "alive",
        "answers",
        "asked",
        "asking",
        "born",
        "due",
        "failures",
        "job_id",
        "last",
        "lifetime",
        "listeners",
        "not_found",
        "pace",
        "profile",
        "progress_seen",
        "timer",
        "until",
    )  # fmt: skip

    def __init__(self, job_id: str, profile: Profile | None, pace: float | None, lifetime: float | None) -> None:
        self.job_id = job_id
        self.profile = profile
        self.pace = pace
        self.lifetime = lifetime
        self.born = self.until = self.asked = self.absent_from = self.absence = 0.0
        self.age_known = False
        self.due: float | None = None
        self.asking = False
        self.alive = 0.0
        self.progress_seen: tuple[ProgressPoint, ...] = ()
        self.not_found = self.failures = 0
        self.last: JobView | SeedanceError | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.answers: list[asyncio.Future[JobView]] = []
        self.listeners: list[OnView] = []

    def seen_running(self, view: JobView, now: float) -> None:
        """Note that the job is still running, and its progress."""
        self.alive = now - self.born
        if view.progress is not None and self.age_known:
            # The first value is kept: it gives the longest span to measure by.
            first, later = self.progress_seen[:1], self.progress_seen[1:]
            self.progress_seen = (*first, *later[2 - PROGRESS_KEPT :], ProgressPoint(self.alive, view.progress))

    def length(self, view: JobView, now: float) -> float | None:
        """The best estimate of its duration in seconds: the provider's whole seconds, within the observed bounds."""
        took = now - self.born
        if view.created_at is not None and view.finished_at is not None:
            lasted = (view.finished_at - view.created_at).total_seconds()
            if not self.age_known:
                return lasted if lasted >= 0 else None
            return min(max(lasted, self.alive), took)
        return (self.alive + took) / 2 if self.age_known else None

    def settle(self, view: JobView | None, error: BaseException | None = None) -> None:
        """Give all waiters the final view or the error."""
        for answer in self.answers:
            if answer.done():
                continue
            if view is not None:
                answer.set_result(view)
            elif error is not None:
                answer.set_exception(error)


class Pool:
    """Jobs of a profile of which none has ended yet. A few of them, the oldest, are queried for all.

    With five hundred jobs of the same age, it is not necessary to query each of them until the first one ends.
    """

    __slots__ = ("due", "resting", "scouts", "turns")

    def __init__(self) -> None:
        self.scouts: deque[Watch] = deque()
        """Those that were queried; the next one is first."""
        self.resting: deque[Watch] = deque()
        """Those that were not queried, in the order of their arrival."""
        self.due: float | None = None
        self.turns = 0

    def add(self, watch: Watch) -> None:
        """Add a job."""
        watch.due = None
        (self.resting if watch.asked == watch.born else self.scouts).append(watch)

    def members(self) -> list[Watch]:
        """All jobs that are still waited for."""
        return [watch for watch in (*self.scouts, *self.resting) if watch.answers]

    def take(self, now: float, advice: float) -> Watch | None:
        """The job to query now; None where none is due."""
        self.turns += 1
        # Scouts that never end must not hide that all other jobs have ended.
        order = (self.resting, self.scouts) if self.turns % CHANGE == 0 else (self.scouts, self.resting)
        for turns in order:
            while turns and not turns[0].answers:
                turns.popleft()
            if turns and _turn(turns[0], advice) <= now:
                return turns.popleft()
        return None

    def next_due(self, now: float, advice: float) -> float | None:
        """When the next job is due; None for an empty pool."""
        fronts = [turns[0] for turns in (self.scouts, self.resting) if turns]
        return max(now, min(_turn(watch, advice) for watch in fronts)) if fronts else None


def rest(age: float) -> float:
    """Seconds between two queries of a pool whose jobs have reached this age."""
    return 1 / min(CROWD, THINNING / max(age, 1.0))


def _turn(watch: Watch, advice: float) -> float:
    # A single job is queried at ages that grow by a sixth, up to the pace that the provider advises.
    return watch.asked + max(FIRST, min(advice, (watch.asked - watch.born) / 6))
