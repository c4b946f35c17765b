"""The way to a database server, which may be restarted, or out of reach for a while.

Reads are asked again. No write is made twice, and none is taken for written that was not.

When a connection breaks while a transaction is being committed, nobody can tell from here whether it was. So each
writer keeps the number of its last transaction in a line of its own, changed by that very transaction: after the break,
the line tells. It also makes the next transaction wait for the one before, should the server still be at that.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from prefect_seedance.core.clock import now
from prefect_seedance.errors import DatabaseUnreachable
from prefect_seedance.ledger.db.connection_errors import lost, undone
from prefect_seedance.ledger.db.driver import READING
from prefect_seedance.ledger.db.schema import writers

__all__ = ["OUT_OF_REACH", "PATIENCE", "ServerDriver"]

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds for which a server that answered before may be out of reach."""

OUT_OF_REACH = "ledger_out_of_reach"
"""The code of the error that says so."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
"""Seconds between two tries."""

KEPT = timedelta(days=7)
"""How long the line of a writer is kept that never said good-bye."""

_new = insert(writers)
_MARK = _new.on_conflict_do_update(
    index_elements=["id"], set_={"number": _new.excluded.number, "seen_at": _new.excluded.seen_at}
)
_LAST = _new.on_conflict_do_update(index_elements=["id"], set_={"number": writers.c.number}).returning(writers.c.number)


class ServerDriver:
    """To a database server, over an async driver."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._id = str(uuid.uuid4())
        self._number = 0
        # Whoever has never been there, or has just waited in vain, is not waited for.
        self._patience = 0.0
        self._lost_at: float | None = None

    @property
    def sync_engine(self) -> sa.Engine:
        """The engine whose connections operations are given."""
        return self._engine.sync_engine

    async def read(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation that only reads; again where the connection was lost."""

        async def once() -> T:
            async with self._reader.connect() as connection:
                return await _over(connection, connection.run_sync(operation))

        return await self._patiently(once)

    async def write(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation in a transaction of its own, and commit it: once, whatever becomes of the connection.

        One at a time: the next may be written when this one has returned.
        """
        self._number += 1
        transaction = _Transaction(self._engine, {"id": self._id, "number": self._number}, operation)
        return await self._patiently(transaction.written)

    async def prepare(self, operation: Callable[[sa.Connection], T]) -> T:
        """Make or migrate the tables; that may be tried again, since it looks first."""

        async def once() -> T:
            async with self._engine.connect() as connection:
                result = await _over(connection, connection.run_sync(operation))
                await _over(connection, connection.commit())
                return result

        return await self._patiently(once)

    async def dispose(self) -> None:
        """Disconnect; our line, and those of writers that are long gone, are taken out where that can be done."""
        if self._number and self._patience:
            gone = sa.or_(writers.c.id == self._id, writers.c.seen_at < now() - KEPT)
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(sa.delete(writers).where(gone))
            except Exception:  # noqa: BLE001, S110 - nothing depends on it, and the next writer tidies up
                pass
        await self._engine.dispose()

    async def _patiently(self, once: Callable[[], Awaitable[T]]) -> T:
        """Try until it is done; where the server is out of reach, for as long as we are patient."""
        clock = asyncio.get_running_loop().time
        began, pause = clock(), FIRST_PAUSE
        while True:
            try:
                result = await once()
            except Exception as error:
                if not (lost(error) or undone(error)):
                    raise
                if self._lost_at is None:
                    self._lost_at = began
                if clock() + pause > began + self._patience:
                    self._patience = 0.0
                    raise DatabaseUnreachable(clock() - self._lost_at, error) from error
            else:
                self._patience, self._lost_at = PATIENCE, None
                return result
            # A little luck keeps many processes from coming back in the same instant.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)


class _Transaction:
    """One transaction of a writer, which may take several tries."""

    def __init__(self, engine: AsyncEngine, mark: dict[str, Any], operation: Callable[[sa.Connection], Any]) -> None:
        self._engine = engine
        self._mark = mark
        self._operation = operation
        self._result: Any = None
        self._in_doubt = False

    async def written(self) -> Any:
        """Write it, unless the try before was kept."""
        async with self._engine.connect() as connection:
            if self._in_doubt and await _over(connection, connection.run_sync(self._kept)):
                return self._result
            self._in_doubt = False
            self._result = await _over(connection, connection.run_sync(self._run))
            self._in_doubt = True
            await _over(connection, connection.commit())
            return self._result

    def _run(self, connection: sa.Connection) -> Any:
        connection.execute(_MARK, {**self._mark, "seen_at": now()})
        return self._operation(connection)

    def _kept(self, connection: sa.Connection) -> bool:
        # Waits for the try before, should the server still be at it.
        last = connection.execute(_LAST, {**self._mark, "number": 0, "seen_at": now()}).scalar_one()
        connection.rollback()
        return bool(last == self._mark["number"])


async def _over(connection: AsyncConnection, step: Awaitable[T]) -> T:
    """A step over a connection, which is thrown away if it breaks: even a good-bye would wait for an answer."""
    try:
        return await step
    except Exception as error:
        if lost(error):
            await connection.invalidate(error)
        raise
