"""Answers that name a job. The job exists and is paid, whatever was thought of its create in the meantime (law 7).

Such an answer may come late: the lease of its run expired, a person settled the row, another run holds it. While the
row has neither a job nor another create under way, its job is adopted, whoever holds the row. Else the job is kept as
evidence, with an unknown cost, and is adopted before a further create of the row would be paid. A job that a person
named stays the row's. A job of two rows is an alarm: it holds both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import LedgerError, UnknownOutcome
from prefect_seedance.ledger.db.schema import attempts, batches, rows
from prefect_seedance.ledger.records import BESIDE
from prefect_seedance.ledger.rows import planning, row_writes
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.row_writes import SHARED_JOB, answered, locked_row, set_state, update_commitment
from prefect_seedance.ledger.states import RETRYABLE, TAKEABLE, Outcome, Settlement, State
from prefect_seedance.messages import Message, message

__all__ = ["Named", "has_job", "named"]

_ADOPTS = TAKEABLE | RETRYABLE
"""States without a job that can still bring a video, and without a create under way."""

_AFRESH = {name: value for name, value in planning.RESET.items() if name != "state"}
_WAITING = sa.select(attempts.c.provider, attempts.c.job_id, attempts.c.resolution).where(
    attempts.c.id == sa.bindparam("this_attempt"),
    attempts.c.row_id == sa.bindparam("this_row"),
    attempts.c.run_id == sa.bindparam("this_run"),
    attempts.c.outcome.in_((Outcome.SENT, Outcome.UNKNOWN)),
)
# A line that a person settled as "not made" does not own its job any more.
_TWIN = (
    sa.select(rows.c.id, rows.c.key, rows.c.state, rows.c.attempt_id, batches.c.name, attempts.c.id.label("line"))
    .select_from(attempts.join(rows, attempts.c.row_id == rows.c.id).join(batches, rows.c.batch_id == batches.c.id))
    .where(
        attempts.c.job_id == sa.bindparam("this_job"),
        attempts.c.provider == sa.bindparam("this_provider"),
        attempts.c.row_id != sa.bindparam("this_row"),
        attempts.c.settlement != Settlement.NOTHING,
    )
    .order_by(attempts.c.id)
    .limit(1)
)
_EVIDENCE = (
    sa.select(attempts.c.id)
    .where(
        attempts.c.row_id == sa.bindparam("this_row"),
        attempts.c.code == BESIDE,
        attempts.c.settlement == Settlement.UNKNOWN,
    )
    .order_by(attempts.c.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Named:
    """What became of an answer that names a job.

    Attributes:
        holds: Whether its run still holds the row.
        alarm: What a person has to look at; None where nothing is wrong.
        shared: Whether the row is held, since another row has the same job.
    """

    holds: bool
    alarm: Message | None = None
    shared: bool = False


def named(connection: sa.Connection, run: Run, row_id: int, attempt_id: int, *, job_id: str, **evidence: Any) -> Named:
    """Record the job that the provider created.

    It is recorded even if the run's lease was ended meanwhile, since this process was frozen: a paid job is never lost.

    Raises:
        LedgerError: The attempt is not this run's, or was answered already.
    """
    row = locked_row(connection, row_id)
    wanted = {"this_attempt": attempt_id, "this_row": row_id, "this_run": run.id}
    attempt = connection.execute(_WAITING, wanted).one_or_none()
    if attempt is None:
        raise LedgerError(message("ledger.job_not_awaited", attempt=attempt_id), row=row.key)
    holds = bool(row.holder == run.id)
    if attempt.job_id is not None:
        return Named(
            holds, _beside_a_persons_job(connection, row_id, row, attempt_id, attempt.job_id, job_id, evidence)
        )
    awaited = row.attempt_id == attempt_id and row.state in {State.SENT, State.UNKNOWN}
    if (twin := _twin(connection, attempt.provider, job_id, row_id)) is not None:
        return Named(holds, _hold_both(connection, row, row_id, attempt_id, twin, job_id, evidence), shared=True)
    if attempt.resolution is not None:
        evidence["resolution"] = f"{attempt.resolution}, overruled by the answer"
    alarm = None
    settlement = Settlement.OPEN
    if not awaited and row.state not in _ADOPTS:
        alarm = message("attempt.another_job", job=job_id)
        settlement = Settlement.UNKNOWN
        evidence |= {"code": BESIDE, "message": str(alarm)}
    answered(connection, attempt_id, Outcome.CREATED, settlement=settlement, job_id=job_id, charge=None, **evidence)
    if awaited:
        set_state(connection, row_id, State.CREATED, **row_writes.CLEAR)
    elif alarm is None:
        _follow(connection, row_id, attempt_id)
    return Named(holds, alarm)


def has_job(connection: sa.Connection, run: Run, row_id: int) -> bool:
    """Whether a row that a run wants to send, or to leave, has a job by a late answer: then nothing may be sent for it.

    A job that was only evidence is adopted here. Also true for a row that an alarm about its job holds.
    """
    row = locked_row(connection, row_id)
    if row.holder != run.id or row.buried_at is not None:
        return False
    if row.state is State.CREATED or (row.state is State.UNKNOWN and row.error_code == SHARED_JOB):
        return True
    if row.attempt_id is None or row.state not in TAKEABLE:
        return False
    line = connection.execute(_EVIDENCE, {"this_row": row_id}).scalar()
    if line is None:
        return False
    update_commitment(connection, line, Settlement.OPEN)
    used = {"settlement": Settlement.OPEN, "code": None}
    connection.execute(sa.update(attempts).where(attempts.c.id == line).values(used))
    _follow(connection, row_id, line)
    return True


def _follow(connection: sa.Connection, row_id: int, attempt_id: int) -> None:
    """Make the job of an attempt the row's; only the route that made it knows the job."""
    of_route = ("provider", "account", "model", "fingerprint")
    columns = [attempts.c[name] for name in of_route]
    found = connection.execute(sa.select(*columns).where(attempts.c.id == attempt_id)).mappings().one()
    values = {**_AFRESH, **found, "attempt_id": attempt_id}
    set_state(connection, row_id, State.CREATED, **values)


