"""Settles an unknown outcome as a person states it; the recorded evidence stays unchanged."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError, LedgerError
from prefect_seedance.ledger.db.schema import attempts, rows
from prefect_seedance.ledger.records import RowRecord
from prefect_seedance.ledger.rows import leases, lookups, row_writes
from prefect_seedance.ledger.states import Settlement, State
from prefect_seedance.messages import message

__all__ = ["Verdict", "resolve", "resolve_many"]

Verdict = Literal["not_made", "lost", "job"]
"""`not_made`: nothing was made or charged. `lost`: it was made and paid, and is gone. `job`: its job id is known."""


def resolve(
    connection: sa.Connection,
    row: RowRecord,
    verdict: Verdict,
    *,
    job_id: str | None = None,
    charge: Decimal | None = None,
) -> None:
    """Settle an unknown row.

    Args:
        connection: An open writing transaction.
        row: The row.
        verdict: What the person found out.
        job_id: The provider's id of the job, for `job`.
        charge: What it cost, for `lost`; None leaves the amount unknown.

    Raises:
        InputError: There is nothing to resolve, the job id is missing, or the job belongs to another row.
        LedgerError: A live run holds the row.
    """
    if row.attempt is None or row.state not in _resolvable(row, verdict):
        raise InputError(message("resolve.not_unknown", state=row.state.value), row=row.key)
    batch_id = connection.execute(sa.select(rows.c.batch_id).where(rows.c.id == row.id)).scalar_one()
    leases.end_dead_leases(connection, batch_id)
    select = sa.select(rows.c.state, rows.c.holder).where(rows.c.id == row.id)
    current = connection.execute(select.with_for_update()).one()
    if current.holder is not None or current.state is not row.state:
        raise LedgerError(message("resolve.row_in_use"), row=row.key)
    if verdict == "job":
        _adopt(connection, row, row.attempt.id, (job_id or "").strip())
    elif verdict == "lost":
        _note(connection, row.attempt.id, Settlement.CHARGED, verdict, charge=charge)
        reason = str(message("resolve.lost"))
        row_writes.set_state(
            connection, row.id, State.FAILED, error_kind="lost", error_code="lost", error_message=reason
        )
    else:
        _note(connection, row.attempt.id, Settlement.NOTHING, verdict)
        row_writes.set_state(connection, row.id, State.PLANNED, **row_writes.CLEAR)


def _resolvable(row: RowRecord, verdict: Verdict) -> frozenset[State]:
    """The states in which a person's verdict counts.

    A job can be named for an unknown row, and for an expired one, which is asked about again. As long as its job was
    named by a person, it can be named again: the id may have been mistyped. A job that never ends can be called lost.
    """
    states = {State.UNKNOWN}
    if verdict == "lost":
        states.add(State.CREATED)
    if verdict == "job":
        states.add(State.EXPIRED)
        if row.attempt is not None and (row.attempt.resolution or "").startswith("job "):
            states |= {State.CREATED, State.FAILED}
    return frozenset(states)


def resolve_many(
    connection: sa.Connection, records: Mapping[int, RowRecord], verdict: Verdict, charges: Mapping[int, Decimal | None]
) -> int:
    """Settle several unknown rows alike. Rows that a live run holds, or that were settled meanwhile, are left alone.

    Args:
        connection: An open writing transaction.
        records: The rows, by id.
        verdict: What the person found out; not `job`.
        charges: By row: what it cost, for `lost`.

    Returns:
        How many were settled.
    """
    settled = 0
    for row_id, record in records.items():
        with contextlib.suppress(LedgerError, InputError):  # raised before anything is written
            resolve(connection, record, verdict, charge=charges.get(row_id))
            settled += 1
    return settled


def _adopt(connection: sa.Connection, row: RowRecord, attempt_id: int, job_id: str) -> None:
    if not job_id:
        raise InputError(message("resolve.job_id_missing"), row=row.key)
    # Its own job may be named again; that of any other attempt is taken. A row that is held since it shares the job
    # does not own it, nor does an attempt that a person settled as not made.
    owns = sa.or_(rows.c.state != State.UNKNOWN, rows.c.error_code.is_distinct_from(row_writes.SHARED_JOB))
    same = sa.and_(
        attempts.c.job_id == job_id,
        attempts.c.provider == row.provider,
        attempts.c.settlement != Settlement.NOTHING,
        attempts.c.id != attempt_id,
        owns,
    )
    owner = connection.execute(
        sa.select(rows.c.key).select_from(attempts.join(rows, attempts.c.row_id == rows.c.id)).where(same)
    ).scalar()
    if owner is not None:
        raise InputError(message("resolve.job_taken", job=job_id, owner=owner), row=row.key)
    _note(connection, attempt_id, Settlement.OPEN, f"job {job_id}", job_id=job_id)
    row_writes.set_state(connection, row.id, State.CREATED, **row_writes.CLEAR)


def _note(connection: sa.Connection, attempt_id: int, settlement: Settlement, resolution: str, **values: Any) -> None:
    values = {"charge": None, "units": None, "tokens": None, **values}  # a held row may have been charged already
    row_writes.update_commitment(connection, attempt_id, settlement, values["charge"])
    connection.execute(
        sa.update(attempts)
        .where(attempts.c.id == attempt_id)
        .values(settlement=settlement, resolution=resolution, resolved_at=now(), **values)
    )


def find(connection: sa.Connection, batch: str, take: str, key: str) -> RowRecord:
    """The row to resolve.

    Raises:
        InputError: There is no such row.
    """
    row = lookups.row_by_key(connection, batch, take, key)
    if row is None:
        raise InputError(message("resolve.no_row", batch=batch, take=take, key=key))
    return row
