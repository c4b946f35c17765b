"""One run over a batch: its ledger, its channels, the rows that it holds, and whether it still takes new ones."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from prefect_seedance.accounts.account_client import account_client
from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
from prefect_seedance.accounts.shared_limits import shared_limits
from prefect_seedance.core.events import RowEvent, Watcher, current_watchers
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.run_state import RunState
from prefect_seedance.engine.unrecorded import UnrecordedSpending
from prefect_seedance.errors import LedgerError, OverBudget, TooManyFailures
from prefect_seedance.ledger import OUT_OF_REACH, Ledger, heartbeat
from prefect_seedance.media import Downloader, MediaAccess
from prefect_seedance.messages import message
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes.facts import MediaKind
from prefect_seedance.routes.forms import Form

__all__ = ["Session", "open_session"]

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Session(RunState):
    """A run while it works: who watches it, which media it holds, and whether it still takes new rows.

    Attributes:
        downloader: What fetches videos.
        watchers: Who hears of each row.
        sending: Creates on the wire.
        circuit_breaker: Accounts and routes that are closed, for rows that have another route.
        stopped: Why this run takes no new rows any more; None while it does.
        failures: Rows that failed in this run.
        failures_allowed: So many end the taking of new rows; None where any number is allowed.
        proofs: As many videos are decoded at once as there are processors: with more, questions and answers would wait
            behind them, and no video would be proven sooner.
        spending: What this run has had made, for the day on which the ledger cannot be asked.
    """

    downloader: Downloader
    watchers: tuple[Watcher, ...] = ()
    sending: set[asyncio.Task[None]] = field(default_factory=set)
    circuit_breaker: CircuitBreaker = field(init=False)
    stopped: BaseException | None = None
    failures: int = 0
    failures_allowed: Decimal | None = None
    proofs: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(os.cpu_count() or 1))
    spending: UnrecordedSpending = field(default_factory=UnrecordedSpending)
    _media: dict[tuple[Account, str, str, str, str], Medium] = field(default_factory=dict)
    _steps: dict[Medium, asyncio.Task[object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.circuit_breaker = CircuitBreaker(self.closed)

    def medium(self, settings: RouteSettings, address: str, kind: MediaKind, form: Form) -> Medium:
        """The medium at an address, the same one for all rows of a route."""
        known = (settings.account, settings.route.library, address, kind, form)
        if known not in self._media:
            self._media[known] = Medium(run=self, settings=settings, address=address, kind=kind, form=form)
        return self._media[known]

    async def once(
        self, medium: Medium, step: Callable[[Medium], Awaitable[object]], room: Decimal = Decimal(0)
    ) -> None:
        """Carry out a medium's step, or wait for the one that is under way; a failure is the same for all who wait.

        It is carried out anew once its reference ends soon, and where it did not fit the budget beside another row.

        Args:
            medium: The medium.
            step: What brings it into form.
            room: What the budget has to hold beside it: the worst case of the row that needs it.
        """
        while True:
            task = self._steps.get(medium)
            mine = task is None or task.cancelled() or (task.done() and medium.ends_soon)
            if task is None or mine:
                medium.room = room
                task = self._steps[medium] = asyncio.create_task(_carried(step, medium), name=f"seedance {medium.name}")
            try:
                await asyncio.shield(task)
            except OverBudget:
                if self._steps.get(medium) is task:
                    del self._steps[medium]
                if mine:
                    raise
            else:
                return

    async def drop_media(self) -> None:
        """Stop what still brings media into form."""
        tasks = [task for task in self._steps.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.contents.drop()

    def tell(self, event: RowEvent) -> None:
        """Tell those who watch."""
        for watcher in self.watchers:
            try:
                watcher(event)
            except Exception:
                # It only looks on: a row that is paid for must not fall over it.
                log.exception("A watcher of row events failed")

    def stop(self, reason: BaseException) -> None:
        """Take no new rows: what is paid from now on could not be recorded or kept."""
        if self.stopped is None:
            self.stopped = reason
            for each in self.account_clients.values():
                each.limiter.stir()
        elif isinstance(reason, LedgerError):
            # Only the first is told to the caller, and each may name a job that nothing else knows.
            log.error("%s", reason)

    def is_over(self) -> bool:
        """Whether nothing new is to be sent."""
        return self.stopped is not None

    def failed(self) -> None:
        """A row failed. Too many of them, and no new ones are taken; those in flight end in order."""
        self.failures += 1
        if self.failures_allowed is not None and self.failures >= self.failures_allowed:
            text = message("run.too_many_failures", failed=self.failures, allowed=self.limits.max_failures)
            self.stop(TooManyFailures(text))


@contextlib.asynccontextmanager
async def open_session(
    *,
    batch: str,
    take: str,
    ledger_url: str,
    routes: tuple[RouteSettings, ...],
    patience: float,
    flow_run_id: str | None = None,
    limits: RunLimits | None = None,
    places: MediaAccess | None = None,
    again: bool = False,
    shared: bool = False,
) -> AsyncIterator[Session]:
    """Open the ledger and the accounts' channels, and begin a run; at the end its rows are let go.

    However the block is left, creates on the wire are waited for before the run lets go of its rows. Where `shared`, it
    keeps to its part of the accounts' limits, beside all other processes that share them.
    """
    spending = UnrecordedSpending()
    async with _telling(spending), contextlib.AsyncExitStack() as stack:
        ledger = await Ledger.open(ledger_url)
        stack.push_async_callback(ledger.close)
        account_clients = {settings.account: settings.account for settings in routes}
        doors = {account: await stack.enter_async_context(account_client(account)) for account in account_clients}
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="seedance-"))
        downloader = Downloader()
        stack.push_async_callback(downloader.aclose)
        run = await ledger.begin_run(batch, flow_run_id)
        session = Session(
            ledger=ledger,
            run=run,
            take=take,
            patience=patience,
            account_clients=doors,
            downloader=downloader,
            watchers=current_watchers(),
            limits=limits or RunLimits(),
            places=places or MediaAccess(),
            again=again,
            spending=spending,
            scratch=Path(scratch),
        )
        if shared:
            await stack.enter_async_context(shared_limits(ledger, doors.values(), session.stop))
        stack.push_async_callback(session.drop_media)
        stack.push_async_callback(_end, session)
        heart = asyncio.create_task(_beat(session), name="seedance heartbeat")
        stack.callback(heart.cancel)
        yield session


@contextlib.asynccontextmanager
async def _telling(spending: UnrecordedSpending) -> AsyncIterator[None]:
    """Where the ledger is out of reach at the end, the error says what was spent: nobody else can."""
    try:
        yield
    except LedgerError as error:
        if error.code == OUT_OF_REACH:
            error.reword(message("spending.when_unreachable", error=error.text, spending=spending.told()))
        raise


async def _carried(step: Callable[[Medium], Awaitable[object]], medium: Medium) -> object:
    return await step(medium)


async def _beat(session: Session) -> None:
    while True:
        await asyncio.sleep(heartbeat().total_seconds())
        with contextlib.suppress(LedgerError):
            await session.ledger.beat(session.run)


async def _end(session: Session) -> None:
    while session.sending:
        await asyncio.wait(session.sending)
    await session.ledger.end_run(session.run)
