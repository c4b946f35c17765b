"""A shard: one of several processes that work on the rows of a batch, which they claim from the ledger.

It needs no table. It claims a few of the free rows, carries them as far as possible by the same steps as any run, and
claims the next ones meanwhile, until nothing is left. So a slow shard does not hold many rows, a shard that is added
gets its share at once, and the others take over the rows of a killed one.
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
"""Seconds between two looks at the ledger while there is work: for released rows, and whether to go on."""

IDLE = 1.0
"""The same while there is none, and other shards still hold rows."""

TICK = 0.1
"""Seconds after which rows may be claimed, where no row event came before."""

AHEAD = 2
"""Rows that are held for each slot in flight."""

FEWEST = 2
"""Minimum of rows of a route that are held."""


@dataclass(frozen=True)
class ShardSpec:
    """What a shard is asked to do.

    Attributes:
        batch: The batch's name.
        take: The take.
        routes: All routes of the run.
        ledger_url: The ledger.
        identity: The ledger's identity: with another ledger everything would be paid for again.
        output: The folder, or the URL, that holds the folders of batches.
        parent: The run that began the work: once it is over, the shard ends.
        patience: Seconds that a job is waited for.
        limits: What the user allows to be spent.
        failures_allowed: At so many failures, over all shards, no new rows are started; None where any number is
            allowed.
        retry_refused: Whether refused rows and media are tried again.
        flow_run_id: Prefect's id of the shard's run.
        media_access: Which files and hosts media may be read from.
        parts: A folder on this machine for unfinished downloads before they are moved to a store.
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
    retry_refused: bool = False
    flow_run_id: str | None = None
    media_access: MediaAccess = field(default_factory=MediaAccess)
    parts: Path | None = None


@dataclass
class ShardOutcome:
    """The result of a shard.

    Attributes:
        counts: How many of its rows are in which state.
        portions: How often it claimed rows.
        stopped: Why it claimed no more rows before nothing was left; None where nothing was left.
    """

    counts: Counter[str] = field(default_factory=Counter)
    portions: int = 0
    stopped: BaseException | None = None

    @property
    def orderly(self) -> bool:
        """Whether it finished, or stopped for a reason that stops all shards."""
        return self.stopped is None or isinstance(self.stopped, TooManyFailures | RunEnded)


async def carry(spec: ShardSpec, step_runner: StepRunner) -> ShardOutcome:
    """Work on rows of the batch until no shard has anything left to do.

    Raises:
        InputError: This machine reaches another ledger, or another output folder. Nothing was spent.
        LedgerError: Nothing more could be recorded.
    """
    moved = asyncio.Event()

    def on_event(_: RowEvent) -> None:
        moved.set()

    with watching(on_event):
        session_of = open_session(
            batch=spec.batch,
            take=spec.take,
            ledger_url=spec.ledger_url,
            routes=spec.routes,
            patience=spec.patience,
            flow_run_id=spec.flow_run_id,
            limits=spec.limits,
            media_access=spec.media_access,
            retry_refused=spec.retry_refused,
            shared=True,
        )
        async with session_of as session:
            await asyncio.to_thread(_check_place, spec, session)
            session.failures_allowed = spec.failures_allowed
            return await _Shard(spec, session, step_runner, moved).carry()


