"""How an operation gets to the database: over a server's connection (`server_door`), or in a thread to a file.

An operation is plain synchronous code over a connection. To SQLite it goes as a whole: its async driver would take
every statement, every row and every cursor to a thread and back, some two hundred times for one video.
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
"""Reads at once. More would not be faster, and would keep the writer waiting for a connection."""


class Driver(Protocol):
    """The way to one database."""

    @property
    def sync_engine(self) -> sa.Engine:
        """The engine whose connections operations are given."""

    async def read(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation that only reads."""

    async def write(self, operation: Callable[[sa.Connection], T]) -> T:
        """Run an operation in a transaction of its own, and commit it."""

    async def prepare(self, operation: Callable[[sa.Connection], T]) -> T:
        """The same for what makes or migrates the tables; it does nothing where that is done."""

    async def dispose(self) -> None:
        """Disconnect."""


class FileDriver:
    """To a SQLite file: each operation in a thread, from its first statement to its commit."""

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
        """The same for what makes or migrates the tables."""
        return await self.write(operation)

    async def dispose(self) -> None:
        """Disconnect, once what is under way is through."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        for threads in (self._writers, self._readers):
            threads.shutdown()
        self._engine.dispose()
