"""The order in which finished videos are fetched."""

from __future__ import annotations

import asyncio
import itertools
import math
import sys

from prefect_seedance.engine.row import Row

__all__ = ["Fetching"]


class Fetching:
    """The videos that wait to be fetched. Those whose links end first come first: they are the ones to be lost."""

    def __init__(self) -> None:
        self._queue: asyncio.PriorityQueue[
            tuple[bool, float, int, Row, asyncio.Future[None]] | tuple[bool, float, int]
        ] = asyncio.PriorityQueue()
        self._number = itertools.count()

    def put(self, row: Row) -> asyncio.Future[None]:
        """A row's video is ready; the answer is done once it was carried, however that went.

        One whose link has no known end comes after those that have; and one whose whole video was here before comes
        last: after a move of the output folder that may be all of them, and they must not let the others' links end.
        """
        carried: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ends = row.link_expires_at.timestamp() if row.link_expires_at else sys.float_info.max
        self._queue.put_nowait((row.proven, ends, next(self._number), row, carried))
        return carried

    def close(self, porters: int) -> None:
        """Nothing more will come: each of so many porters is told so, once all is carried."""
        for _ in range(porters):
            self._queue.put_nowait((True, math.inf, next(self._number)))

    async def get(self) -> tuple[Row, asyncio.Future[None]] | None:
        """The next row, and what to settle when it was carried; None at the end."""
        match await self._queue.get():
            case (_, _, _, row, carried):
                return row, carried
            case _:
                return None
