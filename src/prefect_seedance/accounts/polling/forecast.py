"""When a job will end: learned from ended jobs, and from the progress that some providers report."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

from prefect_seedance.accounts.polling.intervals import pause
from prefect_seedance.accounts.polling.survival import SurvivalTable

__all__ = ["Forecast", "Profile", "ProgressPoint"]

MIN_ENDED = 8
"""Jobs that must have ended before a profile is judged by its own jobs; until then by a wider profile."""

MAX_PROFILES = 256
"""Profiles that are remembered."""

NEAR = 8
"""Per cent: progress reports of other jobs count within this distance."""

ERRORS_KEPT = 12
"""Errors that are kept for each per cent of progress."""

ERRORS_WANTED = 24
"""Errors that are collected around a progress."""

MIN_ERRORS = 5
"""With fewer errors the accuracy of the reported progress is unknown."""

MIN_PROGRESS = 0.1
"""A smaller progress, or a smaller change of it, says nothing by itself."""

UNPROVEN_FACTORS = ((0.6, 0.5), (0.8, 1.0), (0.95, 2.0), (1.05, 2.0), (1.2, 1.0), (1.5, 0.5))
"""Factors on the remaining time that an unproven progress implies, each with its weight."""

BASE_DENSITY = 0.1
"""Relative likelihood that a job ends at an age at which none has ended so far."""


class Profile(NamedTuple):
    """What a job's duration depends on."""

    model: str
    duration: int | None = None
    resolution: str | None = None


class ProgressPoint(NamedTuple):
    """A reported progress: the age of the job in seconds, and the progress, 0 to 1."""

    age: float
    progress: float


class Forecast:
    """What is known of one account's jobs."""

    def __init__(self) -> None:
        self._tables: OrderedDict[Profile, SurvivalTable] = OrderedDict()
        self._progress_errors: dict[str, list[deque[float]]] = {}
        """By model and per cent of reported progress: the true share of the duration, less the reported progress."""

    def passed(self, profile: Profile, before: float, age: float) -> None:
        """A job has aged from `before` to `age`, in seconds, and is still running."""
        for known in _with_wider(profile):
            self._table(known).passed(before, age)

    def ended(self, profile: Profile, before: float, age: float, views: Sequence[ProgressPoint] = ()) -> None:
        """A job has ended.

        Args:
            profile: The profile of the job.
            before: Its age when it was last seen running, in seconds.
            age: Its age at the end, in seconds.
            views: The progress that it reported.
        """
        for known in _with_wider(profile):
            self._table(known).ended(before, age)
        for seen in views:
            if 0 < seen.age <= age and seen.progress > 0:
                marks = self._progress_errors.setdefault(profile.model, [deque(maxlen=ERRORS_KEPT) for _ in range(101)])
                marks[round(100 * seen.progress)].append(seen.age / age - seen.progress)

    def knows(self, profile: Profile) -> bool:
        """Whether any job of this model has ended."""
        table = self._tables.get(Profile(profile.model))
        return table is not None and table.ends > 0

    def next_age(self, profile: Profile, age: float, views: Sequence[ProgressPoint] = ()) -> float | None:
        """The age at which a job that is still running is best queried next.

        Args:
            profile: The profile of the job.
            age: Its age now, in seconds.
            views: The progress that it reported, oldest first; the last may be of now.

        Returns:
            The age in seconds, at least `age`; None where nothing is known.
        """
        table = self._best_table(profile)
        if views and views[-1].age >= age - 0.001:
            wait = self._wait_by_progress(profile.model, table, views)
            if wait is not None:
                return age + wait
        return None if table is None else table.next_age(age)

    def _table(self, known: Profile) -> SurvivalTable:
        table = self._tables.get(known)
        if table is None:
            table = self._tables[known] = SurvivalTable()
            if len(self._tables) > MAX_PROFILES:
                self._tables.popitem(last=False)
        return table

    def _best_table(self, profile: Profile) -> SurvivalTable | None:
        found = None
        for known in _with_wider(profile):
            table = self._tables.get(known)
            if table is not None and table.ends:
                found = table
                if table.ends >= MIN_ENDED:
                    break
        return found

    def _wait_by_progress(
        self, model: str, table: SurvivalTable | None, views: Sequence[ProgressPoint]
    ) -> float | None:
        """Seconds to wait by the reported progress; None where that says nothing."""
        age, progress = views[-1]
        errors = self._errors_near(model, progress)
        if len(errors) < MIN_ERRORS:
            if progress < MIN_PROGRESS or age <= 0:
                return None
            wait = _by_own_progress(views)
            return min(pause([(wait * share, weight) for share, weight in UNPROVEN_FACTORS]), max(0.5 * age, 1.0))
        waits = [(age / min(1.0, max(0.01, progress + error)) - age, 1.0) for error in sorted(errors, reverse=True)]
        if table is not None and table.edges:
            # Progress and ended jobs both count; but this job may end at an age at which no other did.
            usual = 1 / max(table.edges[-1] - table.edges[0], 0.001)
            waits = [(wait, BASE_DENSITY + table.density(age + wait) / usual) for wait, _ in waits]
            # Where the progress does not advance it may be wrong: query when the slowest of the other jobs ended.
            return min(pause(waits), max(table.edges[-1] - age, 0.5 * age, 1.0))
        return min(pause(waits), max(0.5 * age, 1.0))

    def _errors_near(self, model: str, progress: float) -> list[float]:
        """The errors of the progress that other jobs reported near this one."""
        marks = self._progress_errors.get(model)
        if marks is None:
            return []
        middle = round(100 * progress)
        errors = list(marks[middle])
        for reach in range(1, NEAR + 1):
            if len(errors) >= ERRORS_WANTED:
                break
            for percent in (middle - reach, middle + reach):
                if 0 <= percent <= 100:
                    errors += marks[percent]
        return errors


def _by_own_progress(views: Sequence[ProgressPoint]) -> float:
    """Seconds until the end by a job's own progress, while the accuracy of the progress is unknown."""
    age, progress = views[-1]
    wait = age * (1 - progress) / progress
    before = next((seen for seen in views if 0 < seen.progress <= progress - MIN_PROGRESS), None)
    if before is not None:
        # Some begin at 50 %: the progress since the first report says more than the whole.
        wait = max(wait, (1 - progress) * (age - before.age) / (progress - before.progress))
    return wait


def _with_wider(profile: Profile) -> tuple[Profile, ...]:
    """The profile itself and its wider ones, the closest first."""
    return tuple(dict.fromkeys((profile, Profile(profile.model, profile.duration), Profile(profile.model))))
