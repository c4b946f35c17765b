"""Whether a create may be sent to a route now: nothing is sent blindly (law 6)."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from prefect_seedance.errors import RoutePaused, SeedanceError
from prefect_seedance.messages import message

__all__ = ["PROBES", "SendGate", "Sender", "Turn"]

IN_A_ROW = 3
AMONG_RECENT = 5
RECENT = 20
"""The circuit opens after three unknown creates in a row, or five among the last twenty."""

PROBES = 5
"""Creates of a run that may end unknown while the circuit is open."""

FRESH = 3600.0
"""Seconds for which an answered create proves that creates are answered."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
"""Seconds between two free questions without an answer."""


class Turn:
    """The right to send one create while all others wait."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wants to send a create.

    Attributes:
        run: The run: it has `PROBES` probes, whatever other runs of this process have.
        patience: The run's `limit_patience`, in seconds.
        moves: Whether the row has another route, and goes there where it would have to wait for a probe.
        over: Whether nothing is to be sent any more; then every wait ends, once `wake` is called.
    """

    run: str
    patience: float
    moves: bool = False
    over: Callable[[], bool] = field(default=lambda: False)


class _Route:
    """What is known of the creates of one route."""

    def __init__(self) -> None:
        self.answered_at = -math.inf
        self.recent: deque[bool] = deque(maxlen=RECENT)
        """For each of the last creates with an outcome: whether it is unknown."""
        self.trouble: SeedanceError | None = None
        """The last unknown outcome, while the circuit is open."""
        self.next_probe = -math.inf
        self.turn: Turn | None = None
        self.unanswered: Counter[str] = Counter()
        """By run: its probes that ended unknown."""
        self.silent: dict[str, SeedanceError] = {}
        """By run: why the free question stayed unanswered for as long as its patience."""


