"""The common base of the parts of the ledger."""

from __future__ import annotations

from typing import Any, Self

from prefect_seedance.ledger.db.database import Database

__all__ = ["LedgerBase"]


class LedgerBase:
    """One open ledger. Every writing method has committed when it returns."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open the ledger at an SQLAlchemy URL with an async driver; create or migrate it where needed."""
        ledger = cls(url)
        await ledger._database.open()
        return ledger

    async def close(self) -> None:
        """Finish all pending writes, and disconnect."""
        await self._database.close()

    @property
    def identity(self) -> str:
        """The ledger's id, stored in it; it stays the same when the ledger is moved."""
        return self._database.identity

    @property
    def url(self) -> str:
        """The URL with its password; never show it."""
        return self._database.url

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return self._database.shown

    async def _write(self, operation: Any, *args: Any, **values: Any) -> None:
        await self._database.write(lambda connection: operation(connection, *args, **values))
