"""Media at a provider: each content once per account and form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError, LedgerError
from prefect_seedance.ledger.db.schema import materials
from prefect_seedance.ledger.records import MaterialKey, MaterialRecord
from prefect_seedance.ledger.rows import leases
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.states import MaterialState
from prefect_seedance.messages import message

__all__ = ["change", "drop", "find", "held", "note", "reopen", "take"]

_OPENED = {
    "state": MaterialState.OPEN,
    **dict.fromkeys(("asset_id", "reference", "expires_at", "made_at", "error_code", "error_message")),
}
_FIELDS = [materials.c[name] for name in MaterialRecord.__slots__]


def take(connection: sa.Connection, run: Run, key: MaterialKey, name: str, *, needed_until: datetime) -> MaterialRecord:
    """Claim a medium to work on it; one that is ready is returned unchanged.

    Args:
        connection: An open writing transaction.
        run: The run that needs it.
        key: Content, account and form.
        name: The name for the provider, where the medium is new.
        needed_until: A reference that expires before this time is made again.

    Returns:
        The medium. Where `holder` is another run, that run works on it, and the caller should wait for it.
    """
    _insert(connection, key, name)
    found = connection.execute(sa.select(*_FIELDS).where(_is(key)).with_for_update()).one()
    record = MaterialRecord(*found)
    if record.holder not in {None, run.id} and leases.lives(connection, str(record.holder)):
        return record
    values: dict[str, Any] = {}
    stale = record.expires_at is not None and record.expires_at < needed_until
    if record.state is MaterialState.READY and not stale:
        return record
    if record.state is MaterialState.READY:
        values = {"state": MaterialState.OPEN, "reference": None, "expires_at": None, "made_at": None}
    change(connection, record.id, holder=run.id, **values)
    return MaterialRecord(*connection.execute(sa.select(*_FIELDS).where(materials.c.id == record.id)).one())


def find(connection: sa.Connection, key: MaterialKey) -> MaterialRecord | None:
    """The medium as the ledger has it; None where it is not there."""
    found = connection.execute(sa.select(*_FIELDS).where(_is(key))).one_or_none()
    return None if found is None else MaterialRecord(*found)


def reopen(connection: sa.Connection, material_id: int, asset_id: str) -> bool:
    """Open a ready medium for another submission, since its provider has lost the asset.

    Returns:
        Whether it was ready with this asset; otherwise nothing was changed.
    """
    here = sa.and_(materials.c.id == material_id, materials.c.asset_id == asset_id)
    ready = sa.and_(here, materials.c.state == MaterialState.READY, materials.c.holder.is_(None))
    opened = sa.update(materials).where(ready).values(**_OPENED, attempt=materials.c.attempt + 1, changed_at=now())
    return connection.execute(opened).rowcount > 0


def drop(connection: sa.Connection, asset_id: str) -> list[str]:
    """Open every medium of this asset for another submission, whatever its state; returns their names.

    Raises:
        InputError: The ledger knows no such asset.
        LedgerError: A live run works on it.
    """
    found = connection.execute(sa.select(materials).where(materials.c.asset_id == asset_id)).all()
    if not found:
        raise InputError(message("asset.not_in_ledger", asset=asset_id))
    for each in found:
        if each.holder is not None and leases.lives(connection, each.holder):
            raise LedgerError(message("asset.drop_in_use", asset=asset_id))
        change(connection, each.id, **_OPENED, holder=None, attempt=each.attempt + 1)
    return [str(each.name) for each in found]


def note(connection: sa.Connection, /, run: Run, material_id: int, **values: Any) -> None:
    """Record values of a medium; one that is ready or failed is released.

    Raises:
        LedgerError: The run does not hold it.
    """
    held(connection, run, material_id)
    if values.get("state") in {MaterialState.READY, MaterialState.FAILED}:
        values["holder"] = None
    change(connection, material_id, **values)


def _insert(connection: sa.Connection, key: MaterialKey, name: str) -> None:
    if connection.execute(sa.select(materials.c.id).where(_is(key))).scalar() is not None:
        return
    values = {field: getattr(key, field) for field in MaterialKey.__slots__}
    try:
        with connection.begin_nested():
            state = MaterialState.OPEN
            connection.execute(
                sa.insert(materials).values(**values, name=name, state=state, attempt=1, changed_at=now())
            )
    except IntegrityError:
        pass  # another machine has just inserted it


def _is(key: MaterialKey) -> sa.ColumnElement[bool]:
    return sa.and_(*(materials.c[field] == getattr(key, field) for field in MaterialKey.__slots__))


def held(connection: sa.Connection, run: Run, material_id: int) -> sa.Row[Any]:
    """The medium, locked until the transaction ends.

    Raises:
        LedgerError: The run does not hold it.
    """
    found = connection.execute(sa.select(materials).where(materials.c.id == material_id).with_for_update()).one()
    if found.holder != run.id:
        raise LedgerError(message("ledger.medium_taken_over", medium=found.name))
    return found


def change(connection: sa.Connection, material_id: int, **values: Any) -> None:
    """Record values of a medium."""
    connection.execute(sa.update(materials).where(materials.c.id == material_id).values(changed_at=now(), **values))
