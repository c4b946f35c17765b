"""A life table of jobs: at each age, how many came so far, and how many of them ended there.

The table counts jobs that still run as far as they have come, so it is not misled where the quick ones of a batch have
ended and the slow ones have not (Kaplan and Meier, 1958).
"""

from __future__ import annotations

import bisect
import math

from prefect_seedance.accounts.polling.intervals import blind_gap, timetable

__all__ = ["SurvivalTable"]

YOUNGEST = 0.05
"""Seconds: the end of the first class of ages."""

STEP = 1.025
"""Each class is so much longer than the one before."""

CLASSES = 580
"""So the last one begins at about a day."""

KEPT = 200
"""Jobs that a class remembers; where there were more, each new one makes the old ones count less."""

FEW = 4
"""With fewer ends, nothing but the beginning can be told."""

SURPRISES = 3
"""Ends in a row far outside of all that was seen: then the provider has changed, and the past is forgotten."""

CELLS = 48
"""Into so many parts of equal chance the ends are cut."""


def class_of(age: float) -> int:
    """The class that an age belongs to."""
    if age <= YOUNGEST:
        return 0
    return min(CLASSES - 1, 1 + int(math.log(age / YOUNGEST) / math.log(STEP)))


def _ends_at(number: int) -> float:
    return YOUNGEST * STEP**number


class SurvivalTable:
    """How long jobs of one kind take."""

    def __init__(self) -> None:
        self.ends = 0
        self.first = math.inf
        """The shortest time that was seen, in seconds."""
        self.edges: list[float] = []
        """Cells of equal chance of the age at the end."""
        self.ages: tuple[float, ...] = ()
        """When to ask."""
        self._came = [0.0] * CLASSES
        self._ended = [0.0] * CLASSES
        self._last = 0.0
        self._surprises = self._since = 0

    def passed(self, before: float, age: float) -> None:
        """A job has come from one age to another, and still runs."""
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
        """Seconds until the end, all equally likely, of a job of an age; empty beyond what is known."""
        return [edge - age for edge in self.edges[bisect.bisect_right(self.edges, age) :]]

    def density(self, age: float) -> float:
        """How likely it is that a job ends just at an age, a second; 0 beyond what is known."""
        place = bisect.bisect_right(self.edges, age)
        if not 0 < place < len(self.edges):
            return 0.0
        return 1 / (CELLS * max(self.edges[place] - self.edges[place - 1], 0.001))

    def next_age(self, age: float) -> float | None:
        """When to ask next about a job of an age of which nothing else is known; None for an empty table."""
        if not self.ends:
            return None
        if not self.ages:
            # The few that have ended are the quick ones: they tell where it begins, and not where it stops.
            return max(self.first + 0.7 * blind_gap(self.first), age + blind_gap(age))
        # A question that is nearly due was as good as asked just now.
        place = bisect.bisect_right(self.ages, age + 0.25 * blind_gap(age))
        if place == len(self.ages):
            return age + blind_gap(age)
        # However long nothing was seen to end: what was never seen before may happen too.
        return min(self.ages[place], max(self.ages[0], 1.5 * age))

    def _count(self, start: int, end: int) -> None:
        came = self._came
        for number in range(start, min(end, CLASSES)):
            came[number] += 1.0
            if came[number] > KEPT:
                came[number] /= 2
                self._ended[number] /= 2

    def _plan(self) -> None:
        """Cut the ends into cells of equal chance, and find the best moments to ask."""
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
            # Those that still run: as many are taken to end in each second to come as did until now.
            seen = max(marks[-1][0] - first, 0.02 * first)
            span = min(max(left * seen / (1 - left), 0.02 * marks[-1][0]), marks[-1][0])
            marks.append((marks[-1][0] + span, 0.0))
        self.edges = _cells(marks[1:])
        self.ages = timetable(self.edges)


def _cells(marks: list[tuple[float, float]]) -> list[float]:
    """The ages between which the same share ends, of (age, share left) in falling order."""
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
