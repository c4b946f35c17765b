"""Summaries of all rows of a batch, small enough for reports on a hundred thousand rows.

Most fields of a row are the same for many rows: route, price, charge, state, size. These are parsed and kept once for
all rows that share them. A row's own times stay the text that the database has, until `moment` parses them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from prefect_seedance.core.gc_pause import gc_paused
from prefect_seedance.ledger.db.schema import attempts, batches, raw, rows
from prefect_seedance.ledger.states import Outcome, Settlement, State

__all__ = ["Payment", "RowSummary", "SharedFields", "moment", "summaries_of"]

GROUP = 2000
"""Rows per fetch."""


@dataclass(frozen=True, slots=True)
class Payment:
    """The fields of an attempt that concern its cost; see `AttemptRecord`."""

    run_id: str
    provider: str
    account: str
    model: str
    billing_model: str
    unit: str
    unit_price: Decimal | None
    currency: str | None
    outcome: Outcome
    settlement: Settlement
    units: Decimal | None
    charge: Decimal | None
    quote_high: Decimal | None
    reserved: Decimal | None
    resolution: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class SharedFields:
    """The fields that many rows share. `payment` is that of their latest attempts; None without an attempt."""

    take: str
    state: State
    provider: str
    account: str
    model: str
    width: int | None
    height: int | None
    seconds: Decimal | None
    remarks: tuple[str, ...]
    passed: tuple[str, ...]
    error_kind: str | None
    error_code: str | None
    payment: Payment | None


class RowSummary(NamedTuple):
    """The summary of one row. Its times are texts as the ledger stores them; `moment` parses them."""

    id: int
    key: str
    path: str | None
    sha256: str | None
    bytes: int | None
    planned_at: str
    finished_at: str | None
    stored_at: str | None
    link_expires_at: str | None
    error_message: str | None
    changed_at: str
    attempt_id: int | None
    job_id: str | None
    sent_at: str | None
    kind: SharedFields

    @property
    def state(self) -> State:
        """The row's state."""
        return self.kind.state


_OWN: list[sa.Column[Any]] = [
    *(rows.c[name] for name in RowSummary._fields[: RowSummary._fields.index("job_id")]),
    attempts.c.job_id,
    attempts.c.sent_at,
]
_OF_ROW: list[sa.Column[Any]] = [rows.c[name] for name in SharedFields.__slots__ if name != "payment"]
_OF_MONEY: list[sa.Column[Any]] = [attempts.c[name] for name in Payment.__slots__]
_ALL = [*_OWN, *_OF_ROW, *_OF_MONEY]
_SPLIT, _MONEY = len(_OWN), len(_OWN) + len(_OF_ROW)


_SELECT = sa.select(*(raw(column).label(f"c{place}") for place, column in enumerate(_ALL))).select_from(
    rows.join(batches, rows.c.batch_id == batches.c.id).outerjoin(attempts, rows.c.attempt_id == attempts.c.id)
)


@gc_paused()
def summaries_of(connection: sa.Connection, batch: str) -> list[RowSummary]:
    """Summaries of all rows and takes of a batch, in the order in which they were planned."""
    kinds: dict[tuple[Any, ...], SharedFields] = {}
    found: list[RowSummary] = []
    select = _SELECT.where(batches.c.name == batch).order_by(rows.c.id)
    for group in connection.execute(select).partitions(GROUP):
        for row in group:
            shared = tuple(row[_SPLIT:])
            kind = kinds.get(shared)
            if kind is None:
                kind = kinds[shared] = _kind(shared, connection.dialect)
            found.append(RowSummary._make((*row[:_SPLIT], kind)))
    return found


def moment(text: str | None) -> datetime | None:
    """Parse a time as the ledger stores it."""
    return None if text is None else datetime.fromisoformat(text)


def _kind(shared: tuple[Any, ...], dialect: sa.Dialect) -> SharedFields:
    read: list[Any] = []
    for column, value in zip(_ALL[_SPLIT:], shared, strict=True):
        process = None if isinstance(column.type, sa.Integer) else column.type.result_processor(dialect, None)
        read.append(value if process is None else process(value))
    money = read[_MONEY - _SPLIT :]
    payment = None if money[0] is None else Payment(*money)
    of_row: list[Any] = [*read[: _MONEY - _SPLIT], payment]
    return SharedFields(*of_row)
