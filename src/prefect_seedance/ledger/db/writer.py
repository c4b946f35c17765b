"""The single writer of a process: all pending operations are committed in one transaction."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger.db.connection_errors import connection_lost, rolled_back
from prefect_seedance.ledger.db.driver import Driver
from prefect_seedance.ledger.db.engine import as_seedance_error
from prefect_seedance.messages import message

__all__ = ["Operation", "Writer"]

T = TypeVar("T")
Operation = Callable[[sa.Connection], T]


@dataclass(frozen=True, slots=True)
class _Failed:
    """The result of an operation that was not written."""

    error: Exception


class Writer:
    """Commits in groups: all pending operations go into one transaction, so a burst of writes costs one commit.

    A valid write never fails because of another one: if one operation fails, the group is rolled back and repeated with
    each operation in a savepoint of its own. So an operation may run twice, and must not do anything but write.
    """

    def __init__(self, driver: Driver, shown: str) -> None:
        self._driver = driver
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
        """Finish the pending operations, and accept no more."""
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
            # Only while the loop is torn down: fail what is pending, so that no caller waits forever.
            group, self._waiting = group + self._waiting, []
            for _, done in group:
                self._settle(done, _Failed(LedgerError(message("ledger.writer_stopped", ledger=self._shown))))

    async def _commit(self, operations: list[Operation[Any]]) -> list[Any]:
        try:
            return await self._transaction(_run_all, operations)
        except Exception as error:  # noqa: BLE001 - drivers have errors of their own; each caller gets its own
            if len(operations) == 1:
                return [_Failed(error)]
        try:
            return await self._transaction(_run_separately, operations)
        except Exception as error:  # noqa: BLE001 - as above
            return [_Failed(error) for _ in operations]

    async def _transaction(
        self, run: Callable[[sa.Connection, list[Operation[Any]]], list[Any]], operations: list[Operation[Any]]
    ) -> list[Any]:
        return await self._driver.write(lambda connection: run(connection, operations))

    def _settle(self, done: asyncio.Future[Any], result: Any) -> None:
        if done.done():
            return
        if isinstance(result, _Failed):
            error = as_seedance_error(result.error, self._shown)
            if error is not result.error:
                error.__cause__ = result.error
            done.set_exception(error)
        else:
            done.set_result(result)


async def _settled(future: asyncio.Future[T]) -> T:
    """Wait until `future` is done, even if cancelled meanwhile; the cancellation is raised after that.

    So it is always certain whether an intent was recorded.
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


def _run_all(connection: sa.Connection, operations: list[Operation[Any]]) -> list[Any]:
    return [operation(connection) for operation in operations]


def _run_separately(connection: sa.Connection, operations: list[Operation[Any]]) -> list[Any]:
    return [_run_in_savepoint(connection, operation) for operation in operations]


def _run_in_savepoint(connection: sa.Connection, operation: Operation[Any]) -> Any:
    savepoint = connection.begin_nested()
    try:
        result = operation(connection)
    except Exception as error:
        # SQLite may have rolled back the whole transaction (full disk), or the connection may be lost. Then the
        # savepoint does not exist any more, and the whole group fails.
        try:
            savepoint.rollback()
        except SQLAlchemyError:
            raise error from None
        if connection.invalidated or connection_lost(error) or rolled_back(error):
            raise
        return _Failed(error)
    savepoint.commit()
    return result
