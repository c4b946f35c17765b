"""How many jobs of an account are in flight, and when it may be asked again after it said "too many"."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import AsyncIterator

__all__ = ["Limiter"]

LONGEST_PAUSE = 60.0
"""Seconds: the longest pause that we choose ourselves. A provider's own Retry-After may be longer."""


class Limiter:
    """The places in flight of one account, by route, and the pauses that the provider asks for.

    All waiting is in order of arrival, so that no batch starves another.
    """

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._queues: dict[str, deque[tuple[asyncio.Future[None], int]]] = {}
        self._open_at = 0.0
        self._refusals = 0

    @contextlib.asynccontextmanager
    async def place(self, model: str, ceiling: int) -> AsyncIterator[None]:
        """Hold one of `ceiling` places of a route for as long as the block runs."""
        await self._take(model, ceiling)
        try:
            yield
        finally:
            self._taken[model] -= 1
            self._admit(model)

    async def ready(self) -> None:
        """Wait until the provider may be asked for a create again."""
        loop = asyncio.get_running_loop()
        while (wait := self._open_at - loop.time()) > 0:  # noqa: ASYNC110 - the time moves while it sleeps
            await asyncio.sleep(wait)

    def refused(self, retry_after: float | None) -> None:
        """The provider said "too many": nobody asks again before `retry_after` seconds, or a growing pause of ours."""
        moment = asyncio.get_running_loop().time()
        if retry_after is None:
            if moment < self._open_at:
                return  # it was on its way when the pause began, and says nothing new
            self._refusals += 1
            # A little luck in the pause keeps several processes from coming back in the same instant.
            retry_after = min(LONGEST_PAUSE, 2.0 ** min(self._refusals - 1, 6)) * random.uniform(0.5, 1.0)  # noqa: S311
        self._open_at = max(self._open_at, moment + retry_after)

    def accepted(self) -> None:
        """The provider took a create: the next refusal starts with a short pause again."""
        self._refusals = 0

    async def _take(self, model: str, ceiling: int) -> None:
        queue = self._queues.setdefault(model, deque())
        if not queue and self._taken.get(model, 0) < ceiling:
            self._taken[model] = self._taken.get(model, 0) + 1
            return
        turn = asyncio.get_running_loop().create_future()
        queue.append((turn, ceiling))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._taken[model] -= 1
                self._admit(model)
            else:
                with contextlib.suppress(ValueError):
                    queue.remove((turn, ceiling))
            raise

    def _admit(self, model: str) -> None:
        queue = self._queues.get(model, deque())
        while queue and self._taken[model] < queue[0][1]:
            turn, _ = queue.popleft()
            if not turn.done():
                self._taken[model] += 1
                turn.set_result(None)
