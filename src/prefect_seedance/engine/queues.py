"""The rows that wait: to be sent, by route, where a row that falls back moves to another queue; and to be fetched."""

from __future__ import annotations

import asyncio
import itertools
import math
import sys
from collections import deque
from collections.abc import Iterable, Iterator

from prefect_seedance.engine.row import Row
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.providers import Account, RouteSettings

__all__ = ["FetchQueue", "Queue", "Queues"]


class Queue:
    """The rows of one route that are not started."""

    def __init__(self, settings: RouteSettings, servers: int) -> None:
        self.settings = settings
        self.rows: deque[Row] = deque()
        self.servers = asyncio.Semaphore(servers)
        """Limits how many of its rows are served at once, over all chunks."""

    def take(self, most: int) -> list[Row]:
        """The next rows."""
        return [self.rows.popleft() for _ in range(min(most, len(self.rows)))]


class Queues:
    """All queues of a run.

    Args:
        rows: The rows; those that are paid already come first in each queue.
        ahead: How many rows of a route are served beyond those that it may have in flight.
    """

    def __init__(self, rows: Iterable[Row], ahead: int) -> None:
        self._queues: dict[tuple[Account, str], Queue] = {}
        self._ahead = ahead
        self._may_move: set[Row] = set()
        self._changed = asyncio.Condition()
        for row in sorted(rows, key=lambda row: (row.state is not State.SUCCEEDED, row.state in TAKEABLE)):
            self._of(row.settings).rows.append(row)
            if row.fallback.has_alternatives and row.state in TAKEABLE:
                self._may_move.add(row)
                for candidate in row.fallback.candidates:
                    self._of(candidate.settings)

    def __iter__(self) -> Iterator[Queue]:
        return iter(list(self._queues.values()))

    async def filled(self, queue: Queue) -> bool:
        """Wait until a queue has rows; False once no more will come."""
        if not queue.rows and self._may_move:
            async with self._changed:
                await self._changed.wait_for(lambda: queue.rows or not self._may_move)
        return bool(queue.rows)

    async def put(self, row: Row) -> None:
        """A row has moved on to another route."""
        self._of(row.settings).rows.append(row)
        async with self._changed:
            self._changed.notify_all()

    async def finish(self, row: Row) -> None:
        """A row is finished and will not move to another queue."""
        if row in self._may_move:
            self._may_move.discard(row)
            if not self._may_move:
                async with self._changed:
                    self._changed.notify_all()

    def _of(self, settings: RouteSettings) -> Queue:
        key = (settings.account, settings.route.model)
        if key not in self._queues:
            self._queues[key] = Queue(settings, settings.max_in_flight + self._ahead)
        return self._queues[key]


class FetchQueue:
    """The videos that wait to be fetched; those whose links expire first come first."""

    def __init__(self) -> None:
        self._queue: asyncio.PriorityQueue[
            tuple[bool, float, int, Row, asyncio.Future[None]] | tuple[bool, float, int]
        ] = asyncio.PriorityQueue()
        self._number = itertools.count()

    def put(self, row: Row, again: asyncio.Future[None] | None = None) -> asyncio.Future[None]:
        """Queue a row whose video is ready; the returned future is done once its download has ended, in any way.

        A row that is queued again keeps its future.

        A link without a known expiry comes after those with one. A row whose whole video was stored before comes last:
        after a move of the output folder that may be all rows, and they must not delay links that expire.
        """
        done: asyncio.Future[None] = again or asyncio.get_running_loop().create_future()
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
