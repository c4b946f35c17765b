"""The moves of a row: each one checks that it is lawful, and writes row and attempt in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from prefect_seedance.errors import LedgerError, SeedanceError
from prefect_seedance.ledger.holders import Run, now
from prefect_seedance.ledger.records import Charge, Intent, Proof
from prefect_seedance.ledger.schema import attempts, rows
from prefect_seedance.ledger.states import MOVES, Outcome, Settlement, State

__all__ = [
    "created",
    "expire",
    "fail",
    "fail_gone",
    "intend",
    "prove",
    "put_off",
    "refetch",
    "refuse",
    "store",
    "succeed",
    "withdraw",
]

LONGEST = 2000
"""Characters of a provider's message that are kept."""

CLEAR = {"error_kind": None, "error_code": None, "error_message": None}


def intend(connection: sa.Connection, run: Run, intent: Intent) -> int:
    """Write down a create before it is sent; returns the attempt's id. This is the line that law 1 is about."""
    number = sa.select(sa.func.coalesce(sa.func.max(attempts.c.number), 0) + 1).where(
        attempts.c.row_id == intent.row_id
    )
    made = connection.execute(
        sa.insert(attempts).values(
            row_id=intent.row_id,
            number=number.scalar_subquery(),
            run_id=run.id,
            provider=intent.provider,
            account=intent.account,
            model=intent.model,
            fingerprint=intent.fingerprint,
            sent_at=now(),
            outcome=Outcome.SENT,
            billing_model=intent.billing_model,
            unit=intent.unit,
            unit_price=intent.unit_price,
            currency=intent.currency,
            quote_low=intent.quote_low,
            quote_high=intent.quote_high,
            settlement=Settlement.OPEN,
        )
    )
    attempt_id = inserted_id(made)
    move(connection, run, intent.row_id, State.SENT, attempt_id=attempt_id, account=intent.account, **CLEAR)
    return attempt_id


def inserted_id(made: sa.CursorResult[Any]) -> int:
    """The id that the database gave to a new line."""
    key = made.inserted_primary_key
    if key is None:
        raise LedgerError("The database did not tell the id of a new line.")
    return int(key[0])


def withdraw(connection: sa.Connection, run: Run, row_id: int, attempt_id: int) -> None:
    """The request of this attempt never left this process."""
    _answer(connection, attempt_id, Outcome.WITHDRAWN, settlement=Settlement.NOTHING)
    move(connection, run, row_id, State.PLANNED)


def created(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, *, job_id: str, **evidence: Any) -> None:
    """The provider accepted; the job is known."""
    _answer(connection, attempt_id, Outcome.CREATED, job_id=job_id, **evidence)
    move(connection, run, row_id, State.CREATED)


def refuse(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> None:
    """The provider refused, or was never reached (`deferred`, `refused`), or nothing can be proven (`unknown`)."""
    lost = to is State.UNKNOWN
    _answer(
        connection,
        attempt_id,
        Outcome.UNKNOWN if lost else Outcome.REFUSED,
        settlement=Settlement.UNKNOWN if lost else Settlement.NOTHING,
        http_status=error.http_status,
        code=error.code,
        message=error.message[:LONGEST],
        request_id=error.request_id,
    )
    move(connection, run, row_id, to, **_told(error))


def put_off(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError) -> None:
    """The row is not sent now, because its account cannot serve it; a later run takes it."""
    move(connection, run, row_id, State.DEFERRED, **_told(error))


def succeed(
    connection: sa.Connection, run: Run, row_id: int, charge: Charge, *, link_expires_at: datetime | None
) -> None:
    """The job has made a video; its charge is settled now, before anything is downloaded."""
    _settle(connection, row_id, charge)
    move(connection, run, row_id, State.SUCCEEDED, finished_at=now(), link_expires_at=link_expires_at, **CLEAR)


def fail(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """The job failed at the provider."""
    _settle(connection, row_id, charge)
    move(connection, run, row_id, State.FAILED, finished_at=now(), **_told(error))


def fail_gone(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """The provider no longer knows the job, and never said how it ended."""
    _settle(connection, row_id, charge)
    move(connection, run, row_id, State.EXPIRED, **_told(error))


def expire(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError) -> None:
    """Made and paid, but the provider no longer has it."""
    move(connection, run, row_id, State.EXPIRED, **_told(error))


def prove(connection: sa.Connection, run: Run, row_id: int, proof: Proof) -> None:
    """The file is whole: its hash and size are written before it is renamed into place."""
    _held(connection, run, row_id, {State.SUCCEEDED})
    connection.execute(
        sa.update(rows)
        .where(rows.c.id == row_id)
        .values(
            path=proof.path,
            sha256=proof.sha256,
            bytes=proof.bytes,
            width=proof.width,
            height=proof.height,
            seconds=proof.seconds,
            changed_at=now(),
        )
    )


def store(connection: sa.Connection, run: Run, row_id: int, *, modified_ns: int) -> None:
    """The proven file stands in its place."""
    move(connection, run, row_id, State.STORED, stored_at=now(), modified_ns=modified_ns, **CLEAR)


def refetch(connection: sa.Connection, run: Run, row_id: int) -> None:
    """A stored file is gone or changed: it is to be fetched again."""
    move(connection, run, row_id, State.SUCCEEDED)


def move(connection: sa.Connection, run: Run, row_id: int, to: State, **values: Any) -> None:
    """Move a row that `run` holds, if that is lawful.

    Raises:
        LedgerError: The move is not lawful, or the row is not held by this run (its lease was lost).
    """
    lawful = {state for state, following in MOVES.items() if to in following}
    _held(connection, run, row_id, lawful, to)
    connection.execute(sa.update(rows).where(rows.c.id == row_id).values(state=to, changed_at=now(), **values))


def _held(connection: sa.Connection, run: Run, row_id: int, states: set[State], to: State | None = None) -> None:
    found = connection.execute(
        sa.select(rows.c.key, rows.c.state, rows.c.holder).where(rows.c.id == row_id)
    ).one_or_none()
    if found is None:
        raise LedgerError(f"The ledger has no row with the id {row_id}.")
    if found.holder != run.id:
        raise LedgerError("The row is no longer held by this run; another one has taken it over.", row=found.key)
    if found.state not in states:
        raise LedgerError(f"A row cannot go from {found.state!r} to {str(to or found.state)!r}.", row=found.key)


def _answer(connection: sa.Connection, attempt_id: int, outcome: Outcome, **values: Any) -> None:
    connection.execute(
        sa.update(attempts).where(attempts.c.id == attempt_id).values(outcome=outcome, answered_at=now(), **values)
    )


def _settle(connection: sa.Connection, row_id: int, charge: Charge) -> None:
    current = sa.select(rows.c.attempt_id).where(rows.c.id == row_id).scalar_subquery()
    connection.execute(
        sa.update(attempts)
        .where(attempts.c.id == current)
        .values(settlement=charge.settlement, units=charge.units, charge=charge.amount, tokens=charge.tokens)
    )


def _told(error: SeedanceError) -> dict[str, str | None]:
    return {
        "error_kind": type(error).__name__,
        "error_code": error.code,
        "error_message": error.message[:LONGEST],
    }
