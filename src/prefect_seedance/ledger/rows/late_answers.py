"""Late answers: they come after the lease of their run expired, because this process was frozen.

They are recorded nevertheless, and settle the row where it is still unknown for want of them. Answers with a job are
recorded by `job_answers.named`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger.db.schema import attempts
from prefect_seedance.ledger.rows import row_writes
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.states import Outcome, Settlement, State
from prefect_seedance.messages import message

__all__ = ["refused", "withdrawn"]


def refused(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> bool:
    """Record a late answer without a job (see `transitions.refuse`).

    A proven refusal settles a row that is unknown for want of this answer. Where a person has resolved the row, or
    where the answer proves nothing, the attempt only keeps it as evidence.

    Returns:
        Whether the answer was late, and is recorded. If not, nothing is written.
    """
    evidence = row_writes.evidence_of(error)
    if to is State.UNKNOWN:
        return _settled(connection, run, row_id, attempt_id, None, to, evidence, {"error_message": error.message})
    return _settled(connection, run, row_id, attempt_id, Outcome.REFUSED, to, evidence, row_writes.error_columns(error))


def withdrawn(connection: sa.Connection, run: Run, row_id: int, attempt_id: int) -> bool:
    """Record late that the request of this attempt never left this process; returns the same as `refused`."""
    evidence = {"message": str(message("attempt.not_sent"))}
    return _settled(
        connection, run, row_id, attempt_id, Outcome.WITHDRAWN, State.PLANNED, evidence, dict(row_writes.CLEAR)
    )


def _settled(
    connection: sa.Connection,
    run: Run,
    row_id: int,
    attempt_id: int,
    outcome: Outcome | None,
    to: State,
    evidence: dict[str, Any],
    row_values: dict[str, Any],
) -> bool:
    row = row_writes.locked_row(connection, row_id)
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
    evidence = {**evidence, "message": both[: row_writes.LONGEST]}
    still_unknown = found.resolution is None and row.attempt_id == attempt_id and row.state is State.UNKNOWN
    if outcome is not None and still_unknown:
        row_writes.answered(connection, attempt_id, outcome, settlement=Settlement.NOTHING, **evidence)
        row_writes.set_state(connection, row_id, to, **row_values)
        return True
    connection.execute(sa.update(attempts).where(attempts.c.id == attempt_id).values(answered_at=now(), **evidence))
    if still_unknown:
        row_writes.set_state(connection, row_id, State.UNKNOWN, error_message=evidence["message"])
    return True
