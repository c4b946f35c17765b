"""How many jobs of an account are in flight, and when it may be asked again after it said "too many"."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from prefect_seedance.accounts.clock_gap import moment as boot_time
from prefect_seedance.accounts.congestion_window import CongestionWindow
from prefect_seedance.ledger import ALL, Allocation, Demand

__all__ = ["Limiter", "LimiterReport", "Slot"]

LONGEST_PAUSE = 60.0
"""Seconds: the longest pause that we choose ourselves. A provider's own Retry-After may be longer."""

ON_THE_WAY = 4
"""Creates without an answer at once, at least: so few can be too many at once when the first limit is met."""

CAREFUL = 2
"""The same once a limit was met."""

SHARE_ON_THE_WAY = 8
"""One create on the way for so many jobs in flight, where that is more: where there is no limit, the start is quick."""


@dataclass(frozen=True, slots=True)
class LimiterReport:
    """How an account's limit stood.

    Attributes:
        limit: Jobs in flight that are known to be allowed now; None where nothing was ever refused.
        lowest: The lowest limit that was met; None where none was.
        highest: The most jobs that were in flight at once.
        accepted: Creates that were accepted.
        refused: Creates that were refused as too many.
    """

    limit: int | None
    lowest: int | None
    highest: int
    accepted: int
    refused: int


class Slot:
    """One place in flight."""

    __slots__ = ("made", "tried")

    def __init__(self, *, made: bool) -> None:
        self.made = made
        """Whether its job exists at the provider."""
        self.tried = False
        """Whether a create for it came to nothing: it may be sent again only when the limit lets it."""


@dataclass(slots=True, eq=False)
class _Waiter:
    number: int
    ceiling: int
    paid: bool
    over: Callable[[], bool]
    granted: asyncio.Future[Slot]


