"""Makes the driver for a ledger URL, configured so that writers queue and commits are on disk."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from prefect_seedance.errors import DatabaseUnreachable, InputError, LedgerError, SeedanceError
from prefect_seedance.ledger.db.driver import READING, Driver, FileDriver
from prefect_seedance.ledger.db.server_driver import OUT_OF_REACH, ServerDriver
from prefect_seedance.ledger.db.url import parsed, shown_url
from prefect_seedance.ledger.lease_time import lease
from prefect_seedance.messages import Message, message

__all__ = ["as_seedance_error", "cannot_open", "open_driver"]

_HALF = re.compile("[\ud800-\udfff]")

CONNECTING, ANSWERING = 10.0, 60.0
"""Timeouts in seconds: to connect to a server, and for its response to a statement."""

SWITCH_PATIENCE = 20.0
"""Seconds to wait for other processes that create the same file."""


def open_driver(url: str) -> Driver:
    """The driver for a ledger; a SQLite file and its folder are created.

    Raises:
        InputError: The URL cannot be used as a ledger.
        LedgerError: The file cannot be created or opened.
    """
    found = parsed(url)
    if found is None:
        raise _no_ledger(url, message("ledger.url_unreadable"))
    sqlite = found.get_backend_name() == "sqlite"
    if sqlite and _in_memory(found):
        raise _no_ledger(url, message("ledger.url_in_memory"))
    try:
        # Error texts must not contain the parameters of a statement (prompts, addresses).
        engine = create_async_engine(found, hide_parameters=True, json_serializer=_json, connect_args=_limits(found))
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise _no_ledger(url, str(error)) from None
    if not sqlite:
        sa.event.listen(engine.sync_engine, "connect", _server_connect)
        return ServerDriver(engine)
    _make_file(str(found.database), shown_url(url))
    plain = sa.create_engine(found.set(drivername="sqlite"), hide_parameters=True, json_serializer=_json)
    sa.event.listen(plain, "connect", _sqlite_connect)
    sa.event.listen(plain, "begin", _sqlite_begin)
    return FileDriver(plain)


def as_seedance_error(error: Exception, shown: str) -> SeedanceError:
    """An error of the ledger in use as a `SeedanceError`; one of this package is returned unchanged."""
    if isinstance(error, SeedanceError):
        return error
    if isinstance(error, DatabaseUnreachable):
        text = message("ledger.unreachable", ledger=shown, seconds=error.seconds, reason=str(error))
        return LedgerError(text, code=OUT_OF_REACH)
    reason = _reason(error)
    full = "disk is full" in reason or "disk I/O" in reason
    return LedgerError(message("ledger.disk_full" if full else "ledger.failed", ledger=shown, reason=reason))


def cannot_open(error: Exception, shown: str) -> LedgerError:
    """The error for a ledger that cannot be opened."""
    reason = str(error) if isinstance(error, sqlite3.Error | DatabaseUnreachable) else _reason(error)
    return LedgerError(message("ledger.cannot_open", ledger=shown, reason=reason))


def _reason(error: Exception) -> str:
    """The database's own message, without the statement and its values."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _json(value: Any) -> str:
    """JSON without escaped letters: escaped, Chinese text would take twice the space."""
    text = json.dumps(value, ensure_ascii=False)
    # A database cannot store an unpaired surrogate unless it is escaped.
    return json.dumps(value) if _HALF.search(text) else text


def _no_ledger(url: str, reason: Message | str) -> InputError:
    return InputError(message("ledger.url_unusable", url=shown_url(url), reason=reason))


def _in_memory(url: sa.URL) -> bool:
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"


def _make_file(database: str, shown: str) -> None:
    by_address = database.startswith("file:")
    try:
        if not by_address:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        # Opened directly first: the async driver leaks a thread where the file cannot be opened.
        with contextlib.closing(sqlite3.connect(database, uri=by_address)) as connection:
            _write_ahead(connection)
    except (OSError, sqlite3.Error) as error:
        raise cannot_open(error, shown) from None


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to the write-ahead log, permanently.

    SQLite answers "locked" at once, whatever the busy timeout, when two processes do this at the same time.
    """
    deadline = time.monotonic() + SWITCH_PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def _limits(url: sa.URL) -> dict[str, Any]:
    """Timeouts of a server: without them a connection that the network dropped would never end."""
    return {"timeout": CONNECTING, "command_timeout": ANSWERING} if url.get_driver_name() == "asyncpg" else {}


def _server_connect(connection: Any, _record: Any) -> None:
    # A process that vanishes within a transaction must not block the others, which take its rows after its lease.
    idle = max(100, lease().total_seconds() * 1000 / 4)
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = {idle:.0f}")
    cursor.close()
    connection.commit()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: `_sqlite_begin` does it, and takes the lock at once.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The busy timeout comes first: another process may be creating the same tables.
    for pragma in ("busy_timeout=60000", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    # Two processes that read and then write would deadlock on the upgrade of their locks, so the lock comes first.
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
