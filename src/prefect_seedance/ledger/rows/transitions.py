"""The transitions of a row: each checks that it is allowed, and writes row and attempt in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import LedgerError, OverBudget, SeedanceError, UnknownOutcome
from prefect_seedance.ledger.db.schema import attempts, rows
from prefect_seedance.ledger.records import Charge, Intent, Proof
from prefect_seedance.ledger.rows import budget as commitments
from prefect_seedance.ledger.rows import spending
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.row_writes import (
    CLEAR,
    LONGEST,
    SHARED_JOB,
    UPDATE_ATTEMPT,
    UPDATE_ROW,
    answered,
    error_columns,
    evidence_of,
    inserted_id,
    locked_row,
    set_state,
    settle,
    taken_over,
    update_commitment,
)
from prefect_seedance.ledger.rows.spending import NOTHING, Payer, Purchase, held
from prefect_seedance.ledger.states import TAKEABLE, TRANSITIONS, Outcome, Settlement, State
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit

__all__ = [
    "absent",
    "expire",
    "fail",
    "fail_gone",
    "intend",
    "prove",
    "put_off",
    "refetch",
    "refuse",
    "reject",
    "remark",
    "reuse",
    "revive",
    "store",
    "succeed",
    "withdraw",
]

_NEW_ATTEMPT = sa.insert(attempts).values(
    number=sa.select(sa.func.coalesce(sa.func.max(attempts.c.number), 0) + 1)
    .where(attempts.c.row_id == sa.bindparam("this_row"))
    .scalar_subquery()
)


def intend(
    connection: sa.Connection,
    run: Run,
    intent: Intent,
    budget: Amount | None = None,
    limits: Sequence[SpendingLimit] = (),
) -> int | None:
    """Record a create before it is sent, and reserve its worst-case cost (law 1).

    Args:
        connection: An open writing transaction.
        run: The run that holds the row.
        intent: The create.
        budget: What the batch may cost.
        limits: The spending limits of the account that pays.

    Returns:
        The attempt's id; None where the worst case does not fit: the row is `over_budget` then, and says why.
    """
    _held(connection, run, intent.row_id, TAKEABLE, State.SENT)
    reserve, sent_at = intent.reserve, now()
    payer = Payer(intent.provider, intent.account)
    if reserve is not None and limits:
        commitments.locked(connection, run.batch_id, reserve.currency)  # always before the lines of the account
    reason = _over_budget(connection, run.batch_id, reserve, budget) or spending.objection(
        connection, payer, limits, reserve, sent_at
    )
    if reason is not None:
        kept = {"error_kind": OverBudget.kind, "error_code": None, "error_message": str(reason)}
        set_state(connection, intent.row_id, State.OVER_BUDGET, **kept)
        return None
    currency = reserve.currency if reserve else intent.currency
    purchase = Purchase(run.batch_id, payer, sent_at, currency)
    commitments.change(connection, purchase, NOTHING, held(Settlement.OPEN, None, reserve.value if reserve else None))
    values = {
        "this_row": intent.row_id,
        "row_id": intent.row_id,
        "run_id": run.id,
        "provider": intent.provider,
        "account": intent.account,
        "key_fingerprint": intent.key_fingerprint,
        "model": intent.model,
        "fingerprint": intent.fingerprint,
        "sent_at": sent_at,
        "outcome": Outcome.SENT,
        "billing_model": intent.billing_model,
        "unit": intent.unit,
        "unit_price": intent.unit_price,
        "currency": intent.currency,
        "quote_low": intent.quote_low,
        "quote_high": intent.quote_high,
        "settlement": Settlement.OPEN,
        "reserved": reserve.value if reserve else None,
        "reserve_currency": currency,
        "reference_seconds": intent.reference_seconds,
    }
    made = connection.execute(_NEW_ATTEMPT, values)
    attempt_id = inserted_id(made)
    route: dict[str, Any] = {"provider": intent.provider, "account": intent.account, "model": intent.model}
    route["passed"] = intent.passed
    if intent.request is not None:
        route |= {"fingerprint": intent.fingerprint, "request": dict(intent.request)}
    set_state(connection, intent.row_id, State.SENT, attempt_id=attempt_id, **route, **CLEAR)
    return attempt_id


def _over_budget(
    connection: sa.Connection, batch_id: int, reserve: Amount | None, budget: Amount | None
) -> Message | None:
    """Why a row is not sent: its worst case is unknown, or does not fit into the rest of the budget."""
    if budget is None:
        return None
    if reserve is None:
        return message("row.cost_unbounded", budget=budget)
    if reserve.currency == budget.currency:
        committed = commitments.locked(connection, batch_id, budget.currency)
        if decimals.add((committed, reserve.value)) <= budget.value:
            return None
    return message("row.over_budget", reserve=reserve, budget=budget)


def withdraw(connection: sa.Connection, run: Run, row_id: int, attempt_id: int) -> None:
    """Record that the request of this attempt never left this process."""
    _held(connection, run, row_id, {State.SENT}, State.PLANNED, attempt_id)
    answered(connection, attempt_id, Outcome.WITHDRAWN, settlement=Settlement.NOTHING)
    set_state(connection, row_id, State.PLANNED)


def refuse(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> None:
    """Record a create without a job: refused or not sent (`deferred`, `refused`), or not proven (`unknown`)."""
    if to not in {State.DEFERRED, State.REFUSED, State.UNKNOWN}:
        raise LedgerError(message("ledger.not_refused", state=to.value))
    _held(connection, run, row_id, {State.SENT}, to, attempt_id)
    unknown = to is State.UNKNOWN
    answered(
        connection,
        attempt_id,
        Outcome.UNKNOWN if unknown else Outcome.REFUSED,
        settlement=Settlement.UNKNOWN if unknown else Settlement.NOTHING,
        **evidence_of(error),
    )
    set_state(connection, row_id, to, **error_columns(error))


def reject(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError) -> None:
    """Refuse a row before anything was sent: one of its media did not pass the provider's review."""
    _held(connection, run, row_id, TAKEABLE, State.REFUSED)
    set_state(connection, row_id, State.REFUSED, **error_columns(error))


