"""The part of the ledger about media sent to providers, and the billed requests for them."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger._base import LedgerBase
from prefect_seedance.ledger.records import AssetRequest, MaterialKey, MaterialRecord
from prefect_seedance.ledger.rows import assets, lookups, materials
from prefect_seedance.ledger.rows.leases import Run
from prefect_seedance.ledger.rows.resolving import Verdict
from prefect_seedance.ledger.states import Outcome

__all__ = ["LedgerMedia"]


class LedgerMedia(LedgerBase):
    """Media at the providers, and the billed requests for assets."""

    async def take_material(self, run: Run, key: MaterialKey, name: str, *, needed_until: datetime) -> MaterialRecord:
        """Claim a medium to prepare it for a provider; see `materials.take`."""

        def operation(connection: sa.Connection) -> MaterialRecord:
            return materials.take(connection, run, key, name, needed_until=needed_until)

        return await self._database.write(operation)

    async def ask_for_asset(self, run: Run, material_id: int, **limits: Any) -> int | None:
        """Record a billed request for an asset before it is sent; None where the budget forbids it: see `assets.ask`.

        A caller that is cancelled meanwhile does not get the id and cannot send, so its request is withdrawn.
        """
        written: list[int | None] = []

        def operation(connection: sa.Connection) -> int | None:
            written.append(assets.ask(connection, run, material_id, **limits))
            return written[-1]

        try:
            return await self._database.write(operation)
        except asyncio.CancelledError:
            if written and written[-1] is not None:
                with contextlib.suppress(LedgerError):
                    await self.asset_answered(run, written[-1], Outcome.WITHDRAWN)
            raise

    async def asset_answered(self, run: Run, request_id: int, outcome: Outcome, **evidence: str | None) -> None:
        """Record the outcome of a billed request for an asset; see `assets.answer`."""
        await self._write(assets.answer, run, request_id, outcome, **evidence)

    async def asset_found(self, run: Run, material_id: int, asset_id: str) -> None:
        """Record that the asset of a billed request was found in the provider's list; see `assets.found`."""
        await self._write(assets.found, run, material_id, asset_id)

    async def asset_waiting(self, material_id: int) -> AssetRequest | None:
        """The billed request for a medium whose outcome is not known; None if there is none."""
        return await self._database.read(lambda connection: assets.waiting(connection, material_id))

    async def resolve_asset(
        self, batch: str, request_id: int, verdict: Verdict, *, asset_id: str | None = None
    ) -> None:
        """Settle a billed request for an asset as a person states it; see `assets.resolve`."""
        await self._write(assets.resolve, batch, request_id, verdict, asset_id=asset_id)

    async def note_material(self, run: Run, material_id: int, **values: Any) -> None:
        """Record the state of a medium; see `materials.note`."""
        await self._write(materials.note, run, material_id, **values)

    async def asset_requests_of(self, batch: str) -> list[AssetRequest]:
        """The billed asset requests of a batch, oldest first."""

        def operation(connection: sa.Connection) -> list[AssetRequest]:
            batch_id = lookups.batch_id(connection, batch)
            return [] if batch_id is None else assets.requests_of(connection, batch_id)

        return await self._database.read(operation)
