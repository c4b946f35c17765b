"""Answers that come after their row was given up: this process was frozen, and another machine took it for dead.

What they prove is written down all the same, and settles the row where it waits for nothing else. A job that was made
has a way of its own, `moves.created`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger.db.schema import attempts
from prefect_seedance.ledger.rows import transitions
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.states import Outcome, Settlement, State
from prefect_seedance.messages import message

__all__ = ["refused", "withdrawn"]


def refused(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> bool:
    """A create brought no job (see `moves.refuse`), and its row may have been given up meanwhile.

    A proven refusal settles a row that is unknown for want of this very answer. Where a person has settled it, or
    where the answer proves nothing, the attempt only keeps it as evidence.

    Returns:
        Whether the row was given up, and all is written; if not, nothing is.
    """
    evidence = transitions.evidence_of(error)
    if to is State.UNKNOWN:
        return _settled(connection, run, row_id, attempt_id, None, to, evidence, {"error_message": error.message})
    return _settled(
        connection, run, row_id, attempt_id, Outcome.REFUSED, to, evidence, transitions.error_columns(error)
    )


def withdrawn(connection: sa.Connection, run: Run, row_id: int, attempt_id: int) -> bool:
    """The request of this attempt never left this process, and its row may have been given up; as for `refused`."""
    evidence = {"message": str(message("attempt.not_sent"))}
    return _settled(
        connection, run, row_id, attempt_id, Outcome.WITHDRAWN, State.PLANNED, evidence, dict(transitions.CLEAR)
    )


def _settled(
    connection: sa.Connection,
    run: Run,
    row_id: int,
    attempt_id: int,
    outcome: Outcome | None,
    to: State,
    evidence: dict[str, Any],
    text: dict[str, Any],
) -> bool:
    row = transitions.locked_row(connection, row_id)
    waiting = sa.and_(
        attempts.c.id == attempt_id,
        attempts.c.row_id == row_id,
        attempts.c.run_id == run.id,
        attempts.c.outcome == Outcome.UNKNOWN,
        attempts.c.answered_at.is_(None),
    )
    found = connection.execute(sa.select(attempts.c.resolution, attempts.c.message).where(waiting)).one_or_none()
    if found is None:
        return False
    both = str(message("attempt.answered_late", before=found.message or "", answer=evidence["message"])).strip()
    evidence = {**evidence, "message": both[: transitions.LONGEST]}
    open_still = found.resolution is None and row.attempt_id == attempt_id and row.state is State.UNKNOWN
    if outcome is not None and open_still:
        transitions.answered(connection, attempt_id, outcome, settlement=Settlement.NOTHING, **evidence)
        transitions.set_state(connection, row_id, to, **text)
        return True
    connection.execute(sa.update(attempts).where(attempts.c.id == attempt_id).values(answered_at=now(), **evidence))
    if open_still:
        transitions.set_state(connection, row_id, State.UNKNOWN, error_message=evidence["message"])
    return True
