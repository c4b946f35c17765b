"""One run over a batch: its ledger, its account clients, its media, and whether it still starts new rows."""

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
    """A run in progress: its watchers, its media, and whether it still starts new rows.

    Attributes:
        downloader: Fetches videos.
        watchers: Called with every row event.
        sending: Creates without an answer.
        stopped: Why this run starts no new rows any more; None while it does.
        failures: The number of rows that failed in this run.
        failures_allowed: At so many failures no new rows are started; None where any number is allowed.
        proofs: Limits the videos that are decoded at once to the number of processors: more would delay the requests of
            the core loop, and verify no video sooner.
        spending: The creates of this run, for an error message when the ledger cannot be reached.
    """

    downloader: Downloader
    watchers: tuple[Watcher, ...] = ()
    sending: set[asyncio.Task[None]] = field(default_factory=set)
    stopped: BaseException | None = None
    failures: int = 0
    failures_allowed: Decimal | None = None
    proofs: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(os.cpu_count() or 1))
    spending: UnrecordedSpending = field(default_factory=UnrecordedSpending)
    _media: dict[tuple[Account, str, str, str, str], Medium] = field(default_factory=dict)
    _steps: dict[Medium, asyncio.Task[object]] = field(default_factory=dict)

    def medium(self, settings: RouteSettings, address: str, kind: MediaKind, form: Form) -> Medium:
        """The medium at an address, the same one for all rows of a route."""
        known = (settings.account, settings.route.library, address, kind, form)
        if known not in self._media:
            self._media[known] = Medium(run=self, settings=settings, address=address, kind=kind, form=form)
        return self._media[known]

    async def once(
        self, medium: Medium, step: Callable[[Medium], Awaitable[object]], extra_reserve: Decimal = Decimal(0)
    ) -> None:
        """Carry out a medium's step, or wait for the one in progress; an error is raised for all waiters.

        It is carried out again once its reference ends soon, and where it did not fit the budget with another row.

        Args:
            medium: The medium.
            step: Prepares the medium.
            extra_reserve: What the budget has to hold in addition: the worst case of the row that needs it.
        """
        while True:
            task = self._steps.get(medium)
            mine = task is None or task.cancelled() or (task.done() and medium.ends_soon)
            if task is None or mine:
                medium.extra_reserve = extra_reserve
                task = self._steps[medium] = asyncio.create_task(_run(step, medium), name=f"seedance {medium.name}")
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
        """Cancel the preparation of media."""
        tasks = [task for task in self._steps.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.contents.drop()

    def notify(self, event: RowEvent) -> None:
        """Publish a row event to the watchers."""
        for watcher in self.watchers:
            try:
                watcher(event)
            except Exception:
                # A failing watcher must not stop a row that is paid for.
                log.exception("A watcher of row events failed")

    def stop(self, reason: BaseException) -> None:
        """Start no new rows: what is paid from now on could not be recorded or stored."""
        if self.stopped is None:
            self.stopped = reason
            for each in self.account_clients.values():
                each.limiter.wake()
        elif isinstance(reason, LedgerError):
            # The caller gets only the first error, and each may name a job that is recorded nowhere else.
            log.error("%s", reason)

    def is_over(self) -> bool:
        """Whether nothing new is to be sent."""
        return self.stopped is not None

    def count_failure(self) -> None:
        """Count a failed row. After too many of them no new rows are started; those in flight are finished."""
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
    media_access: MediaAccess | None = None,
    retry_refused: bool = False,
    shared: bool = False,
) -> AsyncIterator[Session]:
    """Open the ledger and the account clients, and begin a run; at the end its rows are released.

    However the block is left, the answers to all creates are awaited before the rows are released.

    Args:
        batch: The batch's name.
        take: The take.
        ledger_url: The ledger.
        routes: The routes whose accounts are opened.
        patience: Seconds that a job is waited for.
        flow_run_id: Prefect's id of the run, for the record.
        limits: What the user allows to be spent and to fail.
        media_access: Which files and hosts media may be read from.
        retry_refused: Whether refused rows and media are tried again.
        shared: Whether the accounts' limits are shared with other processes through the ledger.
    """
    spending = UnrecordedSpending()
    async with _adding_spending(spending), contextlib.AsyncExitStack() as stack:
        ledger = await Ledger.open(ledger_url)
        stack.push_async_callback(ledger.close)
        accounts = dict.fromkeys(settings.account for settings in routes)
        clients = {account: await stack.enter_async_context(account_client(account)) for account in accounts}
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="seedance-"))
        downloader = Downloader()
        stack.push_async_callback(downloader.aclose)
        run = await ledger.begin_run(batch, flow_run_id)
        session = Session(
            ledger=ledger,
            run=run,
            take=take,
            patience=patience,
            account_clients=clients,
            downloader=downloader,
            watchers=current_watchers(),
            limits=limits or RunLimits(),
            media_access=media_access or MediaAccess(),
            retry_refused=retry_refused,
            spending=spending,
            scratch=Path(scratch),
        )
        if shared:
            await stack.enter_async_context(shared_limits(ledger, clients.values(), session.stop))
        stack.push_async_callback(session.drop_media)
        stack.push_async_callback(_end, session)
        heart = asyncio.create_task(_beat(session), name="seedance heartbeat")
        stack.callback(heart.cancel)
        yield session


@contextlib.asynccontextmanager
async def _adding_spending(spending: UnrecordedSpending) -> AsyncIterator[None]:
    """Add what was spent to the error of an unreachable ledger: it is recorded nowhere else."""
    try:
        yield
    except LedgerError as error:
        if error.code == OUT_OF_REACH:
            error.reword(message("spending.when_unreachable", error=error.text, spending=spending.summary()))
        raise


async def _run(step: Callable[[Medium], Awaitable[object]], medium: Medium) -> object:
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
