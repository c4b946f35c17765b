"""Adopts the job of a row that this run was about to send, or to leave: a late answer has named it (law 7)."""

from __future__ import annotations

from prefect_seedance.engine.row import Row
from prefect_seedance.engine.row_loader import as_made
from prefect_seedance.errors import SeedanceError, UnknownOutcome
from prefect_seedance.ledger import State

__all__ = ["adopted", "leave"]


async def leave(row: Row, error: SeedanceError, state: State) -> None:
    """Record why a row is not sent; a row that has a job by now is adopted instead, and is `created` afterwards."""
    if await row.session.ledger.leave(row.session.run, row.id, error, state):
        row.set_state(state, error.message)
    else:
        await adopted(row)


async def adopted(row: Row) -> bool:
    """Whether the row, for which nothing may be sent, has a job by now; it is this run's to poll then.

    Raises:
        UnknownOutcome: Another row has the same job, so that both wait for a person.
    """
    record = await row.record()
    if record.state is State.UNKNOWN:
        row.fallback.moving = False
        row.set_state(State.UNKNOWN, record.error_message)
        raise UnknownOutcome(record.error_message or "", code=record.error_code, row=row.key)
    if record.state is not State.CREATED:
        return False
    row.adopt(record, as_made(record, row.fallback.candidates, row.session.context.routes))
    return True
