"""The ledger's schema version: made, recognised, migrated, never dropped."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger.migrations import MIGRATIONS
from prefect_seedance.ledger.schema import book, metadata

__all__ = ["VERSION", "current_identity", "prepare"]

VERSION = 3
"""The schema that this code writes. A ledger of a later version is refused, an earlier one is migrated."""

POSTGRES_LOCK = 0x5EEDDA9CE
"""Taken while tables are made, so that of two newcomers one waits for the other."""


def current_identity(connection: sa.Connection) -> str | None:
    """The identity of a ledger that is up to date; None where `prepare` has something to do.

    Raises:
        LedgerError: It was written by a later version of this package.
    """
    known = _known(connection)
    if not known or _version(known) < VERSION:
        return None
    return known["identity"]


def prepare(connection: sa.Connection) -> str:
    """Make or migrate the tables in an open writing transaction; returns the ledger's identity.

    Raises:
        LedgerError: It was written by a later version of this package.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(POSTGRES_LOCK)))
    known = _known(connection)
    if not known:
        return _make(connection)
    for step in range(_version(known), VERSION):
        MIGRATIONS[step](connection)
    connection.execute(sa.update(book).where(book.c.name == "version").values(value=str(VERSION)))
    return known["identity"]


def _known(connection: sa.Connection) -> dict[str, str]:
    # Asked before any table is made: a ledger of another version must not be touched by this one's tables.
    if not sa.inspect(connection).has_table(book.name):
        return {}
    return {row.name: row.value for row in connection.execute(sa.select(book))}


def _make(connection: sa.Connection) -> str:
    metadata.create_all(connection)
    identity = str(uuid.uuid4())
    connection.execute(
        sa.insert(book),
        [{"name": "identity", "value": identity}, {"name": "version", "value": str(VERSION)}],
    )
    return identity


def _version(known: dict[str, str]) -> int:
    version = int(known["version"])
    if version > VERSION:
        raise LedgerError(
            f"The ledger was written by a later version of prefect-seedance (its schema is {version}, this one knows "
            f"{VERSION}). Upgrade this installation. Nothing was spent."
        )
    return version