class Limiter:
    """The places in flight of one account, by route, and the pauses that the provider asks for.

    All waiting is in order of arrival, so that no batch starves another; a route that is at its ceiling holds up none
    of the others.
    """

    def __init__(self) -> None:
        self._window = CongestionWindow()
        self._taken: dict[str, int] = {}
        self._queues: dict[str, deque[_Waiter]] = {}
        self._order = itertools.count()
        self._held = self._made = self._idle = 0
        self._unmade: dict[Slot, None] = {}
        self._again: deque[tuple[Slot, Callable[[], bool], asyncio.Future[None]]] = deque()
        self._stirred = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._open_at = 0.0
        self._refusals = 0
        self._accepted = self._refused = 0
        self._ceilings: dict[str, int] = {}
        self._hopes: dict[str, int] = {}
        self._shares: dict[str, float] | None = None
        """What this process may have in flight of each route, where others share the account; None where none do."""
        self._told: Mapping[str, int] = {}
        self._told_at = -math.inf
        self._good_until = math.inf
        self._knew: float | None = None
        self.news = asyncio.Event()
        """Set when there is something to be told to the others: a refusal, or a demand that they know nothing of."""

    def snapshot(self) -> LimiterReport:
        """How the account's limit stands."""
        size, lowest = self._window.size, self._window.lowest
        return LimiterReport(
            limit=None if math.isinf(size) else int(size),
            lowest=None if lowest is None else int(lowest),
            highest=max(self._window.highest, self._made),
            accepted=self._accepted,
            refused=self._refused,
        )

    @contextlib.asynccontextmanager
    async def place(
        self, model: str, ceiling: int, *, paid: bool = False, over: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[Slot]:
        """Hold one of `ceiling` places of a route for as long as the block runs.

        Args:
            model: The route's model.
            ceiling: How many the user allows.
            paid: Whether the job exists already: it is in flight in any case, and no limit of the provider's holds it.
            over: Whether nothing is to be sent any more; then the wait ends, once `stir` is called.
        """
        place = await self._take(model, ceiling, paid=paid, over=over)
        try:
            yield place
        finally:
            self._leave(model, place)

    async def ready(self, place: Slot | None = None, over: Callable[[], bool] = lambda: False) -> None:
        """Wait until the provider may be asked for a create again.

        Args:
            place: For which; after a refusal it also waits until the limit lets it.
            over: Whether nothing is to be sent any more; then the wait ends, once `stir` is called.
        """
        loop = asyncio.get_running_loop()
        while not over() and (wait := self._open_at - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._stirred.wait()
        if place is None or not place.tried or over():
            return
        if not self._again and self._admits():
            self._send_again(place)
            return
        turn: tuple[Slot, Callable[[], bool], asyncio.Future[None]] = (place, over, loop.create_future())
        self._again.append(turn)
        self._set_timer()
        try:
            await turn[2]
        finally:
            with contextlib.suppress(ValueError):
                self._again.remove(turn)

    def accepted(self, place: Slot | None = None) -> None:
        """The provider took a create: the next refusal starts with a short pause again."""
        self._refusals = 0
        self._accepted += 1
        if place is None:
            # A caller that names none means the one that has been on its way for longest.
            place = next((held for held in self._unmade if not held.tried), None)
        if place is not None and not place.made:
            self._unmade.pop(place, None)
            self._idle -= place.tried
            place.made, place.tried = True, False
            self._made += 1
        self._window.accepted(self._made, asyncio.get_running_loop().time())
        self._admit()

    def refused(self, retry_after: float | None, place: Slot | None = None) -> None:
        """The provider said "too many": nobody asks again before `retry_after` seconds, or a growing pause of ours."""
        moment = asyncio.get_running_loop().time()
        self._refused += 1
        news = moment >= self._open_at  # else it was on its way when the pause began
        if news and place is not None:
            self._window.refused(self._made, moment)
        if retry_after is not None or news:
            self._pause(moment, retry_after)
        if place is not None:
            self.unsent(place)
        self._set_timer()
        self.news.set()

    def stir(self) -> None:
        """Let go of all who wait to send something, and need not any more: they hold a place only to give it back."""
        self._stirred.set()
        self._stirred = asyncio.Event()
        for _, over, again in self._again:
            if over() and not again.done():
                again.set_result(None)
        for model, queue in self._queues.items():
            for turn in [turn for turn in queue if not turn.paid and turn.over()]:
                queue.remove(turn)
                self._give(model, turn)

    def saying(self) -> Demand:
        """What the others are told; until `shared` brings their answer, nothing more is put in flight."""
        waiting = {model: self._taken.get(model, 0) + len(self._queues.get(model, ())) for model in self._ceilings}
        wanted = {model: max(number, self._hopes.get(model, 0)) for model, number in waiting.items()}
        self._told = wanted
        self._told_at = boot_time()
        self.freeze()
        return Demand(
            held={**self._taken, ALL: self._held - self._idle},
            wanted=wanted,
            ceilings=dict(self._ceilings),
            size=self._window.size if self._window.found else None,
            previous_size=self._knew,
            pause=max(0.0, self._open_at - asyncio.get_running_loop().time()),
        )

    def hope(self, model: str, ceiling: int, number: int) -> None:
        """Ask for so many of the `ceiling` places of a route, for rows that are about to be taken."""
        self._ceilings[model] = ceiling
        if self._hopes.get(model, 0) != number:
            self.news.set()
        self._hopes[model] = number

    def part(self, model: str) -> int | None:
        """How many places of a route this process has at present; None where it shares with nobody."""
        return None if self._shares is None else int(self._shares.get(model, 0))

    def freeze(self) -> None:
        """Put nothing more in flight than there is, until `shared` or `alone` is called."""
        self._shares = {**self._taken, ALL: self._held - self._idle}
        self._good_until = math.inf

    def shared(self, share: Allocation, lease: float = math.inf) -> None:
        """Keep to this part of the account's limits from now on, and believe what others have met.

        Args:
            share: The part.
            lease: Seconds since `saying` after which others may have been given it: a process that stood still for so
                long puts nothing more in flight before it has spoken to them again.
        """
        moment = asyncio.get_running_loop().time()
        self._shares = dict(share.granted)
        self._good_until = self._told_at + lease
        if share.found is not None:
            self._window.believe(share.granted[ALL], share.found, share.members, moment)
            self._knew = self._window.size
        if share.pause > 0:
            self._open_at = max(self._open_at, moment + share.pause)
        self._admit()

    def alone(self) -> None:
        """Nobody shares the account with this process any more."""
        self._shares = None
        self._admit()

    def _may_have(self, model: str) -> float:
        if self._shares is None:
            return math.inf
        if boot_time() >= self._good_until:
            self.freeze()
        return self._shares.get(model, math.inf if model == ALL else 0)

    def _pause(self, moment: float, retry_after: float | None) -> None:
        if retry_after is None:
            self._refusals += 1
            # A little luck in the pause keeps several processes from coming back in the same instant.
            retry_after = min(LONGEST_PAUSE, 2.0 ** min(self._refusals - 1, 6)) * random.uniform(0.5, 1.0)  # noqa: S311
        self._open_at = max(self._open_at, moment + retry_after)

    def unsent(self, place: Slot) -> None:
        """A create for this place came to nothing; until it is tried again, the place stands in nobody's way."""
        if not place.tried and not place.made:
            place.tried = True
            self._idle += 1
            self._admit()

    def _send_again(self, place: Slot) -> None:
        place.tried = False
        self._idle -= 1

    async def _take(
        self, model: str, ceiling: int, *, paid: bool = False, over: Callable[[], bool] = lambda: False
    ) -> Slot:
        queue = self._queues.setdefault(model, deque())
        turn = _Waiter(next(self._order), ceiling, paid, over, asyncio.get_running_loop().create_future())
        # A job that exists is asked about, whoever waits to have one made.
        first = next((place for place, other in enumerate(queue) if not other.paid), len(queue)) if paid else len(queue)
        queue.insert(first, turn)
        self._ceilings[model] = ceiling
        self._admit()
        if (
            self._shares is not None
            and not turn.granted.done()
            and self._told.get(model, 0) <= self._taken.get(model, 0)
        ):
            self.news.set()
        try:
            return await turn.granted
        except asyncio.CancelledError:
            if turn.granted.done() and not turn.granted.cancelled():
                self._leave(model, turn.granted.result())
            else:
                with contextlib.suppress(ValueError):
                    queue.remove(turn)
                self._admit()
            raise

    def _leave(self, model: str, place: Slot) -> None:
        self._taken[model] -= 1
        self._held -= 1
        self._made -= place.made
        if place.made:
            self._window.ended(asyncio.get_running_loop().time())
        self._idle -= place.tried
        self._unmade.pop(place, None)
        self._admit()

    def _admits(self) -> bool:
        """Whether one more create may be sent beside those that are in flight or on their way."""
        now = asyncio.get_running_loop().time()
        others = self._held - self._idle
        most = min(self._window.allowed(now), self._may_have(ALL) + self._window.tries(now))
        if now < self._open_at or others >= most:
            return False
        if self._window.found and self._made >= self._window.size:
            return others - self._made < self._window.tries(now)
        least = CAREFUL if self._window.found else ON_THE_WAY
        return others - self._made < max(least, self._made // SHARE_ON_THE_WAY)

    def _admit(self) -> None:
        """Give away what is free, to those who were refused first, then in order of arrival."""
        while self._again and self._admits():
            place, _, again = self._again.popleft()
            if not again.done():
                self._send_again(place)
                again.set_result(None)
        while (chosen := self._head()) is not None:
            model, turn = chosen
            self._queues[model].popleft()
            self._give(model, turn)
        self._set_timer()

    def _give(self, model: str, turn: _Waiter) -> None:
        if turn.granted.done():
            return
        place = Slot(made=turn.paid)
        self._taken[model] = self._taken.get(model, 0) + 1
        self._held += 1
        self._made += turn.paid
        if turn.paid:
            self.news.set()  # a job that somebody else had in flight is this process's now
        else:
            self._unmade[place] = None
        turn.granted.set_result(place)

    def _head(self) -> tuple[str, _Waiter] | None:
        """Who is next, and of which route."""
        free = not self._again and self._admits()
        best: tuple[str, _Waiter] | None = None
        for model, queue in self._queues.items():
            if not queue or not (free or queue[0].paid):
                continue
            # A job that is made is in flight, whoever holds it; only what is new keeps to the share.
            most = queue[0].ceiling if queue[0].paid else min(queue[0].ceiling, self._may_have(model))
            if self._taken.get(model, 0) >= most:
                continue
            if best is None or queue[0].number < best[1].number:
                best = (model, queue[0])
        return best

    def _set_timer(self) -> None:
        """Look again when a pause ends, or when one more may be tried."""
        if not self._again and not any(self._queues.values()):
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        moments = [when for when in (self._open_at, self._window.next_try) if now < when < math.inf]
        if not moments:
            return
        when = min(moments)
        if self._timer is not None:
            if now < self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer = None
        self._admit()
