"""What the ledger knows for processes that carry one batch together, or work for one account at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from prefect_seedance.ledger._base import LedgerBase
from prefect_seedance.ledger.rows import leases, lookups
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.sharing import allocations, work_claims
from prefect_seedance.ledger.sharing.allocations import Allocation, Demand, Member
from prefect_seedance.ledger.sharing.work_claims import Remainder, RowBrief

__all__ = ["LedgerSharing"]


class LedgerSharing(LedgerBase):
    """The part of the ledger by which processes share rows, and places in flight."""

    async def take_portion(self, run: Run, take: str, **wanted: Any) -> set[int]:
        """Take free rows of a batch, and leave the rest to others; see `portions.take`."""
        return await self._database.write(lambda connection: work_claims.take(connection, run, take, **wanted))

    async def let_go(self, run: Run, ids: Collection[int]) -> None:
        """Hold rows no longer that this run brings no further."""
        await self._write(work_claims.let_go, run, ids)

    async def want(self, run: Run, ids: Collection[int]) -> None:
        """Shards of this run may carry these rows."""
        await self._write(work_claims.want, run, ids)

    async def address(self, run: Run, meant: Sequence[Mapping[str, Any]]) -> None:
        """Write down how rows that may be sent are meant today; see `portions.address`."""
        await self._write(work_claims.address, run, meant)

    async def meant(self, ids: Collection[int]) -> dict[int, Any]:
        """What `address` wrote down beside the rows' requests."""
        return await self._database.read(lambda connection: work_claims.meant(connection, ids))

    async def remainder(self, run: Run, take: str, **since: Any) -> Remainder:
        """What is left of a batch for a run that takes portions of it; see `portions.remainder`."""
        return await self._database.read(lambda connection: work_claims.remainder(connection, run, take, **since))

    async def gone(self, run: Run, flow_run_ids: Collection[str]) -> set[str]:
        """Of these flow runs, those that hold no rows of the batch any more; see `portions.gone`."""
        return await self._database.write(lambda connection: work_claims.gone(connection, run, flow_run_ids))

    async def at_work(self, batch: str) -> bool:
        """Whether a run over the batch lives."""

        def operation(connection: sa.Connection) -> bool:
            batch_id = lookups.batch_id(connection, batch)
            return batch_id is not None and leases.at_work(connection, batch_id)

        return await self._database.write(operation)

    async def glimpses(self, run: Run, take: str) -> list[RowBrief]:
        """How all rows of a take stand, in few words."""
        return await self._database.read(lambda connection: work_claims.glimpses(connection, run, take))

    async def sit(self, member: Member, said: Demand) -> Allocation:
        """Say how this process stands at an account, and be told what it may do; see `seats.sit`."""
        return await self._database.write(lambda connection: allocations.sit(connection, member, said))

    async def leave_seat(self, member: Member) -> None:
        """This process is through with an account."""
        try:
            await self._write(allocations.leave, member)
        finally:
            allocations.forget(member)
