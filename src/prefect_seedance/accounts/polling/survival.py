"""A life table of jobs: how many jobs reached each age, and how many of them ended there.

The table counts running jobs up to their present age, so it is not biased where the quick jobs of a batch have ended
and the slow ones have not (Kaplan and Meier, 1958).
"""

from __future__ import annotations

import bisect
import math

from prefect_seedance.accounts.polling.intervals import blind_gap, timetable

__all__ = ["SurvivalTable"]

YOUNGEST = 0.05
"""Seconds: the end of the first class of ages."""

STEP = 1.025
"""Factor by which each class is longer than the one before."""

CLASSES = 580
"""Number of classes; the last one begins at about a day."""

KEPT = 200
"""Jobs that a class counts; beyond that, each new one makes the old ones count less."""

FEW = 4
"""With fewer ended jobs only the shortest duration can be estimated."""

SURPRISES = 3
"""Ends in a row far outside the known range: the provider has changed, and the table starts again."""

CELLS = 48
"""Number of cells of equal probability for the age at the end."""


def class_of(age: float) -> int:
    """The class that an age belongs to."""
    if age <= YOUNGEST:
        return 0
    return min(CLASSES - 1, 1 + int(math.log(age / YOUNGEST) / math.log(STEP)))


def _ends_at(number: int) -> float:
    return YOUNGEST * STEP**number


class SurvivalTable:
    """How long jobs of one profile take."""

    def __init__(self) -> None:
        self.ends = 0
        self.first = math.inf
        """The shortest duration so far, in seconds."""
        self.edges: list[float] = []
        """Edges of cells of equal probability for the age at the end, in seconds."""
        self.ages: tuple[float, ...] = ()
        """The ages at which to query, in seconds."""
        self._came = [0.0] * CLASSES
        self._ended = [0.0] * CLASSES
        self._last = 0.0
        self._surprises = self._since = 0

    def passed(self, before: float, age: float) -> None:
        """A job has aged from `before` to `age`, and is still running."""
        self._count(class_of(before) if before > 0 else 0, class_of(age))

    def ended(self, before: float, age: float) -> None:
        """A job that was seen running at the age `before` has ended at `age`."""
        if self.ends and not 0.7 * self.first <= age <= 1.4 * self._last:
            self._surprises += 1
        else:
            self._surprises = 0
        if self._surprises >= SURPRISES and self.ends > 2 * SURPRISES:
            self.__init__()  # type: ignore[misc]
        number = class_of(age)
        self._count(class_of(before) if before > 0 else 0, number + 1)
        self._ended[number] += 1.0
        self.ends += 1
        self.first, self._last = min(self.first, age), max(self._last, age)
        self._since += 1
        if self.ends >= FEW and self._since >= min(self.ends / 6, KEPT / 4):
            self._since = 0
            self._plan()

    def waits(self, age: float) -> list[float]:
        """Seconds until the end of a job of this age, all equally likely; empty beyond the known range."""
        return [edge - age for edge in self.edges[bisect.bisect_right(self.edges, age) :]]

    def density(self, age: float) -> float:
        """The probability density, per second, that a job ends at this age; 0 beyond the known range."""
        place = bisect.bisect_right(self.edges, age)
        if not 0 < place < len(self.edges):
            return 0.0
        return 1 / (CELLS * max(self.edges[place] - self.edges[place - 1], 0.001))

    def next_age(self, age: float) -> float | None:
        """The age of the next query of a job of which only the age is known; None for an empty table."""
        if not self.ends:
            return None
        if not self.ages:
            # The few ended jobs are the quick ones: they show the shortest duration, and not the longest.
            return max(self.first + 0.7 * blind_gap(self.first), age + blind_gap(age))
        # A query that is nearly due is covered by the one just made.
        place = bisect.bisect_right(self.ages, age + 0.25 * blind_gap(age))
        if place == len(self.ages):
            return age + blind_gap(age)
        # Even in a long range without ended jobs, a job may end.
        return min(self.ages[place], max(self.ages[0], 1.5 * age))

    def _count(self, start: int, end: int) -> None:
        came = self._came
        for number in range(start, min(end, CLASSES)):
            came[number] += 1.0
            if came[number] > KEPT:
                came[number] /= 2
                self._ended[number] /= 2

    def _plan(self) -> None:
        """Divide the ends into cells of equal probability, and find the best times to query."""
        marks, left = [(0.0, 1.0)], 1.0
        first: float | None = None
        for number in range(class_of(self._last) + 1):
            if self._ended[number] <= 0:
                continue
            begin = max(_ends_at(number - 1) if number else 0.0, 0.99 * self.first)
            first = begin if first is None else first
            marks.append((begin, left))
            left *= max(0.0, 1 - self._ended[number] / max(self._came[number], self._ended[number]))
            marks.append((_ends_at(number), left))
        if first is None:
            return
        if left > 0:
            # Running jobs are assumed to end at the same rate as the jobs so far.
            seen = max(marks[-1][0] - first, 0.02 * first)
            span = min(max(left * seen / (1 - left), 0.02 * marks[-1][0]), marks[-1][0])
            marks.append((marks[-1][0] + span, 0.0))
        self.edges = _cells(marks[1:])
        self.ages = timetable(self.edges)


def _cells(marks: list[tuple[float, float]]) -> list[float]:
    """The ages between which equal shares end, from points of (age, share left) in descending share."""
    edges = [marks[0][0]]
    place = 0
    for number in range(1, CELLS + 1):
        wanted = 1 - number / CELLS
        while place < len(marks) - 2 and marks[place + 1][1] > wanted + 1e-12:
            place += 1
        (begin, high), (end, low) = marks[place], marks[place + 1]
        share = min(1.0, (high - wanted) / (high - low)) if high > low else 1.0
        edges.append(max(edges[-1], begin + share * (end - begin)))
    return edges
