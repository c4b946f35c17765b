"""The one door through which a process writes into its ledger: whatever waits there is committed in one go."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger.db.connection_errors import lost, undone
from prefect_seedance.ledger.db.driver import Driver
from prefect_seedance.ledger.db.engine import trouble
from prefect_seedance.messages import message

__all__ = ["Operation", "Writer"]

T = TypeVar("T")
Operation = Callable[[sa.Connection], T]


@dataclass(frozen=True, slots=True)
class _Fallen:
    """What an operation came to that was not written."""

    error: Exception


class Writer:
    """Commits in groups: all that waited goes into one transaction, so a burst of writes costs one commit.

    A lawful write never falls because of a neighbour: where one of a group fails, the group is undone and written
    again with each operation in a savepoint of its own. So an operation may run twice, and does nothing but write.
    """

    def __init__(self, door: Driver, shown: str) -> None:
        self._door = door
        self._shown = shown
        self._waiting: list[tuple[Operation[Any], asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def write(self, operation: Operation[T]) -> T:
        """Run a writing operation; when this returns, it is committed and on disk."""
        if self._closed:
            raise LedgerError(message("ledger.closed", ledger=self._shown))
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.append((operation, done))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._drain(), name="seedance ledger writer")
        return await _settled(done)

    async def close(self) -> None:
        """Finish what waits, and take nothing more."""
        self._closed = True
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})

    async def _drain(self) -> None:
        group: list[tuple[Operation[Any], asyncio.Future[Any]]] = []
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                results = await self._commit([operation for operation, _ in group])
                for (_, done), result in zip(group, results, strict=True):
                    self._settle(done, result)
        finally:
            # Only where the loop is being torn down: nobody may wait for ever, and nobody is told that it was written.
            group, self._waiting = group + self._waiting, []
            for _, done in group:
                self._settle(done, _Fallen(LedgerError(message("ledger.writer_stopped", ledger=self._shown))))

    async def _commit(self, operations: list[Operation[Any]]) -> list[Any]:
        try:
            return await self._transaction(_together, operations)
        except Exception as error:  # noqa: BLE001 - drivers have errors of their own; each caller gets its own
            if len(operations) == 1:
                return [_Fallen(error)]
        try:
            return await self._transaction(_apart, operations)
        except Exception as error:  # noqa: BLE001 - as above
            return [_Fallen(error) for _ in operations]

    async def _transaction(
        self, way: Callable[[sa.Connection, list[Operation[Any]]], list[Any]], operations: list[Operation[Any]]
    ) -> list[Any]:
        return await self._door.write(lambda connection: way(connection, operations))

    def _settle(self, done: asyncio.Future[Any], result: Any) -> None:
        if done.done():
            return
        if isinstance(result, _Fallen):
            text = trouble(result.error, self._shown)
            if text is not result.error:
                text.__cause__ = result.error
            done.set_exception(text)
        else:
            done.set_result(result)


async def _settled(future: asyncio.Future[T]) -> T:
    """Wait for `future` to its end, even if cancelled meanwhile; the cancellation is raised after that.

    So nobody ever has to wonder whether an intent was recorded.
    """
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


def _together(connection: sa.Connection, operations: list[Operation[Any]]) -> list[Any]:
    return [operation(connection) for operation in operations]


def _apart(connection: sa.Connection, operations: list[Operation[Any]]) -> list[Any]:
    return [_alone(connection, operation) for operation in operations]


def _alone(connection: sa.Connection, operation: Operation[Any]) -> Any:
    savepoint = connection.begin_nested()
    try:
        result = operation(connection)
    except Exception as error:
        # SQLite may have undone the whole transaction (full disk), or the connection may be gone. Then there is no
        # savepoint to return to, and the group falls as one: nobody is told that it was written.
        try:
            savepoint.rollback()
        except SQLAlchemyError:
            raise error from None
        if connection.invalidated or lost(error) or undone(error):
            raise
        return _Fallen(error)
    savepoint.commit()
    return result
