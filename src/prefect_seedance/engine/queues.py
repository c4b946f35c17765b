"""The rows that wait for their turn, by route: a row that moves on leaves one queue for another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator

from prefect_seedance.engine.row import Row
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.providers import Account, RouteSettings

__all__ = ["Queue", "Queues"]


class Queue:
    """The rows of one route that nobody has taken up."""

    def __init__(self, settings: RouteSettings, members: int) -> None:
        self.settings = settings
        self.rows: deque[Row] = deque()
        self.members = asyncio.Semaphore(members)
        """So many of its rows are served at once, whichever chunks they are of."""

    def take(self, most: int) -> list[Row]:
        """The next rows."""
        return [self.rows.popleft() for _ in range(min(most, len(self.rows)))]


class Queues:
    """All queues of a run.

    Args:
        rows: The rows; what was paid already is at the head of each queue.
        ahead: How many rows of a route are served beyond those that it may have in flight.
    """

    def __init__(self, rows: Iterable[Row], ahead: int) -> None:
        self._queues: dict[tuple[Account, str], Queue] = {}
        self._ahead = ahead
        self._restless: set[Row] = set()
        self._news = asyncio.Condition()
        for row in sorted(rows, key=lambda row: (row.state is not State.SUCCEEDED, row.state in TAKEABLE)):
            self._of(row.settings).rows.append(row)
            if row.others and row.state in TAKEABLE:
                self._restless.add(row)
                for candidate in row.candidates:
                    self._of(candidate.settings)

    def __iter__(self) -> Iterator[Queue]:
        return iter(list(self._queues.values()))

    async def filled(self, queue: Queue) -> bool:
        """Wait until a queue has rows; False once none will come any more."""
        if not queue.rows and self._restless:
            async with self._news:
                await self._news.wait_for(lambda: queue.rows or not self._restless)
        return bool(queue.rows)

    async def put(self, row: Row) -> None:
        """A row has moved on to another route."""
        self._of(row.settings).rows.append(row)
        async with self._news:
            self._news.notify_all()

    async def leave(self, row: Row) -> None:
        """A row has been brought as far as it goes."""
        if row in self._restless:
            self._restless.discard(row)
            if not self._restless:
                async with self._news:
                    self._news.notify_all()

    def _of(self, settings: RouteSettings) -> Queue:
        key = (settings.account, settings.route.model)
        if key not in self._queues:
            self._queues[key] = Queue(settings, settings.max_in_flight + self._ahead)
        return self._queues[key]
