"""When a job will be done: learned from those that have ended, and from the progress that some providers tell."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

from prefect_seedance.accounts.polling.intervals import pause
from prefect_seedance.accounts.polling.survival import SurvivalTable

__all__ = ["Forecast", "Profile", "Seen"]

ENOUGH = 8
"""So many must have ended before a kind is judged by its own; until then it is judged with its relatives."""

KINDS = 256
"""Kinds that are remembered."""

NEAR = 8
"""Per cent: what other jobs told so close to a progress is heard."""

HEARD = 12
"""Values that are kept of each per cent of progress."""

WANTED = 24
"""Values that are looked for around a progress."""

PROVEN = 5
"""With fewer of them, nobody knows how honest the progress is."""

NEARLY = 0.1
"""As progress alone, less than this tells nothing."""

DOUBT = ((0.6, 0.5), (0.8, 1.0), (0.95, 2.0), (1.05, 2.0), (1.2, 1.0), (1.5, 0.5))
"""How long it may take beside what an unproven progress says, and how likely each is."""

UNEVEN = 0.1
"""How likely it is that a job ends where none did so far, beside the usual."""


class Profile(NamedTuple):
    """What a job's length hangs on."""

    model: str
    duration: int | None = None
    resolution: str | None = None


class Seen(NamedTuple):
    """A progress that was told: at which age of the job, in seconds, and how much, 0 to 1."""

    age: float
    progress: float


class Forecast:
    """What is known of one account's jobs."""

    def __init__(self) -> None:
        self._tables: OrderedDict[Profile, SurvivalTable] = OrderedDict()
        self._told: dict[str, list[deque[float]]] = {}

    def passed(self, profile: Profile, before: float, age: float) -> None:
        """A job has come from one age to another, in seconds, and still runs."""
        for kind in _relatives(profile):
            self._table(kind).passed(before, age)

    def ended(self, profile: Profile, before: float, age: float, views: Sequence[Seen] = ()) -> None:
        """A job has ended.

        Args:
            profile: What kind of job it was.
            before: Its age when it was last seen running, in seconds.
            age: Its age at the end, in seconds.
            views: What it told of its progress on the way.
        """
        for kind in _relatives(profile):
            self._table(kind).ended(before, age)
        for seen in views:
            if 0 < seen.age <= age and seen.progress > 0:
                marks = self._told.setdefault(profile.model, [deque(maxlen=HEARD) for _ in range(101)])
                marks[round(100 * seen.progress)].append(seen.age / age - seen.progress)

    def knows(self, profile: Profile) -> bool:
        """Whether any job of this model has ended."""
        table = self._tables.get(Profile(profile.model))
        return table is not None and table.ends > 0

    def next_age(self, profile: Profile, age: float, views: Sequence[Seen] = ()) -> float | None:
        """The age at which a job that is still running is best asked about next.

        Args:
            profile: What kind of job it is.
            age: Its age now, in seconds.
            views: What it told of its progress, oldest first; the last may be of now.

        Returns:
            The age in seconds, at least `age`; None where nothing is known.
        """
        table = self._of(profile)
        if views and views[-1].age >= age - 0.001:
            told_wait = self._wait(profile.model, table, views)
            if told_wait is not None:
                return age + told_wait
        return None if table is None else table.next_age(age)

    def _table(self, kind: Profile) -> SurvivalTable:
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = SurvivalTable()
            if len(self._tables) > KINDS:
                self._tables.popitem(last=False)
        return table

    def _of(self, profile: Profile) -> SurvivalTable | None:
        found = None
        for kind in _relatives(profile):
            table = self._tables.get(kind)
            if table is not None and table.ends:
                found = table
                if table.ends >= ENOUGH:
                    break
        return found

    def _wait(self, model: str, table: SurvivalTable | None, views: Sequence[Seen]) -> float | None:
        """Seconds to wait by what the job told; None where that says nothing."""
        age, progress = views[-1]
        offs = self._heard(model, progress)
        if len(offs) < PROVEN:
            if progress < NEARLY or age <= 0:
                return None
            wait = _by_itself(views)
            return min(pause([(wait * share, weight) for share, weight in DOUBT]), max(0.5 * age, 1.0))
        waits = [(age / min(1.0, max(0.01, progress + off)) - age, 1.0) for off in sorted(offs, reverse=True)]
        if table is not None and table.edges:
            # What both say counts; but what the others never did, this one may.
            usual = 1 / max(table.edges[-1] - table.edges[0], 0.001)
            waits = [(wait, UNEVEN + table.density(age + wait) / usual) for wait, _ in waits]
            # One that stands still may never have told the truth: it is asked when the slowest of the others ended.
            return min(pause(waits), max(table.edges[-1] - age, 0.5 * age, 1.0))
        return min(pause(waits), max(0.5 * age, 1.0))

    def _heard(self, model: str, progress: float) -> list[float]:
        """How far others were from what they told, when they told about the same."""
        marks = self._told.get(model)
        if marks is None:
            return []
        middle = round(100 * progress)
        offs = list(marks[middle])
        for reach in range(1, NEAR + 1):
            if len(offs) >= WANTED:
                break
            for place in (middle - reach, middle + reach):
                if 0 <= place <= 100:
                    offs += marks[place]
        return offs


def _by_itself(views: Sequence[Seen]) -> float:
    """Seconds until the end by a job's own progress, as long as nobody knows how honest it is."""
    age, progress = views[-1]
    wait = age * (1 - progress) / progress
    before = next((seen for seen in views if 0 < seen.progress <= progress - NEARLY), None)
    if before is not None:
        # Some begin at 50 %: the way since the first time says more than the whole.
        wait = max(wait, (1 - progress) * (age - before.age) / (progress - before.progress))
    return wait


def _relatives(profile: Profile) -> tuple[Profile, ...]:
    """The kind itself and its wider families, the closest first."""
    return tuple(dict.fromkeys((profile, Profile(profile.model, profile.duration), Profile(profile.model))))