class SendGate:
    """Lets creates through to the routes of one account at one base URL, for all runs of this process.

    Until a create of a route was answered by a job or by a proven refusal within the last hour, creates go one at a
    time, and a free question comes before each: it must be answered in the provider's own form. Afterwards all may go
    at once. After three unknown outcomes in a row, or five among the last twenty, the circuit opens: again one create
    at a time, each after the free question, and now as a probe: a fifth of the run's `limit_patience` lies before each,
    and rows with another route go there instead. The first probe that is answered closes the circuit. A run that has
    lost `PROBES` probes, or whose free question stays unanswered for its `limit_patience`, sends no more to the route;
    a later run begins with the free question. A create that did not reach the provider counts as nothing.

    On the core loop only. It outlives the account's client, so that batches and single tasks that follow each other
    share it. A new process knows nothing, and sends its first create alone.
    """

    def __init__(self) -> None:
        self._routes: dict[str, _Route] = {}
        self._waiting: dict[asyncio.Future[None], None] = {}
        """In order of arrival, so that rows are sent in the order of their table."""

    @contextlib.asynccontextmanager
    async def turn(self, model: str, sender: Sender, ask: Callable[[], Awaitable[None]]) -> AsyncIterator[Turn | None]:
        """Wait until a create may be sent; others wait for as long as the block runs, or until it is answered.

        Args:
            model: The route.
            sender: Who sends.
            ask: Asks the free question; returns if and only if the answer has the provider's own form.

        Returns:
            The turn; None where creates need none.

        Raises:
            RoutePaused: The run sends no more to this route, or the row goes on to its next one.
        """
        route = self._of(model)
        turn = await self._take_turn(model, route, sender, ask)
        try:
            yield turn
        finally:
            self._leave(route, turn)

    def lets(self, model: str, turn: Turn | None) -> bool:
        """Whether a create may still be sent with this turn, or without one."""
        route = self._of(model)
        return _is_free(route) if turn is None else route.turn is turn

    def reason(self, model: str, sender: Sender) -> RoutePaused | None:
        """Why this run sends no more to a route; None where it does."""
        route = self._of(model)
        if (trouble := route.silent.get(sender.run)) is not None:
            text = message("gate.no_answer", model=model, seconds=sender.patience, reason=trouble.text)
            return RoutePaused(text, provider=trouble.provider, code="no_answer")
        if route.trouble is not None and route.unanswered[sender.run] >= PROBES:
            text = message("gate.probes_used_up", model=model, probes=PROBES, reason=route.trouble.text)
            return RoutePaused(text, provider=route.trouble.provider, code="circuit_open")
        return None

    def answered(self, model: str, turn: Turn | None) -> None:
        """A create was answered by a job, or by a proven refusal."""
        route = self._of(model)
        route.recent.append(False)
        if route.trouble is None or (turn is not None and turn is route.turn):
            # While the circuit is open, the answer to a create from before says nothing about now.
            route.trouble = None
            route.answered_at = _now()
        self._leave(route, turn)

    def unknown(self, model: str, turn: Turn | None, sender: Sender, error: SeedanceError) -> bool:
        """The outcome of a create is unknown. Returns whether the circuit has opened by it."""
        route = self._of(model)
        route.recent.append(True)
        opens = route.trouble is None and _opens(route)
        if route.trouble is not None and turn is not None and turn is route.turn:
            route.unanswered[sender.run] += 1
        if opens or route.trouble is not None:
            route.trouble = error
            route.next_probe = _now() + sender.patience / PROBES
        self._leave(route, turn)
        return opens

    def wake(self) -> None:
        """Let all waits look again."""
        waiting, self._waiting = self._waiting, {}
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def _take_turn(
        self, model: str, route: _Route, sender: Sender, ask: Callable[[], Awaitable[None]]
    ) -> Turn | None:
        while not sender.over():
            if (reason := self.reason(model, sender)) is not None:
                raise reason
            if _is_free(route):
                return None
            if route.turn is None and (route.trouble is None or _now() >= route.next_probe):
                route.turn = turn = Turn()
                try:
                    if await self._asked(route, sender, ask):
                        return turn
                except BaseException:
                    self._leave(route, turn)
                    raise
                self._leave(route, turn)
            elif route.trouble is not None and sender.moves:
                text = message("gate.not_now", model=model, reason=route.trouble.text)
                raise RoutePaused(text, provider=route.trouble.provider, code="circuit_open")
            else:
                await self._change(route.next_probe if route.turn is None else math.inf)
        return None

    async def _asked(self, route: _Route, sender: Sender, ask: Callable[[], Awaitable[None]]) -> bool:
        """Ask the free question until it is answered, or the run's patience is over."""
        until, pause = _now() + sender.patience, FIRST_PAUSE
        while not sender.over():
            try:
                await ask()
            except SeedanceError as error:
                again = _now() + pause
                if again > until:
                    route.silent[sender.run] = error
                    return False
            else:
                return True
            while not sender.over() and _now() < again:
                await self._change(again)
            pause = min(2 * pause, LONGEST_PAUSE)
        return False

    async def _change(self, until: float) -> None:
        """Wait for any change, at most until a moment of the loop's clock."""
        change = asyncio.get_running_loop().create_future()
        self._waiting[change] = None
        try:
            async with asyncio.timeout_at(None if math.isinf(until) else until):
                await change
        except TimeoutError:
            pass
        finally:
            self._waiting.pop(change, None)

    def _leave(self, route: _Route, turn: Turn | None) -> None:
        if turn is not None and route.turn is turn:
            route.turn = None
        self.wake()

    def _of(self, model: str) -> _Route:
        return self._routes.setdefault(model, _Route())


def _is_free(route: _Route) -> bool:
    return route.trouble is None and _now() - route.answered_at < FRESH


def _opens(route: _Route) -> bool:
    last = list(route.recent)[-IN_A_ROW:]
    return (len(last) == IN_A_ROW and all(last)) or sum(route.recent) >= AMONG_RECENT


def _now() -> float:
    return asyncio.get_running_loop().time()
