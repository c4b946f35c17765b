"""Billed requests for assets: recorded before they are sent, settled by their outcome.

They follow the same laws as creates. After a request with an unknown outcome no other one is sent for the same medium:
every run looks for its asset, until it is found or a person resolves the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError, LedgerError, OverBudget
from prefect_seedance.ledger.db.schema import asset_requests, batches
from prefect_seedance.ledger.db.schema import materials as media
from prefect_seedance.ledger.records import AssetRequest
from prefect_seedance.ledger.rows import budget as commitments
from prefect_seedance.ledger.rows import leases, materials, row_writes, spending
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.resolving import Verdict
from prefect_seedance.ledger.rows.spending import NOTHING, Payer, Purchase, held_by_asset
from prefect_seedance.ledger.states import MaterialState, Outcome
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit

__all__ = ["answer", "ask", "find", "found", "requests_of", "resolve", "waiting"]

_OPEN = (Outcome.SENT, Outcome.UNKNOWN)
_SELECT = sa.select(
    *(batches.c.name if name == "batch" else asset_requests.c[name] for name in AssetRequest.__slots__)
).select_from(asset_requests.join(batches, asset_requests.c.batch_id == batches.c.id))


def ask(
    connection: sa.Connection,
    run: Run,
    material_id: int,
    *,
    billing_model: str,
    unit_price: Amount | None,
    budget: Amount | None,
    limits: Sequence[SpendingLimit] = (),
    room: Decimal = Decimal(0),
) -> int:
    """Record a billed request before it is sent, and reserve its price in the batch's budget.

    Args:
        connection: An open writing transaction.
        run: The run that holds the medium.
        material_id: The medium.
        billing_model: The price line.
        unit_price: Its price; None where it is not known.
        budget: What the batch may cost; None without a bound.
        limits: The spending limits of the account that pays.
        room: What budget and limits must hold in addition to the price: nothing is paid for a row that cannot be made.

    Returns:
        The request's id.

    Raises:
        LedgerError: An earlier request for this medium may have been billed.
        OverBudget: The budget or a spending limit forbids it. Nothing is written.
    """
    record = materials.held(connection, run, material_id)
    if (earlier := waiting(connection, material_id)) is not None:
        raise LedgerError(message("asset.unknown_outcome", request=earlier.id, medium=record.name))
    sent_at, payer = now(), Payer(record.provider, record.account)
    wanted = None if unit_price is None else Amount(decimals.add((unit_price.value, room)), unit_price.currency)
    if wanted is not None and limits:
        commitments.locked(connection, run.batch_id, wanted.currency)  # always before the lines of the account
    reason = _over_budget(connection, run.batch_id, wanted, budget) or spending.objection(
        connection, payer, limits, wanted, sent_at
    )
    if reason is not None:
        raise OverBudget(reason)
    price, currency = (unit_price.value, unit_price.currency) if unit_price else (None, None)
    purchase = Purchase(run.batch_id, payer, sent_at, currency)
    commitments.change(connection, purchase, NOTHING, held_by_asset(Outcome.SENT, price, None))
    made = connection.execute(
        sa.insert(asset_requests).values(
            material_id=material_id,
            batch_id=run.batch_id,
            run_id=run.id,
            provider=record.provider,
            account=record.account,
            billing_model=billing_model,
            unit_price=price,
            currency=currency,
            sent_at=sent_at,
            outcome=Outcome.SENT,
        )
    )
    return row_writes.inserted_id(made)


def answer(
    connection: sa.Connection,
    run: Run,
    request_id: int,
    outcome: Outcome,
    *,
    asset_id: str | None = None,
    code: str | None = None,
    reason: str | None = None,
) -> None:
    """Record the outcome of a billed request of this run; a proven refusal releases its reserved price."""
    request = _request(connection, request_id)
    if request.run_id != run.id or request.outcome not in _OPEN:
        raise LedgerError(message("asset.awaits_no_answer", request=request_id))
    kept = None if reason is None else reason[: row_writes.LONGEST]
    _settle(connection, request, outcome, asset_id, code=code, message=kept, answered_at=now())


def found(connection: sa.Connection, run: Run, material_id: int, asset_id: str) -> None:
    """Settle the open requests for a medium as created, whichever run sent them: the provider's list has the asset."""
    materials.held(connection, run, material_id)
    for request in connection.execute(_open_of(material_id)).all():
        _settle(connection, _request(connection, request.id), Outcome.CREATED, asset_id, answered_at=now())


