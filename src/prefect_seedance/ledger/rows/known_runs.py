"""What the ledger knows of each run's attempts, and what becomes of a batch whose latest attempts are lost (law 15)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import UnknownOutcome
from prefect_seedance.ledger.db.schema import asset_requests, attempts, batches, rows, runs
from prefect_seedance.ledger.rows import lookups, row_writes
from prefect_seedance.ledger.run_files import RunFile
from prefect_seedance.ledger.states import TAKEABLE, Outcome, Settlement, State
from prefect_seedance.messages import message

__all__ = ["KnownRun", "adopt", "doubt_new_rows", "forget_attempts", "known_runs", "missing_from", "rows_in_doubt"]


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run as the ledger knows it.

    Attributes:
        attempts: Its creates and billed asset requests.
        ended: Whether it is over: it sends nothing any more.
    """

    attempts: int
    ended: bool


def known_runs(connection: sa.Connection, ids: Collection[str]) -> dict[str, KnownRun]:
    """Those of these runs that the ledger knows, by id."""
    found = {}
    for group in lookups.grouped(ids):
        counts: dict[str, int] = {}
        for table in (attempts, asset_requests):
            for run_id, number in connection.execute(_count(table, table.c.run_id.in_(group))):
                counts[run_id] = counts.get(run_id, 0) + number
        select = sa.select(runs.c.id, runs.c.unlisted, runs.c.ended_at).where(runs.c.id.in_(group))
        for run in connection.execute(select):
            number = counts.get(run.id, 0) + (run.unlisted or 0)
            found[run.id] = KnownRun(number, ended=run.ended_at is not None)
    return found


def missing_from(known: Mapping[str, KnownRun], files: Iterable[RunFile]) -> dict[RunFile, int]:
    """The files of runs of which the ledger knows too little, with the number of attempts that it knows."""
    pairs = ((file, known[file.run].attempts if file.run in known else 0) for file in files)
    return {file: here for file, here in pairs if file.attempts > here}


def forget_attempts(connection: sa.Connection, batch_id: int) -> None:
    """Before the attempts of a batch are deleted: keep the number of them for each run, so that it stays known."""
    mine = sa.select(rows.c.id).where(rows.c.batch_id == batch_id)
    for table, of_batch in (
        (attempts, attempts.c.row_id.in_(mine)),
        (asset_requests, asset_requests.c.batch_id == batch_id),
    ):
        for run_id, number in connection.execute(_count(table, of_batch)).all():
            _add_unlisted(connection, run_id, number)


def rows_in_doubt(connection: sa.Connection, batch_names: Collection[str]) -> list[sa.Row[Any]]:
    """The rows of these batches that a run would send, with `batch`, `take` and `key`."""
    return list(
        connection.execute(
            sa.select(rows, batches.c.name.label("batch"))
            .join(batches, rows.c.batch_id == batches.c.id)
            .where(batches.c.name.in_(batch_names), rows.c.state.in_(TAKEABLE))
            .order_by(rows.c.id)
        )
    )


def adopt(connection: sa.Connection, missing: Mapping[RunFile, int]) -> int:
    """Take over from a newer ledger that is lost: its runs are known from now on, what they have paid is unknown.

    Each row of their batches that a run would send becomes unknown, and so does each row that is later planned there.

    Args:
        connection: An open writing transaction.
        missing: The files of its runs, with the number of attempts that this ledger knows.

    Returns:
        How many rows are unknown now.
    """
    changed = 0
    for file, known in missing.items():
        batch_id = _batch(connection, file.batch)
        _note(connection, file, batch_id)
        _add_unlisted(connection, file.run, file.attempts - known)
        for row in rows_in_doubt(connection, [file.batch]):
            _doubt(connection, row, file.run)
            changed += 1
    return changed


def doubt_new_rows(connection: sa.Connection, batch_id: int, ids: Collection[int]) -> None:
    """Rows that are new in a batch of which attempts are lost may be paid already: they become unknown."""
    lost = sa.select(runs.c.id).where(runs.c.batch_id == batch_id, runs.c.unlisted > 0).order_by(runs.c.id).limit(1)
    run_id = connection.execute(lost).scalar()
    if run_id is None:
        return
    for group in lookups.grouped(ids):
        for row in connection.execute(sa.select(rows).where(rows.c.id.in_(group))).all():
            _doubt(connection, row, run_id)


def _count(table: sa.Table, condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(table.c.run_id, sa.func.count()).where(condition).group_by(table.c.run_id)


def _add_unlisted(connection: sa.Connection, run_id: str, number: int) -> None:
    total = sa.func.coalesce(runs.c.unlisted, 0) + number
    connection.execute(sa.update(runs).where(runs.c.id == run_id).values(unlisted=total))


def _batch(connection: sa.Connection, name: str) -> int:
    select = sa.select(batches.c.id).where(batches.c.name == name)
    known = connection.execute(select).scalar()
    if known is None:
        connection.execute(sa.insert(batches).values(name=name, created_at=now()))
        known = connection.execute(select).scalar_one()
    return int(known)


def _note(connection: sa.Connection, file: RunFile, batch_id: int) -> None:
    """A line for the run of a lost ledger, as one that is over."""
    if connection.execute(sa.select(runs.c.id).where(runs.c.id == file.run)).first() is None:
        moment = now()
        times = {"started_at": moment, "heartbeat_at": moment, "ended_at": moment}
        process = {"host": "", "pid": 0, "process_started": ""}
        connection.execute(sa.insert(runs).values(id=file.run, batch_id=batch_id, **process, **times))


def _doubt(connection: sa.Connection, row: sa.Row[Any], run_id: str) -> None:
    """Make a row unknown, with an attempt of the lost run: a person resolves it like any other."""
    reason = str(message("attempt.ledger_lost"))
    number = sa.select(sa.func.coalesce(sa.func.max(attempts.c.number), 0) + 1).where(attempts.c.row_id == row.id)
    made = connection.execute(
        sa.insert(attempts).values(
            row_id=row.id,
            number=number.scalar_subquery(),
            run_id=run_id,
            provider=row.provider,
            account=row.account,
            model=row.model,
            fingerprint=row.fingerprint,
            sent_at=now(),
            outcome=Outcome.UNKNOWN,
            settlement=Settlement.UNKNOWN,
            message=reason,
            # Price and unit were known to the lost ledger only.
            billing_model=row.model,
            unit="",
        )
    )
    why = {"error_kind": UnknownOutcome.kind, "error_code": None, "error_message": reason}
    row_writes.set_state(connection, row.id, State.UNKNOWN, attempt_id=row_writes.inserted_id(made), **why)
