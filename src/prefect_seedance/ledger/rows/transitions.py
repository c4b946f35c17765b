"""The moves of a row: each one checks that it is lawful, and writes row and attempt in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import LedgerError, OverBudget, SeedanceError
from prefect_seedance.ledger.db.schema import attempts, rows, runs
from prefect_seedance.ledger.records import Charge, Intent, Proof
from prefect_seedance.ledger.rows import budget as commitments
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.states import MOVES, TAKEABLE, Outcome, Settlement, State
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.amount import Amount

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
    "reject",
    "store",
    "succeed",
    "withdraw",
]

LONGEST = 2000
"""Characters of a provider's message that are kept."""

LARGEST = 2**63 - 1
"""The largest whole number that a column keeps."""

UNANSWERED = (Outcome.SENT, Outcome.UNKNOWN)
"""Attempts of which the provider's answer may still come."""

# Statements that every row needs are put together once: that takes SQLAlchemy longer than SQLite takes to run them.
_PUT_OFF = (State.DEFERRED, State.OVER_BUDGET)
_THIS_ROW = rows.c.id == sa.bindparam("this_row")
_THIS_ATTEMPT = attempts.c.id == sa.bindparam("this_attempt")
_UPDATE_ROW = sa.update(rows).where(_THIS_ROW)
_UPDATE_ATTEMPT = sa.update(attempts).where(_THIS_ATTEMPT)
# Locked to the transaction's end (in SQLite the whole ledger is): what is checked now must still hold when written.
_ROW = (
    sa.select(rows.c.key, rows.c.state, rows.c.holder, rows.c.attempt_id, runs.c.buried_at)
    .select_from(rows.outerjoin(runs, rows.c.holder == runs.c.id))
    .where(_THIS_ROW)
    .with_for_update(of=rows)
)
_NEW_ATTEMPT = sa.insert(attempts).values(
    number=sa.select(sa.func.coalesce(sa.func.max(attempts.c.number), 0) + 1)
    .where(attempts.c.row_id == sa.bindparam("this_row"))
    .scalar_subquery()
)
_WAITING = sa.select(attempts.c.resolution, attempts.c.job_id).where(
    _THIS_ATTEMPT,
    attempts.c.row_id == sa.bindparam("this_row"),
    attempts.c.run_id == sa.bindparam("this_run"),
    attempts.c.outcome.in_(UNANSWERED),
)
_COMMITMENT = (
    sa.select(
        rows.c.batch_id, attempts.c.reserve_currency, attempts.c.settlement, attempts.c.charge, attempts.c.reserved
    )
    .select_from(attempts.join(rows, attempts.c.row_id == rows.c.id))
    .where(_THIS_ATTEMPT)
)

CLEAR = {"error_kind": None, "error_code": None, "error_message": None}


