"""Limits the jobs of an account in flight, and pauses its creates after a rate limit."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from prefect_seedance.accounts.clock_gap import moment as boot_time
from prefect_seedance.accounts.congestion_window import CongestionWindow
from prefect_seedance.accounts.send_gate import Sender, SendGate, Turn
from prefect_seedance.ledger import ALL, Allocation, Demand
from prefect_seedance.providers.reading import LONGEST_RETRY_AFTER

__all__ = ["Limiter", "LimiterReport", "Slot"]

LONGEST_PAUSE = 60.0
"""Seconds: the longest pause without a Retry-After of the provider, which may be longer."""

UNANSWERED = 4
"""Minimum of creates that may be unanswered at once: when the first limit is met, so few can exceed it."""

UNANSWERED_AT_LIMIT = 2
"""The same once a limit has been found."""

JOBS_PER_UNANSWERED = 8
"""One unanswered create for so many jobs in flight, where that is more than the minimum: without a limit, the start is
quick."""


@dataclass(frozen=True, slots=True)
class LimiterReport:
    """The state of an account's limit.

    Attributes:
        limit: Jobs in flight that are known to be allowed now; None where nothing was ever refused.
        lowest: The lowest limit that was met; None where none was.
        highest: The most jobs that were in flight at once.
        accepted: Creates that were accepted.
        refused: Creates that were refused as too many.
        pause: Seconds until the provider may be asked for a create again.
    """

    limit: int | None
    lowest: int | None
    highest: int
    accepted: int
    refused: int
    pause: float = 0.0


class Slot:
    """One slot in flight."""

    __slots__ = ("made", "tried", "turn")

    def __init__(self, *, made: bool) -> None:
        self.made = made
        """Whether its job exists at the provider."""
        self.tried = False
        """Whether a create for it was refused: it may be sent again only when the limit allows it."""
        self.turn: Turn | None = None
        """Its turn at the gate, where creates go one at a time."""


@dataclass(slots=True, eq=False)
class _Waiter:
    number: int
    ceiling: int
    paid: bool
    over: Callable[[], bool]
    granted: asyncio.Future[Slot]


class Limiter:
    """The slots in flight of one account, by route, and the pauses that the provider asks for.

    Waiters are served in order of arrival, so that no batch starves another. A route at its ceiling does not delay the
    others. No slot is taken before the gate lets a create through.

    Args:
        gate: Whether creates may be sent to a route at all.
        ask: Asks the account's provider a free question; see `SendGate.turn`.
    """

    def __init__(self, gate: SendGate | None = None, ask: Callable[[], Awaitable[None]] | None = None) -> None:
        self.gate = gate or SendGate()
        self._ask = ask or _no_question
        self._window = CongestionWindow()
        self._taken: dict[str, int] = {}
        self._queues: dict[str, deque[_Waiter]] = {}
        self._order = itertools.count()
        self._held = self._made = self._idle = 0
        self._unmade: dict[Slot, None] = {}
        self._retries: deque[tuple[Slot, Callable[[], bool], asyncio.Future[None]]] = deque()
        self._woken = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._open_at = 0.0
        self._paused = 0.0
        """Seconds of the pauses since a create was last accepted, with what is left of the present one."""
        self._refusals = 0
        self._accepted = self._refused = 0
        self._ceilings: dict[str, int] = {}
        self._expected: dict[str, int] = {}
        self._shares: dict[str, float] | None = None
        """What this process may have in flight of each route, where other processes share the account; else None."""
        self._demanded: Mapping[str, int] = {}
        self._demanded_at = -math.inf
        self._good_until = math.inf
        self._known_size: float | None = None
        self.news = asyncio.Event()
        """Set when other processes have to know something: a refusal, or a demand that they do not know of."""

    def snapshot(self) -> LimiterReport:
        """The state of the account's limit."""
        size, lowest = self._window.size, self._window.lowest
        return LimiterReport(
            limit=None if math.isinf(size) else int(size),
            lowest=None if lowest is None else int(lowest),
            highest=max(self._window.highest, self._made),
            accepted=self._accepted,
            refused=self._refused,
            pause=max(0.0, self._open_at - asyncio.get_running_loop().time()),
        )

    @contextlib.asynccontextmanager
    async def slot(
        self,
        model: str,
        ceiling: int,
        *,
        paid: bool = False,
        over: Callable[[], bool] = lambda: False,
        sender: Sender | None = None,
    ) -> AsyncIterator[Slot]:
        """Hold one of `ceiling` slots of a route for as long as the block runs.

        Args:
            model: The route's model.
            ceiling: How many the user allows.
            paid: Whether the job exists already: it is in flight in any case, and the provider's limit does not apply.
            over: Whether nothing is to be sent any more; then the wait ends, once `wake` is called.
            sender: Who sends a create in it, which has to pass the gate first; None for a job that exists.

        Raises:
            RoutePaused: The gate lets no create of this run through.
        """
        while True:
            async with self.turn(model, sender) as turn:
                slot = await self._acquire(model, ceiling, paid=paid, over=over)
                try:
                    # The circuit may have opened while this row waited for its slot.
                    if sender is None or self.gate.lets(model, turn) or over():
                        slot.turn = turn
                        yield slot
                        return
                finally:
                    self._release(model, slot)

    @contextlib.asynccontextmanager
    async def turn(self, model: str, sender: Sender | None) -> AsyncIterator[Turn | None]:
        """Pass the gate, as `SendGate.turn`; without a sender at once."""
        if sender is None:
            yield None
            return
        async with self.gate.turn(model, sender, self._ask) as turn:
            yield turn

    async def ready(self, slot: Slot | None = None, over: Callable[[], bool] = lambda: False) -> None:
        """Wait until the provider may be asked for a create again.

        Args:
            slot: The slot to send for; after a refusal it also waits until the limit allows it.
            over: Whether nothing is to be sent any more; then the wait ends, once `wake` is called.
        """
        loop = asyncio.get_running_loop()
        while not over() and (wait := self._open_at - loop.time()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()
        if slot is None or not slot.tried or over():
            return
        if not self._retries and self._admits():
            self._send_again(slot)
            return
        waiter: tuple[Slot, Callable[[], bool], asyncio.Future[None]] = (slot, over, loop.create_future())
        self._retries.append(waiter)
        self._set_timer()
        try:
            await waiter[2]
        finally:
            with contextlib.suppress(ValueError):
                self._retries.remove(waiter)

    def accepted(self, slot: Slot | None = None) -> None:
        """The provider accepted a create: the next refusal starts with a short pause again."""
        self._refusals = 0
        self._paused = 0.0
        self._accepted += 1
        if slot is None:
            # A caller that names no slot means the one that was sent first.
            slot = next((held for held in self._unmade if not held.tried), None)
        if slot is not None and not slot.made:
            self._unmade.pop(slot, None)
            self._idle -= slot.tried
            slot.made, slot.tried = True, False
            self._made += 1
        self._window.accepted(self._made, asyncio.get_running_loop().time())
        self._admit()

    def refused(self, retry_after: float | None, slot: Slot | None = None) -> None:
        """The provider refused a create as too many: pause for `retry_after` seconds, or for a growing time."""
        moment = asyncio.get_running_loop().time()
        self._refused += 1
        news = moment >= self._open_at  # else it was sent before the pause began
        if news and slot is not None:
            self._window.refused(self._made, moment)
        if retry_after is not None or news:
            self._pause(moment, retry_after)
        if slot is not None:
            self.unsent(slot)
        self._set_timer()
        self.news.set()

    def pause_beyond(self, patience: float) -> float | None:
        """Seconds until the provider may be asked again, where waiting for that takes longer than `patience` seconds.

        The pauses since the last accepted create count together: a provider that asks for a minute again and again is
        not waited for without end.
        """
        left = self._open_at - asyncio.get_running_loop().time()
        return left if left > 0 and self._paused > patience else None

    def wake(self) -> None:
        """End the waits to send something whose `over` says so: they get a slot only to release it."""
        self._woken.set()
        self._woken = asyncio.Event()
        self.gate.wake()
        for _, over, again in self._retries:
            if over() and not again.done():
                again.set_result(None)
        for model, queue in self._queues.items():
            for waiter in [waiter for waiter in queue if not waiter.paid and waiter.over()]:
                queue.remove(waiter)
                self._grant(model, waiter)

    def demand(self) -> Demand:
        """What this process demands; until `apply_share` is called with the answer, nothing more is put in flight."""
        waiting = {model: self._taken.get(model, 0) + len(self._queues.get(model, ())) for model in self._ceilings}
        wanted = {model: max(number, self._expected.get(model, 0)) for model, number in waiting.items()}
        self._demanded = wanted
        self._demanded_at = boot_time()
        self.freeze()
        return Demand(
            held={**self._taken, ALL: self._held - self._idle},
            wanted=wanted,
            ceilings=dict(self._ceilings),
            size=self._window.size if self._window.found else None,
            previous_size=self._known_size,
            pause=max(0.0, self._open_at - asyncio.get_running_loop().time()),
        )

    def expect(self, model: str, ceiling: int, number: int) -> None:
        """Demand so many of the `ceiling` slots of a route, for rows that are about to be claimed."""
        self._ceilings[model] = ceiling
        if self._expected.get(model, 0) != number:
            self.news.set()
        self._expected[model] = number

    def share_of(self, model: str) -> int | None:
        """How many slots of a route this process may use now; None where it does not share the account."""
        return None if self._shares is None else int(self._shares.get(model, 0))

    def freeze(self) -> None:
        """Put nothing more in flight than there is, until `apply_share` or `unshare` is called."""
        self._shares = {**self._taken, ALL: self._held - self._idle}
        self._good_until = math.inf

    def apply_share(self, share: Allocation, lease: float = math.inf) -> None:
        """Keep to this share of the account's limits from now on, and take over the limit that others have found.

        Args:
            share: The share.
            lease: Seconds since `demand` after which others may have been given it: a process that was suspended for so
                long puts nothing more in flight before its next exchange.
        """
        moment = asyncio.get_running_loop().time()
        self._shares = dict(share.granted)
        self._good_until = self._demanded_at + lease
        if share.found is not None:
            self._window.adopt(share.granted[ALL], share.found, share.members, moment)
            self._known_size = self._window.size
        if share.pause > 0:
            self._pause_until(moment, moment + share.pause)
        self._admit()

    def unshare(self) -> None:
        """This process does not share the account any more."""
        self._shares = None
        self._admit()

    def _share_limit(self, model: str) -> float:
        if self._shares is None:
            return math.inf
        if boot_time() >= self._good_until:
            self.freeze()
        return self._shares.get(model, math.inf if model == ALL else 0)

    def _pause(self, moment: float, retry_after: float | None) -> None:
        if retry_after is None:
            self._refusals += 1
            # Jitter keeps several processes from sending again at the same time.
            retry_after = min(LONGEST_PAUSE, 2.0 ** min(self._refusals - 1, 6)) * random.uniform(0.5, 1.0)  # noqa: S311
        self._pause_until(moment, moment + min(LONGEST_RETRY_AFTER, retry_after))

    def _pause_until(self, now: float, until: float) -> None:
        if until > self._open_at:
            self._paused += until - max(now, self._open_at)
            self._open_at = until
            self.wake()  # some do not wait for so long

    def unsent(self, slot: Slot) -> None:
        """A create for this slot was not accepted; until the next try the slot does not count against the limit."""
        if not slot.tried and not slot.made:
            slot.tried = True
            self._idle += 1
            self._admit()

    def _send_again(self, slot: Slot) -> None:
        slot.tried = False
        self._idle -= 1

    async def _acquire(
        self, model: str, ceiling: int, *, paid: bool = False, over: Callable[[], bool] = lambda: False
    ) -> Slot:
        queue = self._queues.setdefault(model, deque())
        waiter = _Waiter(next(self._order), ceiling, paid, over, asyncio.get_running_loop().create_future())
        if not paid and over():
            self._grant(model, waiter)
            return waiter.granted.result()
        # A job that exists goes before those that are still to be made.
        first = next((index for index, other in enumerate(queue) if not other.paid), len(queue)) if paid else len(queue)
        queue.insert(first, waiter)
        self._ceilings[model] = ceiling
        self._admit()
        if (
            self._shares is not None
            and not waiter.granted.done()
            and self._demanded.get(model, 0) <= self._taken.get(model, 0)
        ):
            self.news.set()
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            if waiter.granted.done() and not waiter.granted.cancelled():
                self._release(model, waiter.granted.result())
            else:
                with contextlib.suppress(ValueError):
                    queue.remove(waiter)
                self._admit()
            raise

    def _release(self, model: str, slot: Slot) -> None:
        self._taken[model] -= 1
        self._held -= 1
        self._made -= slot.made
        if slot.made:
            self._window.ended(asyncio.get_running_loop().time())
        self._idle -= slot.tried
        self._unmade.pop(slot, None)
        self._admit()

    def _admits(self) -> bool:
        """Whether one more create may be sent, given those that are in flight or unanswered."""
        now = asyncio.get_running_loop().time()
        others = self._held - self._idle
        most = min(self._window.allowed(now), self._share_limit(ALL) + self._window.tries(now))
        if now < self._open_at or others >= most:
            return False
        if self._window.found and self._made >= self._window.size:
            return others - self._made < self._window.tries(now)
        least = UNANSWERED_AT_LIMIT if self._window.found else UNANSWERED
        return others - self._made < max(least, self._made // JOBS_PER_UNANSWERED)

    def _admit(self) -> None:
        """Grant the free slots: first to refused creates, then in order of arrival."""
        while self._retries and self._admits():
            slot, _, again = self._retries.popleft()
            if not again.done():
                self._send_again(slot)
                again.set_result(None)
        while (chosen := self._next_waiter()) is not None:
            model, waiter = chosen
            self._queues[model].popleft()
            self._grant(model, waiter)
        self._set_timer()

    def _grant(self, model: str, waiter: _Waiter) -> None:
        if waiter.granted.done():
            return
        slot = Slot(made=waiter.paid)
        self._taken[model] = self._taken.get(model, 0) + 1
        self._held += 1
        self._made += waiter.paid
        if waiter.paid:
            self.news.set()  # a job that another process had in flight belongs to this one now
        else:
            self._unmade[slot] = None
        waiter.granted.set_result(slot)

    def _next_waiter(self) -> tuple[str, _Waiter] | None:
        """The next waiter and its route; None where no waiter can be served."""
        free = not self._retries and self._admits()
        best: tuple[str, _Waiter] | None = None
        for model, queue in self._queues.items():
            if not queue or not (free or queue[0].paid):
                continue
            # An existing job is in flight in any case; only new jobs keep to the share.
            most = queue[0].ceiling if queue[0].paid else min(queue[0].ceiling, self._share_limit(model))
            if self._taken.get(model, 0) >= most:
                continue
            if best is None or queue[0].number < best[1].number:
                best = (model, queue[0])
        return best

    def _set_timer(self) -> None:
        """Serve again when a pause ends, or when one more may be tried."""
        if not self._retries and not any(self._queues.values()):
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
        self._timer = loop.call_at(when, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._admit()


async def _no_question() -> None:
    """For a limiter without a provider."""
