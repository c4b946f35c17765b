"""The ledger's schema version: made, recognised, migrated, never dropped."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from pathlib import Path

import sqlalchemy as sa

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger.db.migrations import MIGRATIONS
from prefect_seedance.ledger.db.schema import book, metadata
from prefect_seedance.messages import message

__all__ = ["VERSION", "current_identity", "prepare"]

VERSION = 4
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
    version = _version(known)
    if version < VERSION:
        _back_up(connection, version)
    for step in range(version, VERSION):
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


def _back_up(connection: sa.Connection, version: int) -> None:
    """Copy a SQLite ledger beside itself before it is migrated; the first copy of a version is kept.

    Raises:
        LedgerError: There is no room for it, or the folder cannot be written to. Nothing was changed.
    """
    if connection.dialect.name != "sqlite":
        return  # a server has backups of its own
    file = next((row[2] for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main"), "")
    copy = Path(f"{file}.version-{version}")
    if not file or copy.exists():
        return
    partial = Path(f"{copy}.part")
    try:
        # The lock is ours and nothing is changed yet, so another connection reads the ledger as it was.
        with (
            contextlib.closing(sqlite3.connect(file)) as source,
            contextlib.closing(sqlite3.connect(partial)) as target,
        ):
            source.backup(target)
        partial.replace(copy)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise LedgerError(message("ledger.no_backup", copy=copy, reason=error)) from None


def _version(known: dict[str, str]) -> int:
    version = int(known["version"])
    if version > VERSION:
        raise LedgerError(message("ledger.later_version", schema=version, known=VERSION))
    return version
