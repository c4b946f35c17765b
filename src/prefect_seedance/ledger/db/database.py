"""The ledger's database: opened, read in parallel, written through one door."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger.db import versions
from prefect_seedance.ledger.db.driver import READERS
from prefect_seedance.ledger.db.engine import cannot_open, open_door, trouble
from prefect_seedance.ledger.db.url import shown_url
from prefect_seedance.ledger.db.writer import Operation, Writer

__all__ = ["Database"]

T = TypeVar("T")


class Database:
    """An open ledger database. It belongs to the event loop on which it is used."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.identity = ""
        self._door = open_door(url)
        self._reading = asyncio.Semaphore(READERS)
        self._writer = Writer(self._door, self.shown)

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return shown_url(self.url)

    async def open(self) -> None:
        """Connect, create or migrate the tables where needed, and read the ledger's identity.

        Raises:
            LedgerError: The file is no ledger, cannot be reached, or was written by a later version of this package.
        """
        try:
            self.identity = await self._opened()
        except BaseException as error:
            await self._door.dispose()
            if isinstance(error, SeedanceError) or not isinstance(error, Exception):
                raise
            raise cannot_open(error, self.shown) from None

    async def close(self) -> None:
        """Finish what waits to be written, and disconnect."""
        await self._writer.close()
        await self._door.dispose()

    async def read(self, operation: Operation[T]) -> T:
        """Run a reading operation."""
        try:
            async with self._reading:
                return await self._door.read(operation)
        except SeedanceError:
            raise
        except Exception as error:
            raise trouble(error, self.shown) from error

    async def write(self, operation: Operation[T]) -> T:
        """Run a writing operation; when this returns, it is committed and on disk.

        A caller that is cancelled meanwhile learns of it only after the write is settled, so that nobody ever has to
        wonder whether an intent was recorded.
        """
        return await self._writer.write(operation)

    async def _opened(self) -> str:
        # Most ledgers are up to date, and looking needs no lock.
        identity = await self._door.read(versions.current_identity)
        return await self._door.prepare(versions.prepare) if identity is None else identity
