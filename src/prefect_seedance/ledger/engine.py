"""The way to the database behind a ledger URL, set up so that writers queue and what is committed is on disk."""

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

from prefect_seedance.errors import LedgerError, SeedanceError, UserMistake
from prefect_seedance.ledger.door import READING, Door, FileDoor
from prefect_seedance.ledger.holders import lease
from prefect_seedance.ledger.server_door import OUT_OF_REACH, OutOfReach, ServerDoor
from prefect_seedance.ledger.url import parsed, shown_url

__all__ = ["cannot_open", "open_door", "trouble"]

_HALF = re.compile("[\ud800-\udfff]")

CONNECTING, ANSWERING = 10.0, 60.0
"""Seconds for which a server may be silent while we connect, and after a statement."""

SWITCH_PATIENCE = 20.0
"""Seconds to wait for others who are making the same file."""


def open_door(url: str) -> Door:
    """The way to a ledger; a SQLite file and its folder are made.

    Raises:
        UserMistake: The URL names nothing that can be used as a ledger.
        LedgerError: The file cannot be made or opened.
    """
    found = parsed(url)
    if found is None:
        raise _no_ledger(url, "it cannot be read; special characters in a password are written as %XX")
    sqlite = found.get_backend_name() == "sqlite"
    if sqlite and _in_memory(found):
        raise _no_ledger(url, "a ledger in memory forgets what was paid")
    try:
        # What a statement carries (prompts, addresses) has no place in an error's text.
        engine = create_async_engine(found, hide_parameters=True, json_serializer=_json, connect_args=_limits(found))
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise _no_ledger(url, str(error)) from None
    if not sqlite:
        sa.event.listen(engine.sync_engine, "connect", _server_connect)
        return ServerDoor(engine)
    _make_file(str(found.database), shown_url(url))
    plain = sa.create_engine(found.set(drivername="sqlite"), hide_parameters=True, json_serializer=_json)
    sa.event.listen(plain, "connect", _sqlite_connect)
    sa.event.listen(plain, "begin", _sqlite_begin)
    return FileDoor(plain)


def trouble(error: Exception, shown: str) -> SeedanceError:
    """What went wrong while the ledger was in use; an error of ours speaks for itself."""
    if isinstance(error, SeedanceError):
        return error
    if isinstance(error, OutOfReach):
        return LedgerError(
            f"The ledger at {shown} was out of reach for {error.seconds:.0f} s ({error}). Nothing can be recorded, so "
            "nothing more is sent. Once its server answers again, run the same call again: what was made is in the "
            "ledger, and is not paid for twice.",
            code=OUT_OF_REACH,
        )
    told = _reason(error)
    if "disk is full" in told or "disk I/O" in told:
        told += ". The disk that holds the ledger is full or failing; free some space and run the same call again"
    return LedgerError(f"The ledger at {shown} could not be read or written: {told}")


def cannot_open(error: Exception, shown: str) -> LedgerError:
    """Why a ledger could not even be opened."""
    told = str(error) if isinstance(error, sqlite3.Error | OutOfReach) else _reason(error)
    return LedgerError(
        f"The ledger at {shown} cannot be opened: {told}. Check the path or the server, and its permissions. "
        "Nothing was spent."
    )


def _reason(error: Exception) -> str:
    """The database's own words, without the statement and its values."""
    if isinstance(error, DBAPIError):
        return str(error.orig)
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"


def _json(value: Any) -> str:
    """JSON with its letters as they are: escaped, Chinese would take twice the room."""
    text = json.dumps(value, ensure_ascii=False)
    # Half of a surrogate pair is no text for a database; escaped it is.
    return json.dumps(value) if _HALF.search(text) else text


def _no_ledger(url: str, why: str) -> UserMistake:
    return UserMistake(
        f"{shown_url(url)} is no ledger URL that can be used ({why}). Expected something like "
        "sqlite+aiosqlite:///ledger.db or postgresql+asyncpg://user:password@host/name. Nothing was spent."
    )


def _in_memory(url: sa.URL) -> bool:
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"


def _make_file(database: str, shown: str) -> None:
    by_address = database.startswith("file:")
    try:
        if not by_address:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        # Tried by hand first: where the file cannot be opened, the async driver leaves a thread behind.
        with contextlib.closing(sqlite3.connect(database, uri=by_address)) as connection:
            _write_ahead(connection)
    except (OSError, sqlite3.Error) as error:
        raise cannot_open(error, shown) from None


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to the write-ahead log; it stays so.

    SQLite answers "locked" at once, whatever the patience, when two newcomers do it at the same moment.
    """
    patience = time.monotonic() + SWITCH_PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.005)
        else:
            return


def _limits(url: sa.URL) -> dict[str, Any]:
    """How long a server may be silent: a connection that the network has swallowed never ends by itself."""
    return {"timeout": CONNECTING, "command_timeout": ANSWERING} if url.get_driver_name() == "asyncpg" else {}


def _server_connect(connection: Any, _record: Any) -> None:
    # Who vanishes in the middle of a transaction must not keep the others waiting: its rows are theirs after a lease.
    idle = max(100, lease().total_seconds() * 1000 / 4)
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = {idle:.0f}")
    cursor.close()
    connection.commit()


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: _sqlite_begin does it, with the lock taken at once.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The patience comes first: another process may be making the same tables just now.
    for pragma in ("busy_timeout=60000", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    # Two processes that read and then write would deadlock on an upgrade of their locks; so the lock comes first.
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
