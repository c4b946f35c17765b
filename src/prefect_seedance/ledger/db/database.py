"""The ledger's database: reads run in parallel, writes go through one writer."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger.db import versions
from prefect_seedance.ledger.db.driver import READERS
from prefect_seedance.ledger.db.engine import as_seedance_error, cannot_open, open_driver
from prefect_seedance.ledger.db.url import shown_url
from prefect_seedance.ledger.db.writer import Operation, Writer

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """An open ledger database. It may be used on one event loop only."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.identity = ""
        self._driver = open_driver(url)
        self._reading = asyncio.Semaphore(READERS)
        self._writer = Writer(self._driver, self.shown)

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return shown_url(self.url)

    async def open(self) -> None:
        """Connect, create or migrate the tables where needed, and read the ledger's identity.

        Raises:
            LedgerError: It is not a ledger, cannot be reached, or was written by a later version of this package.
        """
        try:
            self.identity = await self._opened()
        except BaseException as error:
            await self._driver.dispose()
            if isinstance(error, SeedanceError) or not isinstance(error, Exception):
                raise
            raise cannot_open(error, self.shown) from None

    async def close(self) -> None:
        """Finish all pending writes, and disconnect."""
        await self._writer.close()
        await self._driver.dispose()

    async def read(self, operation: Operation[T]) -> T:
        """Run a reading operation."""
        try:
            async with self._reading:
                return await self._driver.read(operation)
        except SeedanceError:
            raise
        except Exception as error:
            raise as_seedance_error(error, self.shown) from error

    async def write(self, operation: Operation[T]) -> T:
        """Run a writing operation; when this returns, it is committed and on disk.

        If the caller is cancelled meanwhile, the cancellation is raised only after the write has ended, so that it is
        always certain whether an intent was recorded.
        """
        return await self._writer.write(operation)

    async def _opened(self) -> str:
        # Most ledgers are up to date, and this check needs no lock.
        identity = await self._driver.read(versions.current_identity)
        return await self._driver.prepare(versions.prepare) if identity is None else identity
