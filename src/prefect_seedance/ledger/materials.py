"""Media that were handed to a provider: each content once per account and form; what is billed, written down first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import budget as commitments
from prefect_seedance.ledger import holders, moves
from prefect_seedance.ledger.holders import Run, now
from prefect_seedance.ledger.records import AssetRequest, MaterialKey, MaterialRecord
from prefect_seedance.ledger.schema import asset_requests, materials
from prefect_seedance.ledger.states import MaterialState, Outcome
from prefect_seedance.routes import exact
from prefect_seedance.routes.amount import Amount

__all__ = ["answer", "ask", "note", "requests_of", "take"]

_FIELDS = [materials.c[name] for name in MaterialRecord.__slots__]
_REQUEST_FIELDS = [asset_requests.c[name] for name in AssetRequest.__slots__]


def take(connection: sa.Connection, run: Run, key: MaterialKey, name: str, *, needed_until: datetime) -> MaterialRecord:
    """Take a medium to work on it; one that is ready needs no more work and is told as it is.

    Args:
        connection: An open writing transaction.
        run: The run that needs it.
        key: Which content, where, in which form.
        name: The name under which the provider is to know it, where it is new.
        needed_until: A reference that expires before this is of no use any more: it is made anew.

    Returns:
        The medium. Where `holder` is another run, that one is at work on it and is to be waited for.
    """
    _insert(connection, key, name)
    found = connection.execute(sa.select(*_FIELDS).where(_is(key)).with_for_update()).one()
    record = MaterialRecord(*found)
    if record.holder not in {None, run.id} and holders.lives(connection, str(record.holder)):
        return record
    values: dict[str, Any] = {}
    stale = record.expires_at is not None and record.expires_at < needed_until
    if record.state is MaterialState.READY and not stale:
        return record
    if record.state is MaterialState.READY:
        values = {"state": MaterialState.OPEN, "reference": None, "expires_at": None, "made_at": None}
    _set(connection, record.id, holder=run.id, **values)
    return MaterialRecord(*connection.execute(sa.select(*_FIELDS).where(materials.c.id == record.id)).one())


def ask(
    connection: sa.Connection,
    run: Run,
    material_id: int,
    *,
    billing_model: str,
    unit_price: Amount | None,
    budget: Amount | None,
) -> int | None:
    """Write down a billed request before it is sent, and hold its price back from the batch's budget.

    Returns:
        The request's id; None where the budget forbids it.
    """
    record = _held(connection, run, material_id)
    if budget is not None and not _fits(connection, run.batch_id, unit_price, budget):
        return None
    if unit_price is not None:
        commitments.change(connection, run.batch_id, unit_price.currency, unit_price.value)
    made = connection.execute(
        sa.insert(asset_requests).values(
            material_id=material_id,
            batch_id=run.batch_id,
            run_id=run.id,
            provider=record.provider,
            account=record.account,
            billing_model=billing_model,
            unit_price=unit_price.value if unit_price else None,
            currency=unit_price.currency if unit_price else None,
            sent_at=now(),
            outcome=Outcome.SENT,
        )
    )
    return moves.inserted_id(made)


def answer(
    connection: sa.Connection,
    run: Run,
    request_id: int,
    outcome: Outcome,
    *,
    asset_id: str | None = None,
    code: str | None = None,
    message: str | None = None,
) -> None:
    """Write down what became of a billed request; a proven refusal gives its price back to the budget."""
    found = connection.execute(sa.select(asset_requests).where(asset_requests.c.id == request_id)).one()
    if found.run_id != run.id or found.outcome not in {Outcome.SENT, Outcome.UNKNOWN}:
        raise LedgerError(f"An answer to the asset request {request_id}, which waits for none.")
    if outcome in {Outcome.REFUSED, Outcome.WITHDRAWN} and found.unit_price is not None:
        commitments.change(connection, found.batch_id, found.currency, found.unit_price.copy_negate())
    told = None if message is None else message[: moves.LONGEST]
    values = {"outcome": outcome, "asset_id": asset_id, "code": code, "message": told, "answered_at": now()}
    connection.execute(sa.update(asset_requests).where(asset_requests.c.id == request_id).values(values))


def note(connection: sa.Connection, run: Run, material_id: int, **values: Any) -> None:
    """Write down how a medium stands now; one that is at its end is let go of."""
    _held(connection, run, material_id)
    if values.get("state") in {MaterialState.READY, MaterialState.FAILED}:
        values["holder"] = None
    _set(connection, material_id, **values)


def requests_of(connection: sa.Connection, batch_id: int) -> list[AssetRequest]:
    """The billed requests that the runs of a batch have made, oldest first."""
    wanted = sa.select(*_REQUEST_FIELDS).where(asset_requests.c.batch_id == batch_id).order_by(asset_requests.c.id)
    return [AssetRequest(*row) for row in connection.execute(wanted)]


def _insert(connection: sa.Connection, key: MaterialKey, name: str) -> None:
    if connection.execute(sa.select(materials.c.id).where(_is(key))).scalar() is not None:
        return
    values = {field: getattr(key, field) for field in MaterialKey.__slots__}
    try:
        with connection.begin_nested():
            state = MaterialState.OPEN
            connection.execute(sa.insert(materials).values(**values, name=name, state=state, changed_at=now()))
    except IntegrityError:
        pass  # another machine has just made it


def _is(key: MaterialKey) -> sa.ColumnElement[bool]:
    return sa.and_(*(materials.c[field] == getattr(key, field) for field in MaterialKey.__slots__))


def _held(connection: sa.Connection, run: Run, material_id: int) -> sa.Row[Any]:
    found = connection.execute(sa.select(materials).where(materials.c.id == material_id).with_for_update()).one()
    if found.holder != run.id:
        raise LedgerError(f"Another run has taken over the medium {found.name!r}.")
    return found


def _fits(connection: sa.Connection, batch_id: int, price: Amount | None, budget: Amount) -> bool:
    if price is None or price.currency != budget.currency:
        return False
    return exact.add((commitments.locked(connection, batch_id, budget.currency), price.value)) <= budget.value


def _set(connection: sa.Connection, material_id: int, **values: Any) -> None:
    connection.execute(sa.update(materials).where(materials.c.id == material_id).values(changed_at=now(), **values))
