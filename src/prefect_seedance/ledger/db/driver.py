"""Drivers run an operation on the database: over a server's connection (`server_driver`), or in a thread on a file.

An operation is plain synchronous code with a connection. For SQLite the whole operation runs in one thread: the async
driver would switch threads for every statement, row and cursor, some two hundred times per video.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import sqlalchemy as sa

__all__ = ["READERS", "READING", "Driver", "FileDriver"]

T = TypeVar("T")

READING = "seedance_reading"
"""The execution option of connections that only read."""

READERS = 4
"""Concurrent reads. More are not faster, and would delay the writer."""


class Driver(Protocol):
    """Runs operations on one database."""

    @property
    def sync_engine(self) -> sa.Engine:
        """The engine whose connections operations are given."""

    async def read(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation that only reads."""

    async def write(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation in a transaction of its own, and commit it."""

    async def prepare(self, operation: Callable[[sa.Connection], T]) -> T:
        """The same for the operation that creates or migrates the tables, which is idempotent."""

    async def dispose(self) -> None:
        """Disconnect."""


class FileDriver:
    """For a SQLite file: each operation runs in one thread, from its first statement to its commit."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._reader = engine.execution_options(**{READING: True})
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="seedance ledger reader")
        self._writers = ThreadPoolExecutor(1, thread_name_prefix="seedance ledger writer")

    @property
    def sync_engine(self) -> sa.Engine:
        """The engine whose connections operations are given."""
        return self._engine

    async def read(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation that only reads."""

        def reading() -> T:
            with self._reader.connect() as connection:
                return operation(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, reading)

    async def write(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation in a transaction of its own, and commit it."""

        def writing() -> T:
            with self._engine.begin() as connection:
                return operation(connection)

        return await asyncio.get_running_loop().run_in_executor(self._writers, writing)

    async def prepare(self, operation: Callable[[sa.Connection], T]) -> T:
        """The same for the operation that creates or migrates the tables."""
        return await self.write(operation)

    async def dispose(self) -> None:
        """Disconnect, after the running operations have ended."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        for threads in (self._writers, self._readers):
            threads.shutdown()
        self._engine.dispose()
