"""The read-only part of the ledger: rows, attempts and summaries of batches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger._base import LedgerBase
from prefect_seedance.ledger.records import AttemptRecord, Mark, RowRecord
from prefect_seedance.ledger.rows import budget, lookups, maintenance, summaries
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.summaries import RowSummary
from prefect_seedance.ledger.states import State
from prefect_seedance.messages import message

__all__ = ["LedgerReads"]


class LedgerReads(LedgerBase):
    """The read-only part of the ledger."""

    async def states_of(self, batch: str, take: str) -> dict[str, State]:
        """The state of each row of a take, by key; empty where the batch is new."""
        return await self._database.read(lambda connection: lookups.states_of(connection, batch, take))

    async def marks_of(self, batch: str, take: str, keys: Collection[str]) -> dict[str, Mark]:
        """What decides whether rows need work, by key; see `lookups.marks_of`. May include other rows."""
        return await self._database.read(lambda connection: lookups.marks_of(connection, batch, take, keys))

    async def rows(self, ids: Collection[int]) -> dict[int, RowRecord]:
        """The rows with these ids."""
        return await self._database.read(lambda connection: lookups.rows_by_id(connection, ids))

    async def row(self, row_id: int) -> RowRecord:
        """One row.

        Raises:
            LedgerError: There is no row with this id.
        """
        found = await self.rows([row_id])
        if row_id not in found:
            raise LedgerError(message("ledger.no_row", id=row_id))
        return found[row_id]

    async def find(self, batch: str, take: str, key: str) -> RowRecord | None:
        """The row with this key; None if there is none."""
        return await self._database.read(lambda connection: lookups.row_by_key(connection, batch, take, key))

    async def rows_of(self, batch: str, take: str | None = None) -> list[RowRecord]:
        """All rows of a batch, in the order in which they were planned."""
        return await self._database.read(lambda connection: lookups.rows_of(connection, batch, take))

    async def summaries_of(self, batch: str) -> list[RowSummary]:
        """Summaries of all rows and takes of a batch in the order of planning; smaller than `rows_of`."""
        return await self._database.read(lambda connection: summaries.summaries_of(connection, batch))

    async def attempts_of_rows(self, ids: Collection[int]) -> list[AttemptRecord]:
        """All attempts of some rows, oldest first."""
        return await self._database.read(lambda connection: lookups.attempts_of_rows(connection, ids))

    async def attempts_of(self, batch: str) -> list[AttemptRecord]:
        """All attempts of a batch, oldest first."""
        return await self._database.read(lambda connection: lookups.attempts_of(connection, batch))

    async def earlier_attempts_of(self, batch: str) -> list[AttemptRecord]:
        """The attempts of a batch that are not the latest of their rows, oldest first."""
        return await self._database.read(lambda connection: lookups.earlier_attempts_of(connection, batch))

    async def batches(self) -> list[str]:
        """The names of all batches, oldest first."""
        return await self._database.read(lookups.batch_names)

    async def committed(self, run: Run, currency: str) -> Decimal:
        """The batch's commitment in one currency: known charges, and the worst case of the rest."""
        return await self._database.read(lambda connection: budget.committed(connection, run.batch_id, currency))

    async def unfinished_batches(self) -> Sequence[tuple[str, str]]:
        """Batch and take of all rows that are paid for and have no file yet; see `maintenance.unfinished_batches`."""
        return await self._database.read(maintenance.unfinished_batches)
