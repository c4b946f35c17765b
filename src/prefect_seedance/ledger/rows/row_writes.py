"""The writes that transitions of a row share: its state, its attempt, and what they hold back of budget and limits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import LedgerError, SeedanceError, UnknownOutcome
from prefect_seedance.ledger.db.schema import attempts, rows, runs
from prefect_seedance.ledger.lease_time import LEASE_ENDED
from prefect_seedance.ledger.records import Charge
from prefect_seedance.ledger.rows import budget as commitments
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.spending import Payer, Purchase, held
from prefect_seedance.ledger.states import Outcome, Settlement, State
from prefect_seedance.messages import message

__all__ = [
    "CLEAR",
    "LONGEST",
    "SHARED_JOB",
    "UPDATE_ATTEMPT",
    "UPDATE_ROW",
    "answered",
    "error_columns",
    "evidence_of",
    "inserted_id",
    "is_held",
    "locked_row",
    "set_state",
    "settle",
    "taken_over",
    "update_commitment",
]

LONGEST = 2000
"""Characters of a provider's message that are stored."""

LARGEST = 2**63 - 1
"""The largest integer that a column can store."""

SHARED_JOB = "shared_job"
"""The code of a row that is held, since another row has the same job."""

_PUT_OFF = (State.DEFERRED, State.OVER_BUDGET)

# Statements for every row are built once: building takes SQLAlchemy longer than running them takes SQLite.
_THIS_ROW = rows.c.id == sa.bindparam("this_row")
_THIS_ATTEMPT = attempts.c.id == sa.bindparam("this_attempt")
UPDATE_ROW = sa.update(rows).where(_THIS_ROW)
UPDATE_ATTEMPT = sa.update(attempts).where(_THIS_ATTEMPT)
# Locked until the transaction ends (in SQLite the whole ledger is): what was checked must still hold when written.
_ROW = (
    sa.select(rows.c.key, rows.c.state, rows.c.error_code, rows.c.holder, rows.c.attempt_id, runs.c.buried_at)
    .select_from(rows.outerjoin(runs, rows.c.holder == runs.c.id))
    .where(_THIS_ROW)
    .with_for_update(of=rows)
)
_COMMITMENT = (
    sa.select(
        rows.c.batch_id,
        attempts.c.provider,
        attempts.c.account,
        attempts.c.sent_at,
        attempts.c.reserve_currency,
        attempts.c.settlement,
        attempts.c.charge,
        attempts.c.reserved,
    )
    .select_from(attempts.join(rows, attempts.c.row_id == rows.c.id))
    .where(_THIS_ATTEMPT)
)

CLEAR = {"error_kind": None, "error_code": None, "error_message": None, "absent_since": None}
"""What a row loses once it goes on: the last error, and that its job was absent."""


def locked_row(connection: sa.Connection, row_id: int) -> Any:
    """The row as it is now, locked until the transaction ends."""
    found = connection.execute(_ROW, {"this_row": row_id}).one_or_none()
    if found is None:
        raise LedgerError(message("ledger.no_row", id=row_id))
    return found


def taken_over(key: str) -> LedgerError:
    """The error for a row that another run holds, or may hold."""
    return LedgerError(message("ledger.row_taken_over"), code=LEASE_ENDED, row=key)


def is_held(connection: sa.Connection, run: Run, row_id: int) -> bool:
    """Whether a run still holds a row."""
    row = connection.execute(_ROW, {"this_row": row_id}).one_or_none()
    return row is not None and row.holder == run.id and row.buried_at is None


def set_state(connection: sa.Connection, row_id: int, to: State, **values: Any) -> None:
    """Write a row's next state. The caller must have checked the transition."""
    if to in _PUT_OFF:
        values["wanted_by"] = None  # left to a later run
    connection.execute(UPDATE_ROW, {"this_row": row_id, "state": to, "changed_at": now(), **values})


def answered(connection: sa.Connection, attempt_id: int, outcome: Outcome, **values: Any) -> None:
    """Record the outcome of an attempt."""
    update_commitment(connection, attempt_id, values["settlement"])
    answer = {"this_attempt": attempt_id, "outcome": outcome, "answered_at": now(), **values}
    connection.execute(UPDATE_ATTEMPT, answer)


def settle(connection: sa.Connection, row_id: int, charge: Charge) -> None:
    """Write what the latest attempt of a row has cost."""
    current = locked_row(connection, row_id).attempt_id
    update_commitment(connection, current, charge.settlement, charge.amount)
    # A count too large for the database is dropped; the charge, which is text, is kept.
    tokens = charge.tokens if charge.tokens is not None and charge.tokens <= LARGEST else None
    values = {"settlement": charge.settlement, "units": charge.units, "charge": charge.amount, "tokens": tokens}
    connection.execute(UPDATE_ATTEMPT, {"this_attempt": current, **values})


def update_commitment(
    connection: sa.Connection, attempt_id: int, settlement: Settlement, charge: Decimal | None = None
) -> None:
    """Update the sums of batch and account for an attempt that is about to be settled like this."""
    found = connection.execute(_COMMITMENT, {"this_attempt": attempt_id}).one_or_none()
    if found is not None:
        payer = Payer(found.provider, found.account)
        commitments.change(
            connection,
            Purchase(found.batch_id, payer, found.sent_at, found.reserve_currency),
            held(found.settlement, found.charge, found.reserved),
            held(settlement, charge, found.reserved),
        )


def inserted_id(made: sa.CursorResult[Any]) -> int:
    """The id of an inserted line."""
    key = made.inserted_primary_key
    if key is None:
        raise LedgerError(message("ledger.no_new_id"))
    return int(key[0])


def evidence_of(error: SeedanceError) -> dict[str, Any]:
    """The columns of an attempt for the provider's answer."""
    return {
        "http_status": error.http_status,
        "code": error.code,
        "message": error.message[:LONGEST],
        "request_id": error.request_id,
        "named_job": error.named_job if isinstance(error, UnknownOutcome) else None,
    }


def error_columns(error: SeedanceError) -> dict[str, str | None]:
    """The columns of a row for an error."""
    return {
        "error_kind": error.kind,
        "error_code": error.code,
        "error_message": error.message[:LONGEST],
    }
