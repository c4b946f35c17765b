"""How the rows of a whole batch stand, kept small: what a report says of each of a hundred thousand rows.

Most of what is known of a row it has in common with many others: route, price, charge, state, size. That is read and
kept once for all rows of a kind; a row's own moments stay the text that the database has until somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from prefect_seedance.core.gc_pause import gc_paused
from prefect_seedance.ledger.db.schema import as_kept, attempts, batches, rows
from prefect_seedance.ledger.states import Outcome, Settlement, State

__all__ = ["Payment", "RowSummary", "SharedFields", "moment", "summaries_of"]

GROUP = 2000
"""Rows that are fetched at once."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What an attempt says of money; see `AttemptRecord`, of which these are the same fields."""

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
    """What many rows have in common. `payment` is what their latest attempts say of money, where there is one."""

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
    """How one row stands. Its moments are texts, as the ledger keeps them: `moment` reads them."""

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


_SELECT = sa.select(*(as_kept(column).label(f"c{place}") for place, column in enumerate(_ALL))).select_from(
    rows.join(batches, rows.c.batch_id == batches.c.id).outerjoin(attempts, rows.c.attempt_id == attempts.c.id)
)


@gc_paused()
def summaries_of(connection: sa.Connection, batch: str) -> list[RowSummary]:
    """How all rows of a batch stand, all takes, in the order in which they were planned."""
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
    """A moment as the ledger keeps it."""
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
