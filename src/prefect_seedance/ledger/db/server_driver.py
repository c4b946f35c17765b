"""The driver for a database server, which may be restarted or unreachable for a while.

Reads are repeated. No write is made twice, and no write is reported as done that was not.

When a connection breaks during a commit, the client cannot know whether the transaction was committed. So each writer
has a line with the number of its last transaction, which that transaction itself updates: after the break, the line
shows whether it was committed. The lock on the line also makes the next transaction wait for the one before, if the
server still works on that.
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
from prefect_seedance.ledger.db.connection_errors import connection_lost, rolled_back
from prefect_seedance.ledger.db.driver import READING
from prefect_seedance.ledger.db.schema import writers

__all__ = ["OUT_OF_REACH", "PATIENCE", "ServerDriver"]

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds for which a server that was reachable before is waited for."""

OUT_OF_REACH = "ledger_out_of_reach"
"""The error code of an unreachable server."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
"""Seconds between two tries."""

WRITER_RETENTION = timedelta(days=7)
"""How long the line of a writer is kept that did not disconnect properly."""

_new = insert(writers)
_MARK = _new.on_conflict_do_update(
    index_elements=["id"], set_={"number": _new.excluded.number, "seen_at": _new.excluded.seen_at}
)
_LAST = _new.on_conflict_do_update(index_elements=["id"], set_={"number": writers.c.number}).returning(writers.c.number)


class ServerDriver:
    """For a database server, over an async driver."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._id = str(uuid.uuid4())
        self._number = 0
        # No waiting for a server that was never reached, or that was just waited for in vain.
        self._patience = 0.0
        self._lost_at: float | None = None
        sa.event.listen(engine.sync_engine, "connect", self._reached, insert=True)

    def _reached(self, *_: object) -> None:
        """A connection was made: if it breaks at once, the server is waited for all the same."""
        self._patience = PATIENCE

    @property
    def sync_engine(self) -> sa.Engine:
        """The engine whose connections operations are given."""
        return self._engine.sync_engine

    async def read(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation that only reads; repeat it where the connection was lost."""

        async def once() -> T:
            async with self._reader.connect() as connection:
                return await _invalidating(connection, connection.run_sync(operation))

        return await self._retried(once)

    async def write(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation in a transaction of its own, and commit it exactly once, even if the connection breaks.

        Not concurrent: the next write may start after this one has returned.
        """
        self._number += 1
        transaction = _Transaction(self._engine, {"id": self._id, "number": self._number}, operation)
        return await self._retried(transaction.written)

    async def prepare(self, operation: Callable[[sa.Connection], T]) -> T:
        """Create or migrate the tables; this may be repeated, since it checks the version first."""

        async def once() -> T:
            async with self._engine.connect() as connection:
                result = await _invalidating(connection, connection.run_sync(operation))
                await _invalidating(connection, connection.commit())
                return result

        return await self._retried(once)

    async def dispose(self) -> None:
        """Disconnect; delete this writer's line and outdated ones, if the server can be reached."""
        if self._number and self._patience:
            outdated = sa.or_(writers.c.id == self._id, writers.c.seen_at < now() - WRITER_RETENTION)
            try:
                async with self._engine.begin() as connection:
                    await connection.execute(sa.delete(writers).where(outdated))
            except Exception:  # noqa: BLE001, S110 - nothing depends on it, and the next writer deletes them
                pass
        await self._engine.dispose()

    async def _retried(self, once: Callable[[], Awaitable[T]]) -> T:
        """Repeat until it succeeds; while the server is unreachable, for `PATIENCE` seconds at most."""
        clock = asyncio.get_running_loop().time
        began, pause = clock(), FIRST_PAUSE
        while True:
            try:
                result = await once()
            except Exception as error:
                if not (connection_lost(error) or rolled_back(error)):
                    raise
                if self._lost_at is None:
                    self._lost_at = began
                if clock() + pause > began + self._patience:
                    self._patience = 0.0
                    raise DatabaseUnreachable(clock() - self._lost_at, error) from error
            else:
                self._patience, self._lost_at = PATIENCE, None
                return result
            # Jitter keeps many processes from reconnecting at the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)


class _Transaction:
    """One transaction of a writer, which may need several tries."""

    def __init__(self, engine: AsyncEngine, mark: dict[str, Any], operation: Callable[[sa.Connection], Any]) -> None:
        self._engine = engine
        self._mark = mark
        self._operation = operation
        self._result: Any = None
        self._in_doubt = False

    async def written(self) -> Any:
        """Run and commit it, unless the previous try was committed."""
        async with self._engine.connect() as connection:
            if self._in_doubt and await _invalidating(connection, connection.run_sync(self._committed)):
                return self._result
            self._in_doubt = False
            self._result = await _invalidating(connection, connection.run_sync(self._run))
            self._in_doubt = True
            await _invalidating(connection, connection.commit())
            return self._result

    def _run(self, connection: sa.Connection) -> Any:
        connection.execute(_MARK, {**self._mark, "seen_at": now()})
        return self._operation(connection)

    def _committed(self, connection: sa.Connection) -> bool:
        # Waits for the previous try, if the server still works on it.
        last = connection.execute(_LAST, {**self._mark, "number": 0, "seen_at": now()}).scalar_one()
        connection.rollback()
        return bool(last == self._mark["number"])


async def _invalidating(connection: AsyncConnection, step: Awaitable[T]) -> T:
    """Await a step on a connection, and invalidate the connection if it broke: closing it would wait for a response."""
    try:
        return await step
    except Exception as error:
        if connection_lost(error):
            await connection.invalidate(error)
        raise
