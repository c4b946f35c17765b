"""The worker: claims rows, carries them with the dispatcher, and claims further ones until nothing is left.

There is one worker, whoever runs it. A run of this process claims its rows by their ids and has their plan in memory; a
shard claims a few free rows at a time from the ledger; a sweep claims rows that are paid already, and only adopts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Protocol

from prefect_seedance.engine.dispatcher import Dispatcher
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.step_runner import StepRunner

__all__ = ["Claims", "carry"]

TICK = 0.1
"""Seconds after which rows may be claimed while others are worked on, where no row event came before."""

IDLE = 1.0
"""The same while none are worked on, and other runs still hold rows."""


class Claims(Protocol):
    """Where a worker's rows come from."""

    async def take(self, held: Sequence[Sequence[Row]]) -> list[Row]:
        """Claim rows to begin with now; empty where there are none, or enough are held.

        Args:
            held: The rows that are being worked on, claim by claim.
        """

    async def finished(self, rows: Sequence[Row]) -> None:
        """A claim has been worked on as far as possible."""

    async def more(self, *, busy: bool) -> bool:
        """Whether there may be further rows to claim.

        Args:
            busy: Whether claimed rows are being worked on.
        """


async def carry(session: Session, claims: Claims, steps: StepRunner) -> None:
    """Work on claimed rows until there are no more; see `Dispatcher` for what stops a run earlier."""
    moved = asyncio.Event()
    session.watchers = (*session.watchers, lambda _: moved.set())
    works: dict[asyncio.Task[None], list[Row]] = {}
    try:
        while True:
            for task in [task for task in works if task.done()]:
                if not task.cancelled() and (error := task.exception()) is not None:
                    session.stop(error)
                await claims.finished(works.pop(task))
            if rows := await claims.take(list(works.values())):
                task = asyncio.create_task(Dispatcher(session, rows, steps).work(), name="seedance work")
                task.add_done_callback(lambda _: moved.set())
                works[task] = rows
            if not await claims.more(busy=bool(works)):
                return
            moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK if works else IDLE):
                    await moved.wait()
    finally:
        for task in works:
            task.cancel()
        await asyncio.gather(*works, return_exceptions=True)
