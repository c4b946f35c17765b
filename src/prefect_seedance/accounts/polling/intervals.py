"""When to query a job: a query has a cost, and so has every second between the end of a job and the query that sees it.

The best times make the sum of both costs smallest. This is the problem of when to inspect a machine whose failure is
not visible (Barlow, Hunter and Proschan, 1963). The delay counts by its third power here: long delays do most harm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

__all__ = ["blind_gap", "gap_for", "pause", "timetable"]

WIDTH = 0.5
"""Seconds between two queries, for a wait of one second on average; it grows with the square root of the wait."""

LATE = 0.7
"""Cost of one second of delay, cubed, in queries, for a job that reports its progress."""

AGAIN = 1.4
"""Cost, in queries and including the delay, of one more query for a job that was about to end."""

SETTLING = 0.1
"""Seconds after the expected end: the provider reports it with some delay."""


def gap_for(wait: float) -> float:
    """Seconds between two queries of jobs that last `wait` seconds more on average."""
    return WIDTH * math.sqrt(wait)


def blind_gap(age: float) -> float:
    """Seconds between two queries of a job of which only the age is known: it may take half as long again."""
    return gap_for(age / 2)


def timetable(edges: Sequence[float]) -> tuple[float, ...]:
    """The ages, in seconds, at which a job is best queried until it has ended.

    Args:
        edges: Edges of cells of equal probability for the age at its end, ascending.
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
    """Seconds until the best next query of a job that reports its progress.

    Args:
        waits: Ascending; seconds until its end, each with its weight.
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
