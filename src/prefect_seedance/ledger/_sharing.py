"""The part of the ledger by which processes share the rows of a batch, or the limits of an account."""

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
    """Shared rows of a batch, and shared limits of an account."""

    async def claim_free_rows(self, run: Run, take: str, **wanted: Any) -> set[int]:
        """Claim free rows of a batch; see `work_claims.claim`."""
        return await self._database.write(lambda connection: work_claims.claim(connection, run, take, **wanted))

    async def release_rows(self, run: Run, ids: Collection[int]) -> None:
        """Release rows that this run does not continue; see `work_claims.release`."""
        await self._write(work_claims.release, run, ids)

    async def offer_rows(self, run: Run, ids: Collection[int]) -> None:
        """Allow the shards of this run to take these rows; see `work_claims.offer`."""
        await self._write(work_claims.offer, run, ids)

    async def update_plans(self, run: Run, plans: Sequence[Mapping[str, Any]]) -> None:
        """Record the present plans of rows that may be sent; see `work_claims.update_plans`."""
        await self._write(work_claims.update_plans, run, plans)

    async def plan_details(self, ids: Collection[int]) -> dict[int, Any]:
        """What `update_plans` recorded in addition to the rows' requests, by row id."""
        return await self._database.read(lambda connection: work_claims.plan_details(connection, ids))

    async def remainder(self, run: Run, take: str, **since: Any) -> Remainder:
        """What is left of a batch for a run that claims parts of it; see `work_claims.remainder`."""
        return await self._database.read(lambda connection: work_claims.remainder(connection, run, take, **since))

    async def ended_flow_runs(self, run: Run, flow_run_ids: Collection[str]) -> set[str]:
        """Of these flow runs, those that hold no rows of the batch any more; see `work_claims.ended_flow_runs`."""
        return await self._database.write(lambda connection: work_claims.ended_flow_runs(connection, run, flow_run_ids))

    async def has_live_run(self, batch: str) -> bool:
        """Whether the batch has a live run."""

        def operation(connection: sa.Connection) -> bool:
            batch_id = lookups.batch_id(connection, batch)
            return batch_id is not None and leases.has_live_run(connection, batch_id)

        return await self._database.write(operation)

    async def row_briefs(self, run: Run, take: str) -> list[RowBrief]:
        """A short description of all rows of a take."""
        return await self._database.read(lambda connection: work_claims.row_briefs(connection, run, take))

    async def allocate(self, member: Member, demand: Demand) -> Allocation:
        """Report this process's demand at an account, and get its allocation; see `allocations.allocate`."""
        return await self._database.write(lambda connection: allocations.allocate(connection, member, demand))

    async def release_allocation(self, member: Member) -> None:
        """Release this process's allocation at an account."""
        try:
            await self._write(allocations.release, member)
        finally:
            allocations.forget(member)
