"""The transitions of a row: each checks that it is allowed, and writes row and attempt in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import LedgerError, OverBudget, SeedanceError, UnknownOutcome
from prefect_seedance.ledger.db.schema import attempts, rows, runs
from prefect_seedance.ledger.lease_time import LEASE_ENDED
from prefect_seedance.ledger.records import Charge, Intent, Proof
from prefect_seedance.ledger.rows import budget as commitments
from prefect_seedance.ledger.rows import spending
from prefect_seedance.ledger.rows.leases import Run
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
    "is_held",
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
    "taken_over",
    "withdraw",
]

LONGEST = 2000
"""Characters of a provider's message that are stored."""

LARGEST = 2**63 - 1
"""The largest integer that a column can store."""

SHARED_JOB = "shared_job"
"""The code of a row that is held, since another row has the same job."""

# Statements for every row are built once: building takes SQLAlchemy longer than running them takes SQLite.
_PUT_OFF = (State.DEFERRED, State.OVER_BUDGET)
_THIS_ROW = rows.c.id == sa.bindparam("this_row")
_THIS_ATTEMPT = attempts.c.id == sa.bindparam("this_attempt")
_UPDATE_ROW = sa.update(rows).where(_THIS_ROW)
_UPDATE_ATTEMPT = sa.update(attempts).where(_THIS_ATTEMPT)
# Locked until the transaction ends (in SQLite the whole ledger is): what was checked must still hold when written.
_ROW = (
    sa.select(rows.c.key, rows.c.state, rows.c.error_code, rows.c.holder, rows.c.attempt_id, runs.c.buried_at)
    .select_from(rows.outerjoin(runs, rows.c.holder == runs.c.id))
    .where(_THIS_ROW)
    .with_for_update(of=rows)
)
_NEW_ATTEMPT = sa.insert(attempts).values(
    number=sa.select(sa.func.coalesce(sa.func.max(attempts.c.number), 0) + 1)
    .where(attempts.c.row_id == sa.bindparam("this_row"))
    .scalar_subquery()
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
    _settle(connection, row_id, charge)
    set_state(connection, row_id, State.SUCCEEDED, finished_at=now(), link_expires_at=link_expires_at, **CLEAR)


def fail(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """Record that the job failed at the provider, and settle its charge."""
    _held(connection, run, row_id, {State.CREATED}, State.FAILED)
    _settle(connection, row_id, charge)
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
    connection.execute(_UPDATE_ATTEMPT, {"this_attempt": current, **open_again})
    set_state(connection, row_id, State.CREATED, **CLEAR)


def fail_gone(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """Record that the provider no longer knows the job, whose result was never reported."""
    _held(connection, run, row_id, {State.CREATED}, State.EXPIRED)
    _settle(connection, row_id, charge)
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
    connection.execute(_UPDATE_ROW, {"this_row": row_id, **values})


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


def locked_row(connection: sa.Connection, row_id: int) -> Any:
    """The row as it is now, locked until the transaction ends."""
    found = connection.execute(_ROW, {"this_row": row_id}).one_or_none()
    if found is None:
        raise LedgerError(message("ledger.no_row", id=row_id))
    return found


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


def taken_over(key: str) -> LedgerError:
    """The error for a row that another run holds, or may hold."""
    return LedgerError(message("ledger.row_taken_over"), code=LEASE_ENDED, row=key)


def is_held(connection: sa.Connection, run: Run, row_id: int) -> bool:
    """Whether a run still holds a row."""
    row = connection.execute(_ROW, {"this_row": row_id}).one_or_none()
    return row is not None and row.holder == run.id and row.buried_at is None


def _refuse_shared(row: Any) -> None:
    if row.state is State.UNKNOWN and row.error_code == SHARED_JOB:
        raise UnknownOutcome(message("row.shared_job"), code=SHARED_JOB, row=row.key)


def set_state(connection: sa.Connection, row_id: int, to: State, **values: Any) -> None:
    """Write a row's next state. The caller must have checked the transition."""
    if to in _PUT_OFF:
        values["wanted_by"] = None  # left to a later run
    connection.execute(_UPDATE_ROW, {"this_row": row_id, "state": to, "changed_at": now(), **values})


def answered(connection: sa.Connection, attempt_id: int, outcome: Outcome, **values: Any) -> None:
    """Record the outcome of an attempt."""
    update_commitment(connection, attempt_id, values["settlement"])
    answer = {"this_attempt": attempt_id, "outcome": outcome, "answered_at": now(), **values}
    connection.execute(_UPDATE_ATTEMPT, answer)


def _settle(connection: sa.Connection, row_id: int, charge: Charge) -> None:
    current = locked_row(connection, row_id).attempt_id
    update_commitment(connection, current, charge.settlement, charge.amount)
    # A count too large for the database is dropped; the charge, which is text, is kept.
    tokens = charge.tokens if charge.tokens is not None and charge.tokens <= LARGEST else None
    values = {"settlement": charge.settlement, "units": charge.units, "charge": charge.amount, "tokens": tokens}
    connection.execute(_UPDATE_ATTEMPT, {"this_attempt": current, **values})


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