def _beside_a_persons_job(
    connection: sa.Connection,
    row_id: int,
    row: Any,
    attempt_id: int,
    persons: str,
    job_id: str,
    evidence: dict[str, Any],
) -> Message | None:
    """Record an answer to an attempt whose job a person has named: another job gets a line of its own."""
    this = sa.update(attempts).where(attempts.c.id == attempt_id)
    if persons == job_id:
        connection.execute(this.values(outcome=Outcome.CREATED, answered_at=now(), **evidence))
        return None
    adopts = row.state in _ADOPTS  # what the person named has ended without a video
    if adopts:
        alarm = message("attempt.other_job_used", named=persons, job=job_id)
        cost: dict[str, Any] = {"settlement": Settlement.OPEN}
    else:
        alarm = message("attempt.other_job", named=persons, job=job_id)
        cost = {"settlement": Settlement.UNKNOWN, "code": BESIDE}
    connection.execute(this.values(outcome=Outcome.CREATED, answered_at=now(), message=str(alarm)))
    line = dict(connection.execute(sa.select(attempts).where(attempts.c.id == attempt_id)).mappings().one())
    number = sa.select(sa.func.max(attempts.c.number) + 1).where(attempts.c.row_id == row_id).scalar_subquery()
    del line["id"]
    line |= dict.fromkeys(("charge", "units", "tokens", "resolution", "resolved_at"))
    line |= {"number": number, "outcome": Outcome.CREATED, "job_id": job_id, "settlement": Settlement.NOTHING}
    made = row_writes.inserted_id(connection.execute(sa.insert(attempts).values(**line | evidence)))
    update_commitment(connection, made, cost["settlement"])
    connection.execute(sa.update(attempts).where(attempts.c.id == made).values(**cost))
    if adopts:
        _follow(connection, row_id, made)
    return alarm


def _twin(connection: sa.Connection, provider: str, job_id: str, row_id: int) -> Any:
    """The other row that has this job, if there is one."""
    if connection.dialect.name == "postgresql":
        # Two machines may get the same id at the same moment; the second must see what the first has written.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"{provider} {job_id}"))))
    wanted = {"this_job": job_id, "this_provider": provider, "this_row": row_id}
    return connection.execute(_TWIN, wanted).one_or_none()


def _hold_both(
    connection: sa.Connection, row: Any, row_id: int, attempt_id: int, twin: Any, job_id: str, evidence: dict[str, Any]
) -> Message:
    """Hold two rows with one job until a person says whose it is. A row that is stored keeps its file."""
    batch = connection.execute(
        sa.select(batches.c.name).join(rows, rows.c.batch_id == batches.c.id).where(rows.c.id == row_id)
    ).scalar_one()
    alarm = message("attempt.shared_job", job=job_id, row=row.key, batch=batch, other=twin.key, other_batch=twin.name)
    held = {"error_kind": UnknownOutcome.kind, "error_code": SHARED_JOB, "error_message": str(alarm)}
    noted = {**evidence, "code": SHARED_JOB, "message": str(alarm)}
    answered(connection, attempt_id, Outcome.CREATED, settlement=Settlement.UNKNOWN, job_id=job_id, **noted)
    if row.state in _ADOPTS or (row.attempt_id == attempt_id and row.state in {State.SENT, State.UNKNOWN}):
        set_state(connection, row_id, State.UNKNOWN, attempt_id=attempt_id, **held)
    other = sa.update(attempts).where(attempts.c.id == twin.line)
    connection.execute(other.values(code=SHARED_JOB, message=str(alarm)))
    now_there = locked_row(connection, twin.id)
    if now_there.attempt_id == twin.line and now_there.state in {State.CREATED, State.SUCCEEDED}:
        if now_there.state is State.CREATED:
            update_commitment(connection, twin.line, Settlement.UNKNOWN)
            connection.execute(other.values(settlement=Settlement.UNKNOWN))
        set_state(connection, twin.id, State.UNKNOWN, **held)
    return alarm