def intend(connection: sa.Connection, run: Run, intent: Intent, budget: Amount | None = None) -> int | None:
    """Write down a create before it is sent, and hold back its worst case. This is the line that law 1 is about.

    Returns:
        The attempt's id; None where the worst case does not fit into the budget: then the row is `over_budget`.
    """
    _held(connection, run, intent.row_id, TAKEABLE, State.SENT)
    reserve = intent.reserve
    if budget is not None and not _fits(connection, run.batch_id, reserve, budget):
        reason = str(over_budget(reserve, budget))
        kept = {"error_kind": OverBudget.kind, "error_code": None, "error_message": reason}
        set_state(connection, intent.row_id, State.OVER_BUDGET, **kept)
        return None
    if reserve is not None:
        commitments.change(connection, run.batch_id, reserve.currency, reserve.value)
    values = {
        "this_row": intent.row_id,
        "row_id": intent.row_id,
        "run_id": run.id,
        "provider": intent.provider,
        "account": intent.account,
        "model": intent.model,
        "fingerprint": intent.fingerprint,
        "sent_at": now(),
        "outcome": Outcome.SENT,
        "billing_model": intent.billing_model,
        "unit": intent.unit,
        "unit_price": intent.unit_price,
        "currency": intent.currency,
        "quote_low": intent.quote_low,
        "quote_high": intent.quote_high,
        "settlement": Settlement.OPEN,
        "reserved": reserve.value if reserve else None,
        "reserve_currency": reserve.currency if reserve else intent.currency,
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


def _fits(connection: sa.Connection, batch_id: int, reserve: Amount | None, budget: Amount) -> bool:
    if reserve is None or reserve.currency != budget.currency:
        return False
    return decimals.add((commitments.locked(connection, batch_id, budget.currency), reserve.value)) <= budget.value


def over_budget(reserve: Amount | None, budget: Amount | None) -> Message:
    """Why a row is not sent whose worst case, if it is known, does not fit into what is left of the budget."""
    if reserve is None:
        return message("row.cost_unbounded", budget=budget)
    return message("row.over_budget", reserve=reserve, budget=budget)


def reckon(connection: sa.Connection, attempt_id: int, settlement: Settlement, charge: Decimal | None = None) -> None:
    """Move the batch's commitment along with an attempt that is about to be settled like this."""
    found = connection.execute(_COMMITMENT, {"this_attempt": attempt_id}).one_or_none()
    if found is not None and found.reserve_currency is not None:
        before = commitments.held(found.settlement, found.charge, found.reserved)
        after = commitments.held(settlement, charge, found.reserved)
        commitments.change(
            connection, found.batch_id, found.reserve_currency, decimals.add((after, before.copy_negate()))
        )


def inserted_id(made: sa.CursorResult[Any]) -> int:
    """The id that the database gave to a new line."""
    key = made.inserted_primary_key
    if key is None:
        raise LedgerError(message("ledger.no_new_id"))
    return int(key[0])


def withdraw(connection: sa.Connection, run: Run, row_id: int, attempt_id: int) -> None:
    """The request of this attempt never left this process."""
    _held(connection, run, row_id, {State.SENT}, State.PLANNED, attempt_id)
    answered(connection, attempt_id, Outcome.WITHDRAWN, settlement=Settlement.NOTHING)
    set_state(connection, row_id, State.PLANNED)


def created(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, *, job_id: str, **evidence: Any) -> bool:
    """The provider accepted; the job is known.

    That is written down even if the row was given up meanwhile (this process was frozen, and another machine took it
    for dead): a job that is paid for is never forgotten.

    Returns:
        Whether the run still holds the row.

    Raises:
        LedgerError: The attempt is not this run's, or was answered already.
    """
    row = locked_row(connection, row_id)
    follows = row.attempt_id == attempt_id and row.state in {State.SENT, State.UNKNOWN}
    # A job that its row does not follow any more is paid for, and nobody waits for it: what it costs is not known.
    settlement = Settlement.OPEN if follows else Settlement.UNKNOWN
    wanted = {"this_attempt": attempt_id, "this_row": row_id, "this_run": run.id}
    known = connection.execute(_WAITING, wanted).one_or_none()
    if known is None:
        raise LedgerError(message("ledger.job_not_awaited", attempt=attempt_id), row=row.key)
    if known.resolution not in {None, "not_made"}:
        # A person has settled what it costs; to that the answer only adds its evidence.
        late = message("attempt.answered_after_resolve", job=job_id)
        added = {"job_id": known.job_id or job_id, "message": str(late), "answered_at": now(), **evidence}
        connection.execute(_UPDATE_ATTEMPT, {"this_attempt": attempt_id, **added})
        return bool(row.holder == run.id)
    answered(connection, attempt_id, Outcome.CREATED, settlement=settlement, job_id=job_id, **evidence)
    if follows:
        set_state(connection, row_id, State.CREATED, **CLEAR)
    return bool(row.holder == run.id)


def refuse(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, error: SeedanceError, to: State) -> None:
    """The provider refused, or was never reached (`deferred`, `refused`), or nothing can be proven (`unknown`)."""
    if to not in {State.DEFERRED, State.REFUSED, State.UNKNOWN}:
        raise LedgerError(message("ledger.not_refused", state=to.value))
    _held(connection, run, row_id, {State.SENT}, to, attempt_id)
    lost = to is State.UNKNOWN
    answered(
        connection,
        attempt_id,
        Outcome.UNKNOWN if lost else Outcome.REFUSED,
        settlement=Settlement.UNKNOWN if lost else Settlement.NOTHING,
        **evidence_of(error),
    )
    set_state(connection, row_id, to, **error_columns(error))


def reject(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError) -> None:
    """The row is refused before anything was sent: one of its media did not pass the provider's review."""
    _held(connection, run, row_id, TAKEABLE, State.REFUSED)
    set_state(connection, row_id, State.REFUSED, **error_columns(error))


def put_off(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError, to: State = State.DEFERRED) -> None:
    """The row is not sent now, because its account cannot serve it or its media are not ready; a later run takes it."""
    _held(connection, run, row_id, TAKEABLE, to)
    set_state(connection, row_id, to, **error_columns(error))


def succeed(
    connection: sa.Connection, run: Run, row_id: int, charge: Charge, *, link_expires_at: datetime | None
) -> None:
    """The job has made a video; its charge is settled now, before anything is downloaded."""
    _held(connection, run, row_id, {State.CREATED}, State.SUCCEEDED)
    _settle(connection, row_id, charge)
    set_state(connection, row_id, State.SUCCEEDED, finished_at=now(), link_expires_at=link_expires_at, **CLEAR)


def fail(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """The job failed at the provider."""
    _held(connection, run, row_id, {State.CREATED}, State.FAILED)
    _settle(connection, row_id, charge)
    set_state(connection, row_id, State.FAILED, finished_at=now(), **error_columns(error))


def fail_gone(connection: sa.Connection, run: Run, row_id: int, charge: Charge, error: SeedanceError) -> None:
    """The provider no longer knows the job, and never said how it ended."""
    _held(connection, run, row_id, {State.CREATED}, State.EXPIRED)
    _settle(connection, row_id, charge)
    set_state(connection, row_id, State.EXPIRED, **error_columns(error))


def expire(connection: sa.Connection, run: Run, row_id: int, error: SeedanceError) -> None:
    """Made and paid, but the provider no longer has it. Its charge stays as it was settled."""
    _held(connection, run, row_id, {State.SUCCEEDED}, State.EXPIRED)
    set_state(connection, row_id, State.EXPIRED, **error_columns(error))


def prove(connection: sa.Connection, run: Run, row_id: int, proof: Proof) -> None:
    """The file is whole: its hash and size are written before it is renamed into place."""
    _held(connection, run, row_id, {State.SUCCEEDED}, State.STORED)
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
    """The proven file stands in its place: now, or since a moment before."""
    _held(connection, run, row_id, {State.SUCCEEDED}, State.STORED)
    set_state(connection, row_id, State.STORED, stored_at=since or now(), modified_ns=modified_ns, etag=etag, **CLEAR)


def refetch(connection: sa.Connection, run: Run, row_id: int) -> None:
    """A stored file is gone or changed: it is to be fetched again."""
    _held(connection, run, row_id, {State.STORED}, State.SUCCEEDED)
    set_state(connection, row_id, State.SUCCEEDED)


def locked_row(connection: sa.Connection, row_id: int) -> Any:
    """A row as it stands now; nobody else moves it until the transaction ends."""
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
    """Make sure that `run` holds the row, and that it may go from one of `states` to the next.

    Each move names the states it starts from: "the job succeeded" and "fetch the file again" both lead to `succeeded`,
    and only one of them may touch what was paid.

    Raises:
        LedgerError: The move is not lawful, or the row is not held by this run (its lease was lost).
    """
    row = locked_row(connection, row_id)
    if row.holder != run.id or row.buried_at is not None:
        raise LedgerError(message("ledger.row_taken_over"), row=row.key)
    if row.state not in states or to not in MOVES[row.state]:
        raise LedgerError(message("ledger.unlawful_move", state=row.state.value, to=to.value), row=row.key)
    if attempt_id is not None and attempt_id != row.attempt_id:
        raise LedgerError(message("ledger.not_latest_attempt", attempt=attempt_id), row=row.key)


def set_state(connection: sa.Connection, row_id: int, to: State, **values: Any) -> None:
    """Write a row's next state. Whoever calls this has made sure that the move is lawful."""
    if to in _PUT_OFF:
        values["wanted_by"] = None  # it waits for a later run
    connection.execute(_UPDATE_ROW, {"this_row": row_id, "state": to, "changed_at": now(), **values})


def answered(connection: sa.Connection, attempt_id: int, outcome: Outcome, **values: Any) -> None:
    """Write down what became of an attempt."""
    reckon(connection, attempt_id, values["settlement"])
    answer = {"this_attempt": attempt_id, "outcome": outcome, "answered_at": now(), **values}
    connection.execute(_UPDATE_ATTEMPT, answer)


def _settle(connection: sa.Connection, row_id: int, charge: Charge) -> None:
    current = locked_row(connection, row_id).attempt_id
    reckon(connection, current, charge.settlement, charge.amount)
    # A count that no database can keep is no count; the charge, which is text, stays as it is.
    tokens = charge.tokens if charge.tokens is not None and charge.tokens <= LARGEST else None
    values = {"settlement": charge.settlement, "units": charge.units, "charge": charge.amount, "tokens": tokens}
    connection.execute(_UPDATE_ATTEMPT, {"this_attempt": current, **values})


def evidence_of(error: SeedanceError) -> dict[str, Any]:
    """What an attempt keeps of the provider's answer."""
    return {
        "http_status": error.http_status,
        "code": error.code,
        "message": error.message[:LONGEST],
        "request_id": error.request_id,
    }


def error_columns(error: SeedanceError) -> dict[str, str | None]:
    """What a row keeps of an error."""
    return {
        "error_kind": error.kind,
        "error_code": error.code,
        "error_message": error.message[:LONGEST],
    }
