"""A job that is waited for, as the poller sees it, and the pool of those of which nothing can be foreseen."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from prefect_seedance.accounts.polling.forecast import Profile, Seen
from prefect_seedance.errors import SeedanceError
from prefect_seedance.providers import JobView

__all__ = ["OnView", "Pool", "Watch", "rest"]

OnView = Callable[[JobView], None]

TOLD = 6
"""Values of a job's progress that are remembered."""

FIRST = 0.5
"""Seconds: the age at which the first job of an unknown kind is asked about, and the closest that it is asked again."""

CROWD = 8.0
"""Questions a second about all jobs of an unknown kind together while they are young."""

CHANGE = 4
"""Every fourth question of a pool goes to a job that was not asked about before."""

THINNING = 165.0
"""Divided by the age, so many questions a second where that is fewer: an end found a tenth too late hurts little."""


class Watch:
    """One job that is waited for.

    Attributes:
        job_id: The provider's name for it.
        profile: What its length hangs on; None where that was not said.
        pace: The user's seconds between two questions, if set.
        born: When it was created, on the loop's clock.
        exact: Whether that is known.
        until: When the patience of all who wait is over.
        lifetime: Seconds that its result link lives at least, counted from its creation.
        due: When it is asked about next; None while it is asked about, or pooled.
        alive: Its age when it was last seen unfinished.
        told: What it told of its progress.
        gone: How often in a row it was not known.
        troubles: Questions in a row that failed.
        last: What was last heard of it.
        timer: Rings when the patience is over.
    """

    __slots__ = (
        "alive",
        "answers",
        "asked",
        "asking",
        "born",
        "due",
        "exact",
        "gone",
        "job_id",
        "last",
        "lifetime",
        "listeners",
        "pace",
        "profile",
        "timer",
        "told",
        "troubles",
        "until",
    )  # fmt: skip

    def __init__(self, job_id: str, profile: Profile | None, pace: float | None, lifetime: float | None) -> None:
        self.job_id = job_id
        self.profile = profile
        self.pace = pace
        self.lifetime = lifetime
        self.born = self.until = self.asked = 0.0
        self.exact = False
        self.due: float | None = None
        self.asking = False
        self.alive = 0.0
        self.told: tuple[Seen, ...] = ()
        self.gone = self.troubles = 0
        self.last: JobView | SeedanceError | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.answers: list[asyncio.Future[JobView]] = []
        self.listeners: list[OnView] = []

    def heard(self, view: JobView, now: float) -> None:
        """It is still unfinished."""
        self.alive = now - self.born
        if view.progress is not None and self.exact:
            # The first that was told is kept: it is the longest way to measure by.
            self.told = (*self.told[:1], *self.told[1:][2 - TOLD :], Seen(self.alive, view.progress))

    def length(self, view: JobView, now: float) -> float | None:
        """How long it took, as well as it can be told: the provider's whole seconds, held against what was seen."""
        took = now - self.born
        if view.created_at is not None and view.finished_at is not None:
            lasted = (view.finished_at - view.created_at).total_seconds()
            if not self.exact:
                return lasted if lasted >= 0 else None
            return min(max(lasted, self.alive), took)
        return (self.alive + took) / 2 if self.exact else None

    def settle(self, view: JobView | None, error: BaseException | None = None) -> None:
        """Tell all who wait."""
        for answer in self.answers:
            if answer.done():
                continue
            if view is not None:
                answer.set_result(view)
            elif error is not None:
                answer.set_exception(error)


class Pool:
    """Jobs of a kind of which none has ended yet. A few of them, the oldest, are asked about for all.

    Five hundred jobs of the same age need not each be asked every few seconds whether the first of them has ended.
    """

    __slots__ = ("due", "resting", "scouts", "turns")

    def __init__(self) -> None:
        self.scouts: deque[Watch] = deque()
        """Those that were asked about; the one whose turn is next stands first."""
        self.resting: deque[Watch] = deque()
        """Those that were not, in the order of their arrival."""
        self.due: float | None = None
        self.turns = 0

    def add(self, watch: Watch) -> None:
        """Take a job in."""
        watch.due = None
        (self.resting if watch.asked == watch.born else self.scouts).append(watch)

    def members(self) -> list[Watch]:
        """All of them that are still waited for."""
        return [watch for watch in (*self.scouts, *self.resting) if watch.answers]

    def take(self, now: float, advice: float) -> Watch | None:
        """The job that is asked about now; None where it is nobody's turn."""
        self.turns += 1
        # Scouts that hang for ever must not hide from us that all the others have ended.
        order = (self.resting, self.scouts) if self.turns % CHANGE == 0 else (self.scouts, self.resting)
        for turns in order:
            while turns and not turns[0].answers:
                turns.popleft()
            if turns and _turn(turns[0], advice) <= now:
                return turns.popleft()
        return None

    def next_due(self, now: float, advice: float) -> float | None:
        """When somebody's turn comes; None for an empty pool."""
        fronts = [turns[0] for turns in (self.scouts, self.resting) if turns]
        return max(now, min(_turn(watch, advice) for watch in fronts)) if fronts else None


def rest(age: float) -> float:
    """Seconds between two questions about a kind of job of which none has ended at this age."""
    return 1 / min(CROWD, THINNING / max(age, 1.0))


def _turn(watch: Watch, advice: float) -> float:
    # Alone, a job is asked about at ages that grow by a sixth, up to the pace that the provider advises.
    return watch.asked + max(FIRST, min(advice, (watch.asked - watch.born) / 6))
