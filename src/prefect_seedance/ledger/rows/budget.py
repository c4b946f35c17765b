"""What a batch has committed itself to, by currency: known charges, and the worst case of all that is not settled.

The sum is kept as it changes, in the same transaction as the attempt that changes it, so that many runs and machines
that share a ledger can never spend the same money twice. `recount` is the definition; tests hold one against the other.
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prefect_seedance.ledger.db.schema import asset_requests, attempts, rows, sums
from prefect_seedance.ledger.states import Outcome, Settlement
from prefect_seedance.routes.pricing import decimals

__all__ = ["bind", "change", "committed", "held", "locked", "recount", "unbounded"]

_UNSETTLED = (Settlement.OPEN, Settlement.UNKNOWN, Settlement.UNDOCUMENTED, Settlement.CHARGED)


def held(settlement: Settlement, charge: Decimal | None, reserved: Decimal | None) -> Decimal:
    """How much of the budget one attempt holds: its charge, or its worst case for as long as that is not known."""
    if settlement in {Settlement.NOTHING, Settlement.REFUNDED}:
        return Decimal(0)
    if settlement is Settlement.CHARGED and charge is not None:
        return charge
    return reserved or Decimal(0)


_OF_BATCH = sa.and_(sums.c.batch_id == sa.bindparam("this_batch"), sums.c.currency == sa.bindparam("this_currency"))
_COMMITTED = sa.select(sums.c.committed).where(_OF_BATCH)
_LOCKED = _COMMITTED.with_for_update()
_COMMIT = sa.update(sums).where(_OF_BATCH)


def committed(connection: sa.Connection, batch_id: int, currency: str) -> Decimal:
    """The batch's commitment in one currency."""
    found: Decimal | None = connection.execute(_COMMITTED, _sum_of(batch_id, currency)).scalar()
    return Decimal(0) if found is None else found


def locked(connection: sa.Connection, batch_id: int, currency: str) -> Decimal:
    """The batch's commitment in one currency; nobody else changes it until the transaction ends."""
    found: Decimal | None = connection.execute(_LOCKED, _sum_of(batch_id, currency)).scalar()
    if found is not None:
        return found
    # A line that is not there cannot be locked, and two machines would both begin at zero.
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(sums).values(batch_id=batch_id, currency=currency, committed=Decimal(0)))
    except IntegrityError:
        pass
    begun: Decimal = connection.execute(_LOCKED, _sum_of(batch_id, currency)).scalar_one()
    return begun


def change(connection: sa.Connection, batch_id: int, currency: str, amount: Decimal) -> None:
    """Add to the batch's commitment, or take from it."""
    if not amount:
        return
    total = decimals.add((locked(connection, batch_id, currency), amount))
    connection.execute(_COMMIT, {**_sum_of(batch_id, currency), "committed": total})


def _sum_of(batch_id: int, currency: str) -> dict[str, object]:
    return {"this_batch": batch_id, "this_currency": currency}


def recount(connection: sa.Connection, batch_id: int) -> dict[str, Decimal]:
    """The batch's commitment, counted anew from its attempts and its billed asset requests."""
    wanted = (
        sa.select(attempts.c.reserve_currency, attempts.c.settlement, attempts.c.charge, attempts.c.reserved)
        .select_from(attempts.join(rows, attempts.c.row_id == rows.c.id))
        .where(rows.c.batch_id == batch_id, attempts.c.reserve_currency.is_not(None))
    )
    found: dict[str, Decimal] = {}
    for currency, settlement, charge, reserved in connection.execute(wanted):
        found[currency] = decimals.add((found.get(currency, Decimal(0)), held(settlement, charge, reserved)))
    assets = sa.select(asset_requests.c.currency, asset_requests.c.unit_price, asset_requests.c.reserved).where(
        asset_requests.c.batch_id == batch_id,
        asset_requests.c.currency.is_not(None),
        asset_requests.c.outcome.not_in((Outcome.REFUSED, Outcome.WITHDRAWN)),
    )
    for currency, price, reserved in connection.execute(assets):
        amount = reserved if price is None else price
        found[currency] = decimals.add((found.get(currency, Decimal(0)), amount or Decimal(0)))
    return found


def _boundless(batch_id: int, currency: str | None) -> sa.ColumnElement[bool]:
    mine = sa.select(rows.c.id).where(rows.c.batch_id == batch_id)
    # What is priced in another currency is no concern of this one: they are never mixed.
    of_it = sa.true() if currency is None else sa.func.coalesce(attempts.c.currency, currency) == currency
    return sa.and_(
        of_it,
        attempts.c.row_id.in_(mine),
        attempts.c.reserved.is_(None),
        attempts.c.charge.is_(None),
        attempts.c.settlement.in_(_UNSETTLED),
    )


def _boundless_assets(batch_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        asset_requests.c.batch_id == batch_id,
        asset_requests.c.unit_price.is_(None),
        asset_requests.c.reserved.is_(None),
        asset_requests.c.outcome.not_in((Outcome.REFUSED, Outcome.WITHDRAWN)),
    )


def unbounded(connection: sa.Connection, batch_id: int, currency: str | None = None) -> int:
    """How many unsettled attempts of a batch (in one currency, or in none that is known) have no worst case.

    Requests for assets that were billed without a known price are among them. A budget cannot speak of them.
    """
    creates = connection.execute(sa.select(sa.func.count()).where(_boundless(batch_id, currency))).scalar_one()
    assets = connection.execute(sa.select(sa.func.count()).where(_boundless_assets(batch_id))).scalar_one()
    return int(creates) + int(assets)


def bind(connection: sa.Connection, batch_id: int, currency: str, most: Decimal) -> None:
    """Give the unsettled attempts and asset requests that have none a worst case, by the user's word."""
    number = unbounded(connection, batch_id, currency)
    connection.execute(
        sa.update(attempts).where(_boundless(batch_id, currency)).values(reserved=most, reserve_currency=currency)
    )
    connection.execute(
        sa.update(asset_requests).where(_boundless_assets(batch_id)).values(reserved=most, currency=currency)
    )
    change(connection, batch_id, currency, decimals.multiply(most, Decimal(number)))
