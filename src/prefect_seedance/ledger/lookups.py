"""Reading rows and attempts back."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

from prefect_seedance.ledger.records import AttemptRecord, RowRecord
from prefect_seedance.ledger.schema import attempts, batches, rows
from prefect_seedance.ledger.states import Outcome, Settlement, State

__all__ = ["attempts_of", "batch_names", "rows_by_id", "rows_by_key", "rows_of"]

GROUP = 500
"""How many values one statement carries: databases bound the number of parameters."""

_ROW_FIELDS = [column for column in rows.c if column.name not in {"batch_id", "attempt_id", "file_fold", "changed_at"}]
_ATTEMPT_FIELDS = [column.label(f"attempt_{column.name}") for column in attempts.c]
_SELECT = sa.select(batches.c.name.label("batch"), *_ROW_FIELDS, *_ATTEMPT_FIELDS).select_from(
    rows.join(batches, rows.c.batch_id == batches.c.id).outerjoin(attempts, rows.c.attempt_id == attempts.c.id)
)


def grouped(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values in groups that fit one statement."""
    listed = list(values)
    for start in range(0, len(listed), GROUP):
        yield listed[start : start + GROUP]


def rows_by_id(connection: sa.Connection, ids: Collection[int]) -> dict[int, RowRecord]:
    """The rows with these ids."""
    found = {}
    for group in grouped(ids):
        for row in connection.execute(_SELECT.where(rows.c.id.in_(group))).mappings():
            found[row["id"]] = _record(row)
    return found


def rows_by_key(connection: sa.Connection, batch_id: int, take: str, keys: Collection[str]) -> dict[str, RowRecord]:
    """The rows of one take of a batch with these keys."""
    found = {}
    for group in grouped(keys):
        wanted = sa.and_(rows.c.batch_id == batch_id, rows.c.take == take, rows.c.key.in_(group))
        for row in connection.execute(_SELECT.where(wanted)).mappings():
            found[row["key"]] = _record(row)
    return found


def rows_of(connection: sa.Connection, batch: str, take: str | None = None) -> list[RowRecord]:
    """All rows of a batch, in the order in which they were planned."""
    wanted = batches.c.name == batch
    if take is not None:
        wanted = sa.and_(wanted, rows.c.take == take)
    return [_record(row) for row in connection.execute(_SELECT.where(wanted).order_by(rows.c.id)).mappings()]


def attempts_of(connection: sa.Connection, batch: str) -> list[AttemptRecord]:
    """All attempts of a batch, oldest first."""
    select = (
        sa.select(*_ATTEMPT_FIELDS)
        .select_from(attempts.join(rows, attempts.c.row_id == rows.c.id).join(batches, rows.c.batch_id == batches.c.id))
        .where(batches.c.name == batch)
        .order_by(attempts.c.id)
    )
    return [_attempt(row) for row in connection.execute(select).mappings()]


def batch_names(connection: sa.Connection) -> list[str]:
    """The batches that this ledger knows, oldest first."""
    return list(connection.execute(sa.select(batches.c.name).order_by(batches.c.id)).scalars())


def _record(found: sa.RowMapping) -> RowRecord:
    values = {name: found[name] for name in RowRecord.__slots__ if name not in {"attempt", "state"}}
    attempt = _attempt(found) if found["attempt_id"] is not None else None
    return RowRecord(**values, state=State(found["state"]), attempt=attempt)


def _attempt(found: sa.RowMapping) -> AttemptRecord:
    values = {name: found[f"attempt_{name}"] for name in AttemptRecord.__slots__}
    values["outcome"] = Outcome(values["outcome"])
    values["settlement"] = Settlement(values["settlement"])
    return AttemptRecord(**values)
