"""The ledger's database: where it lies, how it is opened and migrated, and the one place where it is written."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from prefect_seedance.errors import LedgerError, UserMistake
from prefect_seedance.ledger.schema import book, metadata

__all__ = ["Database", "ledger_url", "shown_url"]

VERSION = 1
"""The schema that this code writes. A ledger of a later version is refused, an earlier one is migrated."""

MIGRATIONS: dict[int, Callable[[sa.Connection], None]] = {}
"""From version n to n + 1, by n. Each one adds; none drops."""

T = TypeVar("T")
Operation = Callable[[sa.Connection], T]

ENVIRONMENT = "PREFECT_SEEDANCE_LEDGER"


def ledger_url(url: str | None, home: Path) -> str:
    """The ledger to use: the one given, else `PREFECT_SEEDANCE_LEDGER`, else a SQLite file under `home`.

    A plain path is taken as a SQLite file.
    """
    chosen = url or os.environ.get(ENVIRONMENT)
    if not chosen:
        return f"sqlite+aiosqlite:///{home / 'seedance-ledger.db'}"
    if "://" not in chosen:
        return f"sqlite+aiosqlite:///{Path(chosen).expanduser().absolute()}"
    if chosen.startswith("sqlite:///"):
        return chosen.replace("sqlite:", "sqlite+aiosqlite:", 1)
    return chosen


def shown_url(url: str) -> str:
    """The URL fit to be shown: without its password."""
    try:
        return sa.engine.make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(unreadable ledger URL)"


class Database:
    """An open ledger database: reads in parallel, writes through one door that commits them in groups.

    Whatever waits at the door when it opens goes into one transaction, each operation in its own savepoint: a lawful
    write never falls because of an unlawful neighbour, and a burst of writes costs one commit.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.identity = ""
        self._engine = _engine(url)
        self._reader = self._engine.execution_options(seedance_reading=True)
        self._waiting: list[tuple[Operation[Any], asyncio.Future[Any]]] = []
        self._writer: asyncio.Task[None] | None = None

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return shown_url(self.url)

    async def open(self) -> None:
        """Connect, create or migrate the tables, and read the ledger's identity.

        Raises:
            LedgerError: The file is no ledger, cannot be reached, or was written by a later version of this package.
        """
        _make_folder(self.url)
        try:
            async with self._engine.begin() as connection:
                self.identity = await connection.run_sync(_prepare)
        except (SQLAlchemyError, OSError) as error:
            await self._engine.dispose()
            reason = error.orig if isinstance(error, DBAPIError) else error
            raise LedgerError(
                f"The ledger at {self.shown} cannot be opened: {reason}. Check the path or the server, and its "
                "permissions. Nothing was spent."
            ) from None

    async def close(self) -> None:
        """Finish what waits to be written, and disconnect."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait({self._writer})
        await self._engine.dispose()

    async def read(self, operation: Operation[T]) -> T:
        """Run a reading operation."""
        try:
            async with self._reader.connect() as connection:
                return await connection.run_sync(operation)
        except SQLAlchemyError as error:
            raise _trouble(error, self.shown) from error

    async def write(self, operation: Operation[T]) -> T:
        """Run a writing operation; when this returns, it is committed and on disk.

        A caller that is cancelled meanwhile learns of it only after the write is settled, so that nobody ever has to
        wonder whether an intent was recorded.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.append((operation, done))
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._drain(), name="seedance ledger writer")
        return await settled(done)

    async def _drain(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                async with self._engine.begin() as connection:
                    results = await connection.run_sync(_run_group, [operation for operation, _ in group])
            except SQLAlchemyError as error:
                results = [_trouble(error, self.shown)] * len(group)
            except BaseException as error:
                for _, future in group:
                    if not future.done():
                        future.set_exception(LedgerError(f"The ledger's writer was stopped: {error!r}"))
                raise
            for (_, future), result in zip(group, results, strict=True):
                if future.done():
                    continue
                if isinstance(result, Exception):
                    future.set_exception(result)
                else:
                    future.set_result(result)


async def settled(future: asyncio.Future[T]) -> T:
    """Wait for `future` to its end, even if cancelled meanwhile; the cancellation is raised after that."""
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        with contextlib.suppress(Exception):
            future.result()
        raise cancelled
    return future.result()


def _run_group(connection: sa.Connection, operations: list[Operation[Any]]) -> list[Any]:
    return [_run_one(connection, operation) for operation in operations]


def _run_one(connection: sa.Connection, operation: Operation[Any]) -> Any:
    try:
        with connection.begin_nested():
            return operation(connection)
    except LedgerError as error:
        return error


def _engine(url: str) -> AsyncEngine:
    try:
        engine = create_async_engine(url)
    except (SQLAlchemyError, ModuleNotFoundError) as error:
        raise UserMistake(
            f"{shown_url(url)} is no ledger URL that can be used ({error}). Expected something like "
            "sqlite+aiosqlite:///ledger.db or postgresql+asyncpg://user:password@host/name. Nothing was spent."
        ) from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine.sync_engine, "connect", _sqlite_connect)
        sa.event.listen(engine.sync_engine, "begin", _sqlite_begin)
    return engine


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: _sqlite_begin does it, with the lock taken at once.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=60000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: sa.Connection) -> None:
    # Two processes that read and then write would deadlock on an upgrade of their locks; so the lock comes first.
    reading = connection.get_execution_options().get("seedance_reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _make_folder(url: str) -> None:
    parsed = sa.engine.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:":
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LedgerError(f"The ledger's folder cannot be made: {error}. Nothing was spent.") from None


def _prepare(connection: sa.Connection) -> str:
    metadata.create_all(connection)
    known = {row.name: row.value for row in connection.execute(sa.select(book))}
    if not known:
        identity = str(uuid.uuid4())
        connection.execute(
            sa.insert(book),
            [{"name": "identity", "value": identity}, {"name": "version", "value": str(VERSION)}],
        )
        return identity
    version = int(known["version"])
    if version > VERSION:
        raise LedgerError(
            f"The ledger was written by a later version of prefect-seedance (its schema is {version}, this one knows "
            f"{VERSION}). Upgrade this installation. Nothing was spent."
        )
    for step in range(version, VERSION):
        MIGRATIONS[step](connection)
    connection.execute(sa.update(book).where(book.c.name == "version").values(value=str(VERSION)))
    return str(known["identity"])


def _trouble(error: SQLAlchemyError, shown: str) -> LedgerError:
    reason = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    if "disk is full" in reason or "disk I/O" in reason:
        reason += ". The disk that holds the ledger is full or failing; free some space and run the same call again"
    return LedgerError(f"The ledger at {shown} could not be read or written: {reason}")


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """An open database that closes itself."""
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
