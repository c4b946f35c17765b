"""The rows that wait, by route; a row that falls back moves from one queue to another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator

from prefect_seedance.engine.row import Row
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.providers import Account, RouteSettings

__all__ = ["Queue", "Queues"]


class Queue:
    """The rows of one route that are not started."""

    def __init__(self, settings: RouteSettings, workers: int) -> None:
        self.settings = settings
        self.rows: deque[Row] = deque()
        self.workers = asyncio.Semaphore(workers)
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
