"""The order in which finished videos are fetched."""

from __future__ import annotations

import asyncio
import itertools
import math
import sys

from prefect_seedance.jobs.row import Row

__all__ = ["Fetching"]


class Fetching:
    """The videos that wait to be fetched. Those whose links end first come first: they are the ones to be lost."""

    def __init__(self) -> None:
        self._queue: asyncio.PriorityQueue[tuple[float, int, Row | None]] = asyncio.PriorityQueue()
        self._number = itertools.count()

    def put(self, row: Row) -> None:
        """A row's video is ready. One whose link has no known end comes after those that have."""
        ends = row.link_expires_at.timestamp() if row.link_expires_at else sys.float_info.max
        self._queue.put_nowait((ends, next(self._number), row))

    def close(self, porters: int) -> None:
        """Nothing more will come: each of so many porters is told so, once all is carried."""
        for _ in range(porters):
            self._queue.put_nowait((math.inf, next(self._number), None))

    async def get(self) -> Row | None:
        """The next row; None at the end."""
        return (await self._queue.get())[2]
