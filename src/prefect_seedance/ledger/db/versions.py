"""The ledger's schema version: creates and migrates the tables."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from pathlib import Path

import sqlalchemy as sa

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger.db.migrations import MIGRATIONS
from prefect_seedance.ledger.db.schema import metadata, properties
from prefect_seedance.messages import message

__all__ = ["VERSION", "current_identity", "prepare"]

VERSION = 5
"""The schema version of this code. A ledger of a later version is refused, an earlier one is migrated."""

POSTGRES_LOCK = 0x5EEDDA9CE
"""The advisory lock held while tables are created, so that a second process waits."""


def current_identity(connection: sa.Connection) -> str | None:
    """The identity of an up-to-date ledger; None where `prepare` has to create or migrate tables.

    Raises:
        LedgerError: It was written by a later version of this package.
    """
    known = _known(connection)
    if not known or _version(known) < VERSION:
        return None
    return known["identity"]


def prepare(connection: sa.Connection) -> str:
    """Create or migrate the tables in an open writing transaction; returns the ledger's identity.

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
    connection.execute(sa.update(properties).where(properties.c.name == "version").values(value=str(VERSION)))
    return known["identity"]


def _known(connection: sa.Connection) -> dict[str, str]:
    # Checked before any table is created: a ledger of another version must not get this version's tables.
    if not sa.inspect(connection).has_table(properties.name):
        return {}
    return {row.name: row.value for row in connection.execute(sa.select(properties))}


def _make(connection: sa.Connection) -> str:
    metadata.create_all(connection)
    identity = str(uuid.uuid4())
    connection.execute(
        sa.insert(properties),
        [{"name": "identity", "value": identity}, {"name": "version", "value": str(VERSION)}],
    )
    return identity


def _back_up(connection: sa.Connection, version: int) -> None:
    """Copy a SQLite ledger into its own folder before it is migrated; the first copy of a version is kept.

    Raises:
        LedgerError: The disk is full, or the folder cannot be written to. Nothing was changed.
    """
    if connection.dialect.name != "sqlite":
        return  # a server has backups of its own
    file = next((row[2] for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main"), "")
    copy = Path(f"{file}.version-{version}")
    if not file or copy.exists():
        return
    partial = Path(f"{copy}.part")
    try:
        # This process has the lock and nothing is changed yet, so another connection reads the old content.
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
