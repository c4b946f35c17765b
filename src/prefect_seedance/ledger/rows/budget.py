"""The commitment of a batch, by currency: known charges, and the worst case of all that is not settled.

The sum is updated in the same transaction as the attempt that changes it, so that runs and machines that share a ledger
never spend the same money twice. `recount` is the definition; tests compare the two. Each change goes on to the sums of
the account that pays: see `spending`.
"""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prefect_seedance.ledger.db.schema import asset_requests, attempts, rows, sums
from prefect_seedance.ledger.rows import spending
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.spending import Held, Purchase, held, held_by_asset
from prefect_seedance.ledger.states import Outcome, Settlement
from prefect_seedance.routes.pricing import decimals

__all__ = ["change", "committed", "locked", "recount", "set_worst_case", "unbounded"]

_UNSETTLED = (Settlement.OPEN, Settlement.UNKNOWN, Settlement.UNDOCUMENTED, Settlement.CHARGED)


_OF_BATCH = sa.and_(sums.c.batch_id == sa.bindparam("this_batch"), sums.c.currency == sa.bindparam("this_currency"))
_COMMITTED = sa.select(sums.c.committed).where(_OF_BATCH)
_LOCKED = _COMMITTED.with_for_update()
_COMMIT = sa.update(sums).where(_OF_BATCH)


def committed(connection: sa.Connection, run: Run, currency: str) -> Decimal:
    """The commitment of a run's batch in one currency: known charges, and the worst case of the rest."""
    found: Decimal | None = connection.execute(_COMMITTED, _sum_of(run.batch_id, currency)).scalar()
    return Decimal(0) if found is None else found


def locked(connection: sa.Connection, batch_id: int, currency: str) -> Decimal:
    """The batch's commitment in one currency, locked until the transaction ends."""
    found: Decimal | None = connection.execute(_LOCKED, _sum_of(batch_id, currency)).scalar()
    if found is not None:
        return found
    # A missing line cannot be locked, and two machines would both start at zero.
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(sums).values(batch_id=batch_id, currency=currency, committed=Decimal(0)))
    except IntegrityError:
        pass
    begun: Decimal = connection.execute(_LOCKED, _sum_of(batch_id, currency)).scalar_one()
    return begun


def change(connection: sa.Connection, purchase: Purchase, before: Held, after: Held) -> None:
    """Update the commitment of a purchase's batch, and what its account has spent."""
    by = Held(decimals.add((after.amount, before.amount.copy_negate())), after.unbounded - before.unbounded)
    if purchase.currency is not None:
        _add(connection, purchase.batch_id, purchase.currency, by.amount)
    spending.change(connection, purchase, by)


def _add(connection: sa.Connection, batch_id: int, currency: str, amount: Decimal) -> None:
    if amount:
        total = decimals.add((locked(connection, batch_id, currency), amount))
        connection.execute(_COMMIT, {**_sum_of(batch_id, currency), "committed": total})


def _sum_of(batch_id: int, currency: str) -> dict[str, object]:
    return {"this_batch": batch_id, "this_currency": currency}


def recount(connection: sa.Connection, batch_id: int) -> dict[str, Decimal]:
    """The batch's commitment, recomputed from its attempts and its billed asset requests."""
    wanted = (
        sa.select(attempts.c.reserve_currency, attempts.c.settlement, attempts.c.charge, attempts.c.reserved)
        .select_from(attempts.join(rows, attempts.c.row_id == rows.c.id))
        .where(rows.c.batch_id == batch_id, attempts.c.reserve_currency.is_not(None))
    )
    found: dict[str, Decimal] = {}
    for currency, settlement, charge, reserved in connection.execute(wanted):
        found[currency] = decimals.add((found.get(currency, Decimal(0)), held(settlement, charge, reserved).amount))
    assets = sa.select(
        asset_requests.c.currency, asset_requests.c.outcome, asset_requests.c.unit_price, asset_requests.c.reserved
    ).where(asset_requests.c.batch_id == batch_id, asset_requests.c.currency.is_not(None))
    for currency, outcome, price, reserved in connection.execute(assets):
        found[currency] = decimals.add(
            (found.get(currency, Decimal(0)), held_by_asset(outcome, price, reserved).amount)
        )
    return found


def _without_bound(batch_id: int, currency: str | None) -> sa.ColumnElement[bool]:
    of_batch = sa.select(rows.c.id).where(rows.c.batch_id == batch_id)
    # Attempts that are priced in another currency do not count: currencies are never mixed.
    of_currency = sa.true() if currency is None else sa.func.coalesce(attempts.c.currency, currency) == currency
    return sa.and_(
        of_currency,
        attempts.c.row_id.in_(of_batch),
        attempts.c.reserved.is_(None),
        attempts.c.charge.is_(None),
        attempts.c.settlement.in_(_UNSETTLED),
    )


def _assets_without_bound(batch_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        asset_requests.c.batch_id == batch_id,
        asset_requests.c.unit_price.is_(None),
        asset_requests.c.reserved.is_(None),
        asset_requests.c.outcome.not_in((Outcome.REFUSED, Outcome.WITHDRAWN)),
    )


def unbounded(connection: sa.Connection, batch_id: int, currency: str | None = None) -> int:
    """The number of unsettled attempts of a batch without a worst case (in one currency, or in none that is known).

    Billed asset requests without a known price are included. A budget cannot cover either.
    """
    creates = connection.execute(sa.select(sa.func.count()).where(_without_bound(batch_id, currency))).scalar_one()
    assets = connection.execute(sa.select(sa.func.count()).where(_assets_without_bound(batch_id))).scalar_one()
    return int(creates) + int(assets)


def set_worst_case(connection: sa.Connection, batch_id: int, currency: str, most: Decimal) -> None:
    """Set the worst case, as the user states it, of unsettled attempts and asset requests that have none."""
    number = unbounded(connection, batch_id, currency)
    connection.execute(
        sa.update(attempts).where(_without_bound(batch_id, currency)).values(reserved=most, reserve_currency=currency)
    )
    connection.execute(
        sa.update(asset_requests).where(_assets_without_bound(batch_id)).values(reserved=most, currency=currency)
    )
    _add(connection, batch_id, currency, decimals.multiply(most, Decimal(number)))
    if number:
        spending.forget(connection)
