"""What each account has spent in the periods of its spending limits, over all batches of the ledger.

A limit's period has a line from the first time that the limit is checked in it: counted from the attempts and the
billed asset requests that were sent in it. From then on the line is updated in the same transaction as the attempt that
changes it, so that all processes that share a ledger share the limit. `recount` is the definition; tests compare the
two.

A purchase counts in the period in which it was sent, whenever its charge becomes known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Self

import sqlalchemy as sa

from prefect_seedance.ledger.db.schema import asset_requests, attempts, batches, rows, spending
from prefect_seedance.ledger.states import Outcome, Settlement
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit

__all__ = ["NOTHING", "Held", "Payer", "Period", "Purchase", "change", "forget", "held", "objection", "present", "used"]

LOCK = 0x5EEDDA9CF
"""The advisory lock of a server: shared while an amount is changed, exclusive while a new line is counted. So a
purchase is either counted by the new line, or finds it and adds to it."""


class Payer(NamedTuple):
    """An account, as the ledger names it."""

    provider: str
    account: str


class Held(NamedTuple):
    """What one or several purchases hold: known charges and worst cases, and how many have no bound."""

    amount: Decimal
    unbounded: int


NOTHING = Held(Decimal(0), 0)


@dataclass(frozen=True, slots=True)
class Purchase:
    """An attempt or a billed asset request, as far as the sums need it. `currency` is None where it is not known."""

    batch_id: int
    payer: Payer
    sent_at: datetime
    currency: str | None


@dataclass(frozen=True, slots=True)
class Period:
    """The state of a spending limit in its present period.

    Attributes:
        payer: The account.
        starts_at: The start of the period.
        ends_at: When the limit renews.
        currency: The currency of the amounts.
        used: What is used: known charges, and the worst case of what is not settled.
        unbounded: Requests that may have been paid and have no worst case.
        most: The limit.
    """

    payer: Payer
    starts_at: datetime
    ends_at: datetime
    currency: str
    used: Decimal
    unbounded: int
    most: Decimal

    @classmethod
    def of(cls, payer: Payer, limit: SpendingLimit, moment: datetime, found: Held = NOTHING) -> Self:
        """The state of a limit of which so much is used."""
        return cls(payer, *limit.period(moment), limit.amount.currency, *found, limit.amount.value)


def held(settlement: Settlement, charge: Decimal | None, reserved: Decimal | None) -> Held:
    """What one attempt holds: its charge, or its worst case while the charge is not known."""
    if settlement in {Settlement.NOTHING, Settlement.REFUNDED}:
        return NOTHING
    if settlement is Settlement.CHARGED and charge is not None:
        return Held(charge, 0)
    return Held(reserved or Decimal(0), int(reserved is None and charge is None))


def held_by_asset(outcome: Outcome, price: Decimal | None, reserved: Decimal | None) -> Held:
    """What one billed asset request holds: its price, or its worst case where it has none."""
    if outcome in {Outcome.REFUSED, Outcome.WITHDRAWN}:
        return NOTHING
    amount = reserved if price is None else price
    return Held(amount or Decimal(0), int(amount is None))


_CURRENT = sa.and_(
    spending.c.provider == sa.bindparam("this_provider"),
    spending.c.account == sa.bindparam("this_account"),
    spending.c.ends_at > sa.bindparam("this_moment", type_=spending.c.ends_at.type),
    spending.c.starts_at <= sa.bindparam("this_moment", type_=spending.c.starts_at.type),
)
_LINES = sa.select(spending).where(_CURRENT).order_by(spending.c.ends_at, spending.c.starts_at).with_for_update()
_THIS_LINE = sa.and_(
    spending.c.provider == sa.bindparam("this_provider"),
    spending.c.account == sa.bindparam("this_account"),
    spending.c.ends_at == sa.bindparam("this_end", type_=spending.c.ends_at.type),
    spending.c.starts_at == sa.bindparam("this_start", type_=spending.c.starts_at.type),
    spending.c.currency == sa.bindparam("this_currency"),
)
_UPDATE = sa.update(spending).where(_THIS_LINE)
_LOCKED = sa.select(spending).where(_THIS_LINE).with_for_update()
_PAID = (
    sa.select(attempts.c.reserve_currency, attempts.c.settlement, attempts.c.charge, attempts.c.reserved)
    .where(attempts.c.provider == sa.bindparam("this_provider"), attempts.c.account == sa.bindparam("this_account"))
    .where(attempts.c.sent_at >= sa.bindparam("this_start", type_=attempts.c.sent_at.type))
    .where(attempts.c.sent_at < sa.bindparam("this_end", type_=attempts.c.sent_at.type))
)
_ASKED = (
    sa.select(
        asset_requests.c.currency, asset_requests.c.outcome, asset_requests.c.unit_price, asset_requests.c.reserved
    )
    .where(asset_requests.c.provider == sa.bindparam("this_provider"))
    .where(asset_requests.c.account == sa.bindparam("this_account"))
    .where(asset_requests.c.sent_at >= sa.bindparam("this_start", type_=asset_requests.c.sent_at.type))
    .where(asset_requests.c.sent_at < sa.bindparam("this_end", type_=asset_requests.c.sent_at.type))
)


def change(connection: sa.Connection, purchase: Purchase, by: Held) -> None:
    """Add what a purchase holds more than before, which may be negative, to the lines of its account and its time."""
    if by == NOTHING:
        return
    _lock(connection, shared=True)
    for line in connection.execute(_LINES, {**_of(purchase.payer), "this_moment": purchase.sent_at}).all():
        if purchase.currency not in {None, line.currency}:
            continue
        values = {"committed": decimals.add((line.committed, by.amount)), "unbounded": line.unbounded + by.unbounded}
        connection.execute(_UPDATE, {**_key(purchase.payer, line), **values})


def objection(
    connection: sa.Connection,
    payer: Payer,
    limits: Sequence[SpendingLimit],
    wanted: Amount | None,
    moment: datetime,
) -> Message | None:
    """Why an amount may not be reserved now under the limits of its account; None where it may.

    The lines of the limits are locked until the transaction ends.

    Args:
        connection: An open writing transaction.
        payer: The account.
        limits: Its limits.
        wanted: The worst case of what is to be sent; None where it has no bound.
        moment: When it is sent.
    """
    account = "/".join(payer)
    for limit in limits:
        if wanted is None:
            return message("spending.no_bound", limit=limit, account=account)
        if wanted.currency != limit.amount.currency:
            return message("spending.other_currency", limit=limit, account=account, currency=wanted.currency)
        line = _locked(connection, payer, limit, moment)
        if line.unbounded:
            batch = _batch_without_bound(connection, payer, line)
            return message(
                "spending.unbounded",
                limit=limit,
                account=account,
                requests=line.unbounded,
                batch=batch,
                currency=limit.amount.currency,
                renewal=limit.renewal(moment),
            )
        if decimals.add((line.used, wanted.value)) > limit.amount.value:
            return message(
                "spending.exhausted",
                wanted=wanted,
                limit=limit,
                account=account,
                used=Amount(line.used, line.currency),
                now=limit.now,
                renewal=limit.renewal(moment),
            )
    return None


def used(connection: sa.Connection, payer: Payer, limit: SpendingLimit, moment: datetime) -> Period:
    """The state of a limit at a moment. Only reads."""
    start, end = limit.period(moment)
    line = connection.execute(
        sa.select(spending).where(_THIS_LINE), _line(payer, start, end, limit.amount.currency)
    ).one_or_none()
    found = (
        recount(connection, payer, limit.amount.currency, start, end)
        if line is None
        else Held(line.committed, line.unbounded)
    )
    return Period.of(payer, limit, moment, found)


def present(connection: sa.Connection, moment: datetime) -> list[Period]:
    """The state of all limits that were checked in a period that is not over yet."""
    wanted = sa.select(spending).where(spending.c.starts_at <= moment, spending.c.ends_at > moment)
    lines = connection.execute(wanted.order_by(*spending.primary_key.columns))
    return [_period(line) for line in lines]


def recount(connection: sa.Connection, payer: Payer, currency: str, start: datetime, end: datetime) -> Held:
    """What an account has spent in a span of time, recomputed from its attempts and its billed asset requests.

    A request whose currency is not known may be in this one.
    """
    span = {**_of(payer), "this_start": start, "this_end": end}
    each = [(own, held(*values)) for own, *values in connection.execute(_PAID, span)]
    each += [(own, held_by_asset(*values)) for own, *values in connection.execute(_ASKED, span)]
    return _sum(one for own, one in each if own in {None, currency})


def forget(connection: sa.Connection) -> None:
    """Delete all lines: many purchases are changed at once, and each line is counted when it is needed again."""
    _lock(connection, shared=True)
    connection.execute(sa.delete(spending))


def _sum(each: Iterable[Held]) -> Held:
    every = list(each)
    return Held(decimals.add(one.amount for one in every), sum(one.unbounded for one in every))


def _locked(connection: sa.Connection, payer: Payer, limit: SpendingLimit, moment: datetime) -> Period:
    """The state of a limit, locked until the transaction ends; its line is counted where it is new."""
    start, end = limit.period(moment)
    this = _line(payer, start, end, limit.amount.currency)
    line = connection.execute(_LOCKED, this).one_or_none()
    if line is None:
        _lock(connection, shared=False)
        line = connection.execute(_LOCKED, this).one_or_none()
    if line is None:
        found = recount(connection, payer, limit.amount.currency, start, end)
        connection.execute(
            sa.insert(spending).values(
                **payer._asdict(),
                starts_at=start,
                ends_at=end,
                currency=limit.amount.currency,
                committed=found.amount,
                unbounded=found.unbounded,
                most=limit.amount.value,
            )
        )
        line = connection.execute(_LOCKED, this).one()
    if line.most != limit.amount.value:
        connection.execute(_UPDATE, {**this, "most": limit.amount.value})
    return _period(line)


def _lock(connection: sa.Connection, *, shared: bool) -> None:
    # In SQLite a writing transaction has the whole ledger to itself.
    if connection.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
        connection.execute(sa.select(lock(LOCK)))


def _batch_without_bound(connection: sa.Connection, payer: Payer, line: Period) -> str:
    """The name of a batch with a request that has no worst case."""
    span = {**_of(payer), "this_start": line.starts_at, "this_end": line.ends_at}
    paid = _PAID.add_columns(batches.c.name).join(rows, attempts.c.row_id == rows.c.id)
    asked = _ASKED.add_columns(batches.c.name)
    for wanted, hold in (
        (paid.join(batches, rows.c.batch_id == batches.c.id), held),
        (asked.join(batches, asset_requests.c.batch_id == batches.c.id), held_by_asset),
    ):
        for currency, *values, name in connection.execute(wanted, span):
            if currency in {None, line.currency} and hold(*values).unbounded:
                return str(name)
    return "?"


def _period(line: sa.Row[tuple[object, ...]]) -> Period:
    payer = Payer(line.provider, line.account)
    return Period(payer, line.starts_at, line.ends_at, line.currency, line.committed, line.unbounded, line.most)


def _of(payer: Payer) -> dict[str, object]:
    return {"this_provider": payer.provider, "this_account": payer.account}


def _key(payer: Payer, line: sa.Row[tuple[object, ...]]) -> dict[str, object]:
    return _line(payer, line.starts_at, line.ends_at, line.currency)


def _line(payer: Payer, start: datetime, end: datetime, currency: str) -> dict[str, object]:
    return {**_of(payer), "this_start": start, "this_end": end, "this_currency": currency}
