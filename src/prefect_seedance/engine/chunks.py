"""Some rows of one route that are carried together: one task run instead of three for each of them."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence

from prefect_seedance.engine.row import Row

__all__ = ["Chunk", "ChunkStep"]


class Chunk:
    """Rows that follow each other in one route's queue."""

    def __init__(self, model: str, first: int, rows: Sequence[Row], serve: Callable[[Chunk], Awaitable[None]]) -> None:
        self.rows = tuple(rows)
        """All its rows."""
        self.waiting = deque(rows)
        """Those that nobody has taken up."""
        self.drained = asyncio.Event()
        """Set once nothing waits: the next chunk may begin while the slow rows of this one come to their end."""
        self.fetching: list[asyncio.Future[None]] = []
        """The downloads under way."""
        self.name = f"{model}, rows {first:,} to {first + len(rows) - 1:,}"
        """For people. Rows are counted by route, in the order in which they are taken up."""
        self._serve = serve

    def take(self) -> Row | None:
        """The next row; None when all are taken up."""
        row = self.waiting.popleft() if self.waiting else None
        if not self.waiting:
            self.drained.set()
        return row

    async def carry(self) -> None:
        """Bring every row as far as it goes, its download included."""
        await self._serve(self)
        if self.fetching:
            await asyncio.wait(self.fetching)

    @property
    def counts(self) -> Counter[str]:
        """How many of its rows are in which state."""
        return Counter(row.state.value for row in self.rows)


ChunkStep = Callable[[Chunk], Awaitable[object]]
