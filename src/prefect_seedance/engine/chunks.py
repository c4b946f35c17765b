"""A chunk: some rows of one route that share one task run, instead of three task runs for each row."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence

from prefect_seedance.engine.row import Row

__all__ = ["Chunk", "ChunkStep"]


class Chunk:
    """Consecutive rows of one route's queue."""

    def __init__(self, model: str, first: int, rows: Sequence[Row], serve: Callable[[Chunk], Awaitable[None]]) -> None:
        self.rows = tuple(rows)
        """All its rows."""
        self.waiting = deque(rows)
        """Those that no worker has started."""
        self.drained = asyncio.Event()
        """Set once no row waits: the next chunk may begin while the slow rows of this one end."""
        self.fetching: list[asyncio.Future[None]] = []
        """The downloads under way."""
        self.name = f"{model}, rows {first:,} to {first + len(rows) - 1:,}"
        """For people. Rows are counted by route, in the order in which they are started."""
        self._serve = serve

    def take(self) -> Row | None:
        """The next row; None when all are started."""
        row = self.waiting.popleft() if self.waiting else None
        if not self.waiting:
            self.drained.set()
        return row

    async def carry(self) -> None:
        """Carry every row as far as possible, its download included."""
        await self._serve(self)
        if self.fetching:
            await asyncio.wait(self.fetching)

    @property
    def counts(self) -> Counter[str]:
        """How many of its rows are in which state."""
        return Counter(row.state.value for row in self.rows)


ChunkStep = Callable[[Chunk], Awaitable[object]]