def put_off(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError, to: State = State.DEFERRED) -> None:
    """Leave a row to a later run: its account cannot serve it now, or its media are not ready."""
    _held(connection, run, row_id, TAKEABLE, to)
    set_state(connection, row_id, to, **error_columns(error))


def succeed(
    connection: sa.Connection, run: Run, row_id: int, charge: Charge, *, link_expires_at: datetime | None
) -> None:
    """Record that the job succeeded, and settle its charge before anything is downloaded."""
    _held(connection, run, row_id, {State.CREATED}, State.SUCCEEDED)
    settle(connection, row_id, charge)
    set_state(connection, row_id, State.SUCCEEDED, finished_at=now(), link_expires_at=link_expires_at, **CLEAR)


def fail(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """Record that the job failed at the provider, and settle its charge."""
    _held(connection, run, row_id, {State.CREATED}, State.FAILED)
    settle(connection, row_id, charge)
    set_state(connection, row_id, State.FAILED, finished_at=now(), **error_columns(error))


def absent(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError, since: datetime) -> None:
    """Record that the provider does not have the row's job now, or that its link does not work. Its state stays."""
    row = locked_row(connection, row_id)
    if row.holder != run.id or row.buried_at is not None:
        raise LedgerError(message("ledger.row_taken_over"), row=row.key)
    _refuse_shared(row)
    if row.state not in {State.CREATED, State.SUCCEEDED}:
        raise LedgerError(message("ledger.unlawful_move", state=row.state.value, to=row.state.value), row=row.key)
    set_state(connection, row_id, row.state, absent_since=since, **error_columns(error))


def revive(connection: sa.Connection, run: Run, row_id: int) -> None:
    """Record that the provider has the job of an expired row after all: it is polled again."""
    _held(connection, run, row_id, {State.EXPIRED}, State.CREATED)
    current = locked_row(connection, row_id).attempt_id
    update_commitment(connection, current, Settlement.OPEN)
    open_again = {"settlement": Settlement.OPEN, "units": None, "charge": None, "tokens": None}
    connection.execute(UPDATE_ATTEMPT, {"this_attempt": current, **open_again})
    set_state(connection, row_id, State.CREATED, **CLEAR)


def fail_gone(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """Record that the provider no longer knows the job, whose result was never reported."""
    _held(connection, run, row_id, {State.CREATED}, State.EXPIRED)
    settle(connection, row_id, charge)
    set_state(connection, row_id, State.EXPIRED, **error_columns(error))


def remark(connection: sa.Connection, run: Run, row_id: int, text: str | None) -> None:
    """Record a remark on a row whose job goes on, as its message. Nothing is written for a row in another state."""
    followed = sa.and_(rows.c.id == row_id, rows.c.holder == run.id, rows.c.state == State.CREATED)
    connection.execute(sa.update(rows).where(followed).values(error_message=text and text[:LONGEST]))


def expire(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError) -> None:
    """Record that a paid video is no longer available at the provider. Its charge stays as it was settled."""
    _held(connection, run, row_id, {State.SUCCEEDED}, State.EXPIRED)
    set_state(connection, row_id, State.EXPIRED, **error_columns(error))


def prove(connection: sa.Connection, run: Run, row_id: int, proof: Proof) -> None:
    """Record hash and size of a verified file, before it is renamed into place."""
    _held(connection, run, row_id, {State.SUCCEEDED}, State.STORED)
    _write_proof(connection, row_id, proof)


def reuse(connection: sa.Connection, run: Run, row_id: int, proof: Proof) -> None:
    """Record that a row that was never sent has a copy of a stored video, before the copy is renamed into place."""
    _held(connection, run, row_id, TAKEABLE, State.SUCCEEDED)
    row = locked_row(connection, row_id)
    if row.attempt_id is not None:
        text = message("ledger.unlawful_move", state=row.state.value, to=State.SUCCEEDED.value)
        raise LedgerError(text, row=row.key)
    _write_proof(connection, row_id, proof)
    set_state(connection, row_id, State.SUCCEEDED, finished_at=now(), **CLEAR)


def _write_proof(connection: sa.Connection, row_id: int, proof: Proof) -> None:
    values = {
        "path": proof.path,
        "sha256": proof.sha256,
        "bytes": proof.bytes,
        "width": proof.width,
        "height": proof.height,
        "seconds": proof.seconds,
        "remarks": proof.remarks,
        "changed_at": now(),
    }
    connection.execute(UPDATE_ROW, {"this_row": row_id, **values})


def store(
    connection: sa.Connection,
    run: Run,
    row_id: int,
    *,
    modified_ns: int | None,
    etag: str | None = None,
    since: datetime | None = None,
) -> None:
    """Record that the verified file is in place, since now or an earlier time."""
    _held(connection, run, row_id, {State.SUCCEEDED}, State.STORED)
    set_state(connection, row_id, State.STORED, stored_at=since or now(), modified_ns=modified_ns, etag=etag, **CLEAR)


def refetch(connection: sa.Connection, run: Run, row_id: int) -> None:
    """Record that a stored file is missing or changed, so that it is downloaded again."""
    _held(connection, run, row_id, {State.STORED}, State.SUCCEEDED)
    set_state(connection, row_id, State.SUCCEEDED)


def _held(
    connection: sa.Connection,
    run: Run,
    row_id: int,
    states: Collection[State],
    to: State,
    attempt_id: int | None = None,
) -> None:
    """Check that `run` holds the row, and that the row may go from one of `states` to `to`.

    Each transition names its start states: "the job succeeded" and "download the file again" both lead to `succeeded`,
    and only the first may change the charge.

    Raises:
        LedgerError: The transition is not allowed, the row is not held by this run (its lease has expired), or the
            attempt is not the row's latest.
        UnknownOutcome: An alarm holds the row, since another row has the same job. The run goes on with its other rows.
    """
    row = locked_row(connection, row_id)
    if row.holder != run.id or row.buried_at is not None:
        raise taken_over(row.key)
    _refuse_shared(row)
    if row.state not in states or to not in TRANSITIONS[row.state]:
        raise LedgerError(message("ledger.unlawful_move", state=row.state.value, to=to.value), row=row.key)
    if attempt_id is not None and attempt_id != row.attempt_id:
        raise LedgerError(message("ledger.not_latest_attempt", attempt=attempt_id), row=row.key)


def _refuse_shared(row: Any) -> None:
    if row.state is State.UNKNOWN and row.error_code == SHARED_JOB:
        raise UnknownOutcome(message("row.shared_job"), code=SHARED_JOB, row=row.key)
