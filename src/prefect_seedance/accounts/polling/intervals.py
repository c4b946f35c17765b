"""When to ask: a question costs something, and so does every second in which a job is done and we do not know it.

Both costs meet in one sum, and the moments that make it smallest are the best ones. That is the old problem of when to
inspect a machine that fails unseen (Barlow, Hunter and Proschan, 1963); being late counts by a higher power here,
because it is the long waits that hurt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

__all__ = ["blind_gap", "gap_for", "pause", "timetable"]

WIDTH = 0.5
"""Seconds between two questions, for a wait of one second on average; it grows with the root of the wait."""

LATE = 0.7
"""What a late second costs, cubed, in questions: where the progress of a job is told."""

AGAIN = 1.4
"""What it costs in questions, lateness included, to have to ask once more about a job that was about to end."""

SETTLING = 0.1
"""Seconds after the foreseen end: an answer needs some time to tell it."""


def gap_for(wait: float) -> float:
    """Seconds between two questions about jobs that last `wait` seconds more on average."""
    return WIDTH * math.sqrt(wait)


def blind_gap(age: float) -> float:
    """Seconds between two questions about a job of which only the age is known: it may take half as long again."""
    return gap_for(age / 2)


def timetable(edges: Sequence[float]) -> tuple[float, ...]:
    """The ages at which a job is best asked about, until it has ended.

    Args:
        edges: Cells of equal chance between which the age at its end lies, in rising order.
    """
    cells = len(edges) - 1
    # Counted from the first edge: third powers of large ages would swallow the differences.
    ends = [edge - edges[0] for edge in edges]
    middles = [(left + right) / 2 for left, right in pairwise(ends)]
    wait = sum(middles) / cells
    if wait <= 0:
        return (edges[-1],)
    late = 4 * wait / (3 * gap_for(wait) ** 4)
    sums, squares, cubes = ([0.0, *accumulate(middle**power for middle in middles)] for power in (1, 2, 3))
    best, following = [0.0] * (cells + 1), [cells] * (cells + 1)
    for start in range(cells - 1, -1, -1):
        least, choice = math.inf, cells
        for end in range(start + 1, cells + 1):
            at = ends[end]
            cost = late * (
                (end - start) * at**3
                - 3 * at * at * (sums[end] - sums[start])
                + 3 * at * (squares[end] - squares[start])
                - (cubes[end] - cubes[start])
            )
            if cost > least:
                break  # it only grows from here
            if cost + best[end] < least:
                least, choice = cost + best[end], end
        best[start], following[start] = least + cells - start, choice
    ages, place = [], 0
    while place < cells:
        place = following[place]
        ages.append(edges[place])
    return tuple(ages)


def pause(waits: Sequence[tuple[float, float]]) -> float:
    """Seconds until the best next question about a job that told its progress.

    Args:
        waits: Rising; seconds until its end, and how likely each is beside the others.
    """
    whole = sum(weight for _, weight in waits)
    least, choice = math.inf, waits[-1][0]
    count = total = square = cube = 0.0
    for at, weight in waits:
        count += weight
        total += weight * at
        square += weight * at * at
        cube += weight * at**3
        lateness = count * at**3 - 3 * at * at * total + 3 * at * square - cube
        cost = LATE * lateness / whole + AGAIN * (1 - (count - weight / 2) / whole)
        if cost < least:
            least, choice = cost, at
    return choice + SETTLING
