"""Which rows of a batch are told of in full: all of them, or of very many those first that need a look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prefect_seedance.jobs.preparing import Preparation
from prefect_seedance.ledger import Standing, State

__all__ = ["SHOWN", "first_shown", "shown_ids"]

SHOWN = 5000
"""Rows that one contact sheet shows: no browser opens the page of a hundred thousand, nor does anybody look at them."""

CALM = frozenset({State.STORED, State.PLANNED})
"""States of rows that nobody need look at."""


def first_shown(states: Mapping[str, str], shown: int) -> set[str]:
    """The keys of the rows that are shown, given the state of each: those that need a look, then the others."""
    return set(sorted(states, key=lambda key: states[key] in CALM)[:shown]) if len(states) > shown else set(states)


def shown_ids(standings: Sequence[Standing], found: Preparation, take: str) -> list[int]:
    """The ids of the rows that are told of in full, in their order: all takes of the keys that are shown."""
    states: dict[str, str] = {row.key: row.state for row in standings}
    states |= _of_take(standings, take)
    states |= {row.key: "invalid" for row in found.invalid}
    keys = first_shown(states, SHOWN)
    return [row.id for row in standings if row.key in keys]


def _of_take(standings: Iterable[Standing], take: str) -> dict[str, str]:
    """What this run was asked for counts, whatever became of a later take."""
    return {row.key: row.state for row in standings if row.kind.take == take}
