"""Which rows of a batch the contact sheet shows: all, or of very many first those that a person has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prefect_seedance.ledger import AttemptRecord, Ledger, RowRecord, RowSummary, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.planning.plan import BatchPlan

__all__ = ["SHOWN", "first_shown", "in_full"]

SHOWN = 5000
"""Rows that one contact sheet shows: browsers cannot open a page with a hundred thousand."""

QUIET = frozenset({State.STORED, State.PLANNED})
"""States of rows that need no attention."""


def first_shown(states: Mapping[str, str], shown: int) -> set[str]:
    """The keys of the rows that are shown, given the state of each: those that need a look, then the others."""
    return set(sorted(states, key=lambda key: states[key] in QUIET)[:shown]) if len(states) > shown else set(states)


async def in_full(
    ledger_url: str, summaries: Sequence[RowSummary], plan: BatchPlan, take: str
) -> tuple[list[RowRecord], list[AttemptRecord]]:
    """Read the full records of the rows that the sheet shows, in their order, and all their attempts.

    Args:
        ledger_url: The ledger.
        summaries: The rows of all takes of the batch.
        plan: The checked table; its rows that break a rule are shown, too.
        take: The take of the run.
    """
    states: dict[str, str] = {row.key: row.state for row in summaries}
    states |= _of_take(summaries, take)
    states |= {row.key: "invalid" for row in plan.invalid}
    keys = first_shown(states, SHOWN)
    ids = [row.id for row in summaries if row.key in keys]
    ledger = await Ledger.open(ledger_url)
    try:
        known = await ledger.read(lookups.rows_by_id, ids)
        return [known[row_id] for row_id in ids if row_id in known], await ledger.read(lookups.attempts_of_rows, ids)
    finally:
        await ledger.close()


def _of_take(summaries: Iterable[RowSummary], take: str) -> dict[str, str]:
    """The states of the rows in this run's take, which take precedence over those of other takes."""
    return {row.key: row.state for row in summaries if row.kind.take == take}