def waiting(connection: sa.Connection, material_id: int) -> AssetRequest | None:
    """The request for a medium whose outcome is not known; None if there is none."""
    row = connection.execute(_open_of(material_id)).first()
    return None if row is None else AssetRequest(*row)


def requests_of(connection: sa.Connection, batch_id: int) -> list[AssetRequest]:
    """The billed requests that the runs of a batch have made, oldest first."""
    wanted = _SELECT.where(asset_requests.c.batch_id == batch_id).order_by(asset_requests.c.id)
    return [AssetRequest(*row) for row in connection.execute(wanted)]


def find(connection: sa.Connection, batch: str, request_id: int) -> AssetRequest:
    """The billed request with this id.

    Raises:
        InputError: The batch has no such request.
    """
    wanted = _SELECT.where(batches.c.name == batch, asset_requests.c.id == request_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise InputError(message("asset.no_request", batch=batch, request=request_id))
    return AssetRequest(*row)


def resolve(
    connection: sa.Connection, batch: str, request_id: int, verdict: Verdict, *, asset_id: str | None = None
) -> None:
    """Settle a billed request of unknown outcome as a person states it.

    Args:
        connection: An open writing transaction.
        batch: The batch in which it was sent.
        request_id: Its id.
        verdict: `not_made`: nothing was made or billed, and the next run sends a new request. `job`: the asset's id is
            known, and the next run uses it. `lost`: it was billed and is gone; its price counts, and the next run sends
            a new request.
        asset_id: The provider's id of the asset or group, for `job`.

    Raises:
        InputError: Its outcome is known, or the id is missing.
        LedgerError: A live run works on the medium.
    """
    record = find(connection, batch, request_id)
    medium = connection.execute(sa.select(media).where(media.c.id == record.material_id).with_for_update()).one()
    if medium.holder is not None and leases.lives(connection, medium.holder):
        raise LedgerError(message("asset.in_use", medium=medium.name))
    request = _request(connection, request_id)
    if request.outcome not in _OPEN:
        raise InputError(message("asset.not_unknown", request=request_id, outcome=request.outcome.value))
    asset_id = (asset_id or "").strip().removeprefix("asset://") or None
    if (verdict == "job") != (asset_id is not None):
        raise InputError(message("asset.id_expected"))
    outcome = Outcome.WITHDRAWN if verdict == "not_made" else Outcome.CREATED
    resolved = {"resolution": f"asset {asset_id}" if asset_id else verdict, "resolved_at": now()}
    _settle(connection, request, outcome, asset_id, **resolved)
    if verdict == "lost" and medium.state is MaterialState.OPEN:
        # The provider may keep its name reserved, so the next request uses another name.
        materials.change(connection, medium.id, attempt=medium.attempt + 1)


def _settle(
    connection: sa.Connection, request: sa.Row[Any], outcome: Outcome, asset_id: str | None, **values: Any
) -> None:
    payer = Payer(request.provider, request.account)
    commitments.change(
        connection,
        Purchase(request.batch_id, payer, request.sent_at, request.currency),
        held_by_asset(request.outcome, request.unit_price, request.reserved),
        held_by_asset(outcome, request.unit_price, request.reserved),
    )
    connection.execute(
        sa.update(asset_requests)
        .where(asset_requests.c.id == request.id)
        .values(outcome=outcome, asset_id=asset_id, **values)
    )
    if asset_id is None:
        return
    medium = connection.execute(sa.select(media).where(media.c.id == request.material_id)).one()
    if medium.state is MaterialState.OPEN:
        # In the same transaction: if the process dies after it, no later run asks for the asset again.
        state = MaterialState.READY if medium.form == "group" else MaterialState.REVIEWING
        materials.change(connection, medium.id, state=state, asset_id=asset_id, made_at=now())


def _open_of(material_id: int) -> sa.Select[Any]:
    wanted = sa.and_(asset_requests.c.material_id == material_id, asset_requests.c.outcome.in_(_OPEN))
    return _SELECT.where(wanted).order_by(asset_requests.c.id)


def _request(connection: sa.Connection, request_id: int) -> sa.Row[Any]:
    return connection.execute(sa.select(asset_requests).where(asset_requests.c.id == request_id)).one()


def _over_budget(
    connection: sa.Connection, batch_id: int, wanted: Amount | None, budget: Amount | None
) -> Message | None:
    """Why the budget forbids a request; None where it does not."""
    if budget is None:
        return None
    if wanted is None:
        return message("asset.no_price")
    if wanted.currency == budget.currency:
        committed = commitments.locked(connection, batch_id, budget.currency)
        if decimals.add((committed, wanted.value)) <= budget.value:
            return None
    return message("asset.beyond_budget", budget=budget)