class _Shard:
    def __init__(self, spec: ShardSpec, session: Session, step_runner: StepRunner, moved: asyncio.Event) -> None:
        self.spec = spec
        self.session = session
        self.step_runner = step_runner
        self.moved = moved
        self.loader = RowLoader(session, spec.routes, spec.parts)
        self.outcome = ShardOutcome()
        self.works: dict[asyncio.Task[None], list[Row]] = {}
        self.tried: set[int] = set()
        self.exhausted: set[RouteKey] = set()
        """Routes without free rows at the last look."""
        self.was_exhausted: set[RouteKey] = set()
        """Routes without free rows at the look before: no slot is demanded for them until there are rows again."""
        self._clock = asyncio.get_running_loop().time
        self._looked = -LOOK
        self._failures = 0
        self._busy_at = self._clock()

    async def carry(self) -> ShardOutcome:
        try:
            # A shard that starts late, or is retried by hand, claims nothing for a run that is over.
            begins = not (await self._remainder()).over
            if not begins:
                self.session.stop(_over())
            while begins and await self._round():
                self.moved.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TICK if self.works else IDLE):
                        await self.moved.wait()
        finally:
            for task in self.works:
                task.cancel()
            await asyncio.gather(*self.works, return_exceptions=True)
            for settings in self.spec.routes:
                self._expect(settings, 0)
        self.outcome.stopped = self.session.stopped
        return self.outcome

    async def _round(self) -> bool:
        """One round: release finished rows, claim new ones. Returns whether there is another round."""
        for task in [task for task in self.works if task.done()]:
            await self._done(self.works.pop(task), task)
        look = self._clock() - self._looked >= LOOK or not self.works or self._failed_more()
        fresh = self._wanted(look_again=look)
        if self.session.stopped is None and (look or fresh):
            await self._take(fresh)
        if not look:
            return True
        self._looked = self._clock()
        return await self._work_left()

    def _failed_more(self) -> bool:
        """Whether a row has failed here that the count over all shards does not include yet."""
        return self.session.failures_allowed is not None and self.session.failures != self._failures

    def _wanted(self, *, look_again: bool) -> dict[RouteKey, int]:
        """How many new rows of each route to claim: those routes where at most half of the held rows still wait."""
        if look_again:
            self.was_exhausted |= self.exhausted
            self.exhausted.clear()
        waiting: Counter[RouteKey] = Counter()
        for row in (row for rows in self.works.values() for row in rows):
            if row.state in TAKEABLE and row.trouble is None:
                waiting[_key(row.settings)] += 1
        wanted = {}
        for settings in self.spec.routes:
            key, limiter = _key(settings), self.session.account_clients[settings.account].limiter
            idle = self.session.is_over() or key in self.exhausted | self.was_exhausted
            self._expect(settings, 0 if idle else settings.max_in_flight)
            part = limiter.share_of(settings.route.model)
            full = max(FEWEST, AHEAD * min(settings.max_in_flight, settings.max_in_flight if part is None else part))
            if key not in self.exhausted and waiting[key] <= full // 2:
                wanted[key] = full - waiting[key]
        return wanted

    async def _take(self, fresh: Mapping[RouteKey, int]) -> None:
        settings = self.spec.routes
        taken = await self.session.ledger.claim_free_rows(
            self.session.run,
            self.spec.take,
            parent=self.spec.parent,
            fresh=fresh,
            accounts={(each.account.provider, each.account.label) for each in settings},
            paid=max(each.max_in_flight for each in settings),
            tried=self.tried,
        )
        rows = await self.loader.rows(taken) if taken else []
        got = Counter(_key(row.settings) for row in rows if row.state in TAKEABLE)
        self.exhausted |= {key for key, number in fresh.items() if got[key] < number}
        self.was_exhausted -= fresh.keys() - self.exhausted
        for each in settings:
            if _key(each) in self.exhausted:
                self._expect(each, 0)
        if lost := taken - {row.id for row in rows}:
            self.tried |= lost
            await self.session.ledger.release_rows(self.session.run, lost)
        if rows:
            self.outcome.portions += 1
            self._busy_at = self._clock()
            task = asyncio.create_task(work(self.session, rows, self.step_runner(len(rows))), name="seedance portion")
            task.add_done_callback(lambda _: self.moved.set())
            self.works[task] = rows

    def _expect(self, settings: RouteSettings, number: int) -> None:
        limiter = self.session.account_clients[settings.account].limiter
        limiter.expect(settings.route.model, settings.max_in_flight, number)

    async def _done(self, rows: list[Row], task: asyncio.Task[None]) -> None:
        """A claim is finished: its unfinished rows are released for later runs."""
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
        # A job that outlasts the patience is kept: a shard that adopted it would wait as long again.
        freed = [row.id for row in unfinished if row.state is not State.CREATED]
        if freed:
            await self.session.ledger.release_rows(self.session.run, freed)

    async def _remainder(self) -> Remainder:
        spec, session = self.spec, self.session
        return await session.ledger.remainder(session.run, spec.take, patience=spec.patience, parent=spec.parent)

    async def _work_left(self) -> bool:
        """Look at the batch over all shards. Returns whether there is anything left to do."""
        spec, session = self.spec, self.session
        standing = await self._remainder()
        if standing.over:
            session.stop(_over())
            return False
        session.failures = self._failures = max(session.failures, standing.failed)
        allowed = session.failures_allowed
        if allowed is not None and standing.failed >= allowed and session.stopped is None:
            session.stop(too_many_failures(standing.failed, spec.limits.max_failures))
        if self.works:
            return True
        if session.stopped is not None or not standing.held:
            return False
        return self._clock() - self._busy_at < spec.patience


def too_many_failures(failed: int, allowed: float | None) -> TooManyFailures:
    """The reason why no new rows are started any more."""
    return TooManyFailures(message("run.too_many_failures", failed=failed, allowed=allowed))


def _over() -> RunEnded:
    return RunEnded(message("run.ended"))


def _key(settings: RouteSettings) -> RouteKey:
    return settings.account.provider, settings.account.label, settings.route.model


def _check_place(spec: ShardSpec, session: Session) -> None:
    """Make sure that this machine uses the same ledger and the same output folder."""
    ledger = session.ledger
    if ledger.identity != spec.identity:
        raise InputError(
            message("run.shard_other_ledger", ledger=ledger.shown_url, identity=ledger.identity, expected=spec.identity)
        )
    storage = open_storage(spec.output, spec.parts)
    if isinstance(storage, LocalStorage) and not (storage.folder / MANIFEST).exists():
        raise InputError(message("run.shard_no_output", folder=storage.shown))
    place = storage.folder if isinstance(storage, LocalStorage) else storage
    check_manifest(place, ledger.identity, ledger.shown_url)
