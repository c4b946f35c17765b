"""A shard: one of several processes that carry the rows of a batch, which they take from the ledger as they come to it.

It needs no table. It takes a small portion of what is free, brings it as far as it goes by the same steps as any run,
and takes the next while the last is under way, until nothing is left; so a slow shard hoards nothing, one that is added
takes its part at once, and what a killed one held is taken over by the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from prefect_seedance.core.events import RowEvent, watching
from prefect_seedance.engine.dispatcher import StepRunner, work
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.row_loader import RowLoader
from prefect_seedance.engine.session import Session, open_session
from prefect_seedance.errors import InputError, RunEnded, SeedanceError, TooManyFailures
from prefect_seedance.ledger import MANIFEST, TAKEABLE, Remainder, RouteKey, State, check_manifest
from prefect_seedance.media import MediaAccess, open_storage
from prefect_seedance.media.storage.local import LocalStorage
from prefect_seedance.messages import message
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import RouteSettings

__all__ = ["ShardOutcome", "ShardSpec", "carry"]

LOOK = 2.0
"""Seconds between two looks at the ledger while there is work: for what others have left, and whether to go on."""

IDLE = 1.0
"""The same while there is none, and others still hold rows."""

TICK = 0.1
"""Seconds after which a portion may be asked for, where nothing has moved meanwhile."""

AHEAD = 2
"""Rows in hand for each place in flight."""

FEWEST = 2
"""Rows of a route that are asked for at least."""


@dataclass(frozen=True)
class ShardSpec:
    """What a shard is asked to do.

    Attributes:
        batch: The batch's name.
        take: The take.
        routes: All routes of the run.
        ledger_url: The ledger.
        identity: The ledger's own name: another one would pay for everything again.
        output: The folder, or the URL, that holds the folders of batches.
        parent: The run that has begun the work: once it is over, so is the shard.
        patience: Seconds that a job is waited for.
        limits: What the user allows to be spent.
        failures_allowed: So many failures, over all shards, end the taking of new rows; None where any are borne.
        again: Whether what was refused is tried again.
        flow_run_id: Prefect's id of the shard's run.
        places: Where media may lie.
        parts: A folder on this machine for unfinished downloads on their way to a store.
    """

    batch: str
    take: str
    routes: tuple[RouteSettings, ...]
    ledger_url: str
    identity: str
    output: str
    parent: str
    patience: float
    limits: RunLimits = field(default_factory=RunLimits)
    failures_allowed: Decimal | None = None
    again: bool = False
    flow_run_id: str | None = None
    places: MediaAccess = field(default_factory=MediaAccess)
    parts: Path | None = None


@dataclass
class ShardOutcome:
    """What became of a shard's work.

    Attributes:
        counts: How many of its rows it left in which state.
        portions: How often it took rows.
        stopped: Why it took no more rows before nothing was left; None where nothing was.
    """

    counts: Counter[str] = field(default_factory=Counter)
    portions: int = 0
    stopped: BaseException | None = None

    @property
    def orderly(self) -> bool:
        """Whether it stopped, if it did, because all shards do."""
        return self.stopped is None or isinstance(self.stopped, TooManyFailures | RunEnded)


async def carry(order: ShardSpec, step_runner: StepRunner) -> ShardOutcome:
    """Carry rows of the batch until nobody has anything left to do.

    Raises:
        InputError: This machine reaches another ledger, or another output folder. Nothing was spent.
        LedgerError: Nothing more could be recorded.
    """
    moved = asyncio.Event()

    def hear(_: RowEvent) -> None:
        moved.set()

    with watching(hear):
        session_of = open_session(
            batch=order.batch,
            take=order.take,
            ledger_url=order.ledger_url,
            routes=order.routes,
            patience=order.patience,
            flow_run_id=order.flow_run_id,
            limits=order.limits,
            places=order.places,
            again=order.again,
            shared=True,
        )
        async with session_of as session:
            await asyncio.to_thread(_check_place, order, session)
            session.failures_allowed = order.failures_allowed
            return await _Shard(order, session, step_runner, moved).carry()


class _Shard:
    def __init__(self, order: ShardSpec, session: Session, step_runner: StepRunner, moved: asyncio.Event) -> None:
        self.order = order
        self.session = session
        self.step_runner = step_runner
        self.moved = moved
        self.rebuilder = RowLoader(session, order.routes, order.parts)
        self.outcome = ShardOutcome()
        self.works: dict[asyncio.Task[None], list[Row]] = {}
        self.tried: set[int] = set()
        self.dry: set[RouteKey] = set()
        """Routes of which there was nothing more to take, when this was last looked at."""
        self.was_dry: set[RouteKey] = set()
        """The same at the look before: until there is something again, no place is asked for it."""
        self._clock = asyncio.get_running_loop().time
        self._looked = -LOOK
        self._failures = 0
        self._busy_at = self._clock()

    async def carry(self) -> ShardOutcome:
        try:
            # One that comes late, or is tried again by hand, takes nothing for a run that is over.
            begins = not (await self._remainder()).over
            if not begins:
                self.session.stop(_over())
            while begins and await self._goes_on():
                self.moved.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK if self.works else IDLE):
                        await self.moved.wait()
        finally:
            for task in self.works:
                task.cancel()
            await asyncio.gather(*self.works, return_exceptions=True)
            for settings in self.order.routes:
                self._hope(settings, 0)
        self.outcome.stopped = self.session.stopped
        return self.outcome

    async def _goes_on(self) -> bool:
        """One round: what is done is let go of, what is wanted is taken. Whether there will be another."""
        for task in [task for task in self.works if task.done()]:
            await self._done(self.works.pop(task), task)
        look = self._clock() - self._looked >= LOOK or not self.works or self._failed_more()
        fresh = self._wanted(anew=look)
        if self.session.stopped is None and (look or fresh):
            await self._take(fresh)
        if not look:
            return True
        self._looked = self._clock()
        return await self._standing()

    def _failed_more(self) -> bool:
        """Whether a row has failed here that the count over all shards does not hold yet."""
        return self.session.failures_allowed is not None and self.session.failures != self._failures

    def _wanted(self, *, anew: bool) -> dict[RouteKey, int]:
        """How many new rows of each route are asked for: where half of those in hand are on their way."""
        if anew:
            self.was_dry |= self.dry
            self.dry.clear()
        waiting: Counter[RouteKey] = Counter()
        for row in (row for rows in self.works.values() for row in rows):
            if row.state in TAKEABLE and row.trouble is None:
                waiting[_key(row.settings)] += 1
        wanted = {}
        for settings in self.order.routes:
            key, limiter = _key(settings), self.session.account_clients[settings.account].limiter
            idle = self.session.is_over() or key in self.dry | self.was_dry
            self._hope(settings, 0 if idle else settings.max_in_flight)
            part = limiter.part(settings.route.model)
            full = max(FEWEST, AHEAD * min(settings.max_in_flight, settings.max_in_flight if part is None else part))
            if key not in self.dry and waiting[key] <= full // 2:
                wanted[key] = full - waiting[key]
        return wanted

    async def _take(self, fresh: Mapping[RouteKey, int]) -> None:
        settings = self.order.routes
        taken = await self.session.ledger.claim_free_rows(
            self.session.run,
            self.order.take,
            parent=self.order.parent,
            fresh=fresh,
            accounts={(each.account.provider, each.account.label) for each in settings},
            paid=max(each.max_in_flight for each in settings),
            tried=self.tried,
        )
        rows = await self.rebuilder.rows(taken) if taken else []
        got = Counter(_key(row.settings) for row in rows if row.state in TAKEABLE)
        self.dry |= {key for key, number in fresh.items() if got[key] < number}
        self.was_dry -= fresh.keys() - self.dry
        for each in settings:
            if _key(each) in self.dry:
                self._hope(each, 0)
        if lost := taken - {row.id for row in rows}:
            self.tried |= lost
            await self.session.ledger.release_rows(self.session.run, lost)
        if rows:
            self.outcome.portions += 1
            self._busy_at = self._clock()
            task = asyncio.create_task(work(self.session, rows, self.step_runner(len(rows))), name="seedance portion")
            task.add_done_callback(lambda _: self.moved.set())
            self.works[task] = rows

    def _hope(self, settings: RouteSettings, number: int) -> None:
        limiter = self.session.account_clients[settings.account].limiter
        limiter.hope(settings.route.model, settings.max_in_flight, number)

    async def _done(self, rows: list[Row], task: asyncio.Task[None]) -> None:
        """A portion is through: what it could not bring to an end is left to later runs."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.session.stop(error)
        self._busy_at = self._clock()
        for row in rows:
            if row.state is State.PLANNED and isinstance(row.trouble, SeedanceError):
                with contextlib.suppress(SeedanceError):
                    await self.session.ledger.put_off(self.session.run, row.id, row.trouble)
            self.outcome.counts[row.state.value] += 1
        unfinished = [row for row in rows if row.state in TAKEABLE | {State.CREATED, State.SUCCEEDED}]
        self.tried |= {row.id for row in unfinished if row.state not in TAKEABLE}
        # A job that outlasts our patience stays ours: the next who adopted it would wait as long again.
        freed = [row.id for row in unfinished if row.state is not State.CREATED]
        if freed:
            await self.session.ledger.release_rows(self.session.run, freed)

    async def _remainder(self) -> Remainder:
        order, session = self.order, self.session
        return await session.ledger.remainder(session.run, order.take, patience=order.patience, parent=order.parent)

    async def _standing(self) -> bool:
        """How the batch stands for all shards: whether there is anything left, and whether to go on."""
        order, session = self.order, self.session
        standing = await self._remainder()
        if standing.over:
            session.stop(_over())
            return False
        session.failures = self._failures = max(session.failures, standing.failed)
        allowed = session.failures_allowed
        if allowed is not None and standing.failed >= allowed and session.stopped is None:
            session.stop(too_many(standing.failed, order.limits.max_failures))
        if self.works:
            return True
        if session.stopped is not None or not standing.held:
            return False
        return self._clock() - self._busy_at < order.patience


def too_many(failed: int, allowed: float | None) -> TooManyFailures:
    """Why no new rows are taken any more."""
    return TooManyFailures(message("run.too_many_failures", failed=failed, allowed=allowed))


def _over() -> RunEnded:
    return RunEnded(message("run.ended"))


def _key(settings: RouteSettings) -> RouteKey:
    return settings.account.provider, settings.account.label, settings.route.model


def _check_place(order: ShardSpec, session: Session) -> None:
    """Make sure that this machine means the same ledger and the same output folder."""
    ledger = session.ledger
    if ledger.identity != order.identity:
        raise InputError(
            message(
                "run.shard_other_ledger", ledger=ledger.shown_url, identity=ledger.identity, expected=order.identity
            )
        )
    storage = open_storage(order.output, order.parts)
    if isinstance(storage, LocalStorage) and not (storage.folder / MANIFEST).exists():
        raise InputError(message("run.shard_no_output", folder=storage.shown))
    place = storage.folder if isinstance(storage, LocalStorage) else storage
    check_manifest(place, ledger.identity, ledger.shown_url)
