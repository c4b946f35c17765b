"""The order in which finished videos are fetched."""

from __future__ import annotations

import asyncio
import itertools
import math
import sys

from prefect_seedance.engine.row import Row

__all__ = ["FetchQueue"]


class FetchQueue:
    """The videos that wait to be fetched; those whose links expire first come first."""

    def __init__(self) -> None:
        self._queue: asyncio.PriorityQueue[
            tuple[bool, float, int, Row, asyncio.Future[None]] | tuple[bool, float, int]
        ] = asyncio.PriorityQueue()
        self._number = itertools.count()

    def put(self, row: Row) -> asyncio.Future[None]:
        """Queue a row whose video is ready; the returned future is done once its download has ended, in any way.

        A link without a known expiry comes after those with one. A row whose whole video was stored before comes last:
        after a move of the output folder that may be all rows, and they must not delay links that expire.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ends = row.link_expires_at.timestamp() if row.link_expires_at else sys.float_info.max
        self._queue.put_nowait((row.proven, ends, next(self._number), row, done))
        return done

    def close(self, downloaders: int) -> None:
        """Nothing more will be queued: after the last row, each of so many downloaders gets None."""
        for _ in range(downloaders):
            self._queue.put_nowait((True, math.inf, next(self._number)))

    async def get(self) -> tuple[Row, asyncio.Future[None]] | None:
        """The next row, and the future to set when its download has ended; None at the end."""
        match await self._queue.get():
            case (_, _, _, row, done):
                return row, done
            case _:
                return None
