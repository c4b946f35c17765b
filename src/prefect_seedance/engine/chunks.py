"""A chunk: some rows of one route that share one task run, instead of three task runs for each row."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from prefect_seedance.engine.queues import Queue
from prefect_seedance.engine.row import Row

if TYPE_CHECKING:
    from prefect_seedance.engine.dispatcher import Dispatcher

__all__ = ["Chunk", "ChunkStep"]


class Chunk:
    """Consecutive rows of one route's queue.

    Args:
        dispatcher: Works on its rows.
        queue: The queue of their route.
        first: The number of its first row: rows are counted by route, in the order in which they are started.
        rows: The rows.
    """

    def __init__(self, dispatcher: Dispatcher, queue: Queue, first: int, rows: Sequence[Row]) -> None:
        self._dispatcher = dispatcher
        self.queue = queue
        self.rows = tuple(rows)
        """All its rows."""
        self.waiting = deque(rows)
        """Those that are not started."""
        self.drained = asyncio.Event()
        """Set once no row waits: the next chunk may begin while the slow rows of this one end."""
        self.fetching: list[asyncio.Future[None]] = []
        """The downloads under way."""
        self.name = f"{queue.settings.route.model}, rows {first:,} to {first + len(rows) - 1:,}"
        """For people."""

    def take(self) -> Row | None:
        """The next row; None when all are started."""
        row = self.waiting.popleft() if self.waiting else None
        if not self.waiting:
            self.drained.set()
        return row

    async def carry(self) -> None:
        """Carry every row as far as possible, its download included."""
        await self._dispatcher.carry(self)

    @property
    def counts(self) -> Counter[str]:
        """How many of its rows are in which state."""
        return Counter(row.state.value for row in self.rows)


ChunkStep = Callable[[Chunk], Awaitable[object]]
