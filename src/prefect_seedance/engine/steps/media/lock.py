"""Locks a medium while it is prepared, against other rows of this process and against other processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from prefect_seedance.engine.medium import Medium
from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import MaterialKey, MaterialRecord, MaterialState
from prefect_seedance.ledger.rows import materials

__all__ = ["held"]

LOOK_AGAIN = 1.0
"""Seconds between two looks at a medium that another run prepares."""


@contextlib.asynccontextmanager
async def held(medium: Medium, key: MaterialKey, name: str) -> AsyncIterator[MaterialRecord]:
    """The ledger's record of the medium; held by this run during the block, unless it is ready already."""
    session = medium.session
    async with session.media.lock(key):
        record = await _taken(medium, key, name)
        try:
            yield record
        except BaseException:
            if record.state is not MaterialState.READY:
                # Other runs may try; a billed request without an answer stays in the ledger.
                with contextlib.suppress(LedgerError):
                    await session.ledger.write(materials.note, session.run, record.id, holder=None)
            raise


async def _taken(medium: Medium, key: MaterialKey, name: str) -> MaterialRecord:
    session = medium.session
    while True:
        record = await session.ledger.write(materials.take, session.run, key, name, needed_until=medium.needed_until)
        if record.state is MaterialState.READY or record.holder == session.run.id:
            return record
        await asyncio.sleep(LOOK_AGAIN)
