"""One run over a batch: its ledger, its account clients, its media, and whether it still starts new rows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from prefect_seedance.accounts.account_client import AccountClient, account_client
from prefect_seedance.accounts.shared_limits import shared_limits
from prefect_seedance.core.events import Listener, RowEvent, Watcher, current_listeners, current_watchers
from prefect_seedance.engine.media_store import MediaStore
from prefect_seedance.engine.run_counter import RunCounter
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.unrecorded import UnrecordedSpending
from prefect_seedance.errors import InputError, LedgerError, TooManyFailures
from prefect_seedance.ledger import OUT_OF_REACH, Ledger, Run, State, heartbeat
from prefect_seedance.ledger.rows import leases
from prefect_seedance.media import Downloader, ProofPool, proof_pool
from prefect_seedance.media.storage.folders import temporary_folder
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings

__all__ = ["FAILED", "Session", "open_session"]

log = logging.getLogger(__name__)

UNFORESEEN = 3
"""Unforeseen errors of one kind that end a run (law 8)."""

FAILED = frozenset({State.REFUSED, State.FAILED, State.EXPIRED, State.UNKNOWN})
"""The states of rows that count as failed."""


@dataclass(kw_only=True)
class Session:
    """A run in progress: its ledger, its accounts, its media, and whether it still starts new rows. On the core loop.

    Attributes:
        spec: What the run is asked to do.
        context: What it has in this process only.
        ledger: The open ledger.
        run: This run in the ledger, the holder of its rows.
        account_clients: The client of each account.
        downloader: Fetches videos.
        scratch: A folder for temporary files of the run.
        watchers: Called with every row event.
        listeners: Called with every notice.
        notices: What this run has said that a person should know.
        sending: Creates without an answer.
        stopped: Why this run starts no new rows any more; None while it does.
        failures: The number of rows that failed in this run, or over all shards.
        counted: The ids of those that are counted.
        failures_allowed: At so many failures no new rows are started; None where any number is allowed.
        proofs: Verifies videos, in child processes which all runs of this process share.
        spending: The creates of this run, for an error message when the ledger cannot be reached.
        absent: By account: the keys of the rows whose job or link was absent.
        counter: Counts its creates in the output folder; None where it has none, or sends nothing.
        media: The media of its rows.
        unknown_words: Status words that this program does not know and that were logged, each with its provider.
        unforeseen: How often which unforeseen error has come.
    """

    spec: RunSpec
    context: RunContext
    ledger: Ledger
    run: Run
    account_clients: dict[Account, AccountClient]
    downloader: Downloader
    scratch: Path
    watchers: tuple[Watcher, ...] = ()
    listeners: tuple[Listener, ...] = ()
    notices: list[str] = field(default_factory=list)
    sending: set[asyncio.Task[None]] = field(default_factory=set)
    stopped: BaseException | None = None
    failures: int = 0
    counted: set[int] = field(default_factory=set)
    failures_allowed: Decimal | None = None
    proofs: ProofPool = field(default_factory=proof_pool)
    spending: UnrecordedSpending = field(default_factory=UnrecordedSpending)
    absent: dict[str, set[str]] = field(default_factory=dict)
    counter: RunCounter | None = None
    media: MediaStore = field(init=False)
    unknown_words: set[tuple[str, str]] = field(default_factory=set)
    unforeseen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.media = MediaStore(self)

    @property
    def limits(self) -> RunLimits:
        """What the user allows to be spent and to fail."""
        return self.spec.limits

    def notify(self, event: RowEvent) -> None:
        """Publish a row event to the watchers."""
        for watcher in self.watchers:
            try:
                watcher(event)
            except Exception:
                # A failing watcher must not stop a row that is paid for.
                log.exception("A watcher of row events failed")

    def say(self, text: Message) -> None:
        """Say something that a person should know now: once, to all listeners, else in the log."""
        words = str(text)
        if words in self.notices:
            return
        self.notices.append(words)
        if not self.listeners:
            log.warning("%s", words)
        for listener in self.listeners:
            try:
                listener(words)
            except Exception:
                log.exception("A listener failed")

    def count_unforeseen(self, error: Exception) -> None:
        """Count an error that this program did not foresee: after three alike, no further money is risked."""
        place = traceback.extract_tb(error.__traceback__)[-1:]
        alike = f"{type(error).__name__} {[(each.filename, each.lineno) for each in place]}"
        self.unforeseen[alike] += 1
        if self.unforeseen[alike] >= UNFORESEEN:
            self.stop(error)

    async def count(self, withdraw: Callable[[], Awaitable[None]]) -> None:
        """Count a create or a billed request that is recorded and about to leave; where that fails, withdraw it."""
        if self.counter is None:
            return
        try:
            await self.counter.count()
        except BaseException:
            await withdraw()
            raise

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

    def count_failure(self, row_id: int) -> None:
        """Count a failed row, once. After too many of them no new rows are started; those in flight are finished."""
        if row_id in self.counted:
            return
        self.counted.add(row_id)
        self.failures += 1
        if self.failures_allowed is not None and self.failures >= self.failures_allowed:
            text = message("run.too_many_failures", failed=self.failures, allowed=self.limits.max_failures)
            self.stop(TooManyFailures(text))


@contextlib.asynccontextmanager
async def open_session(spec: RunSpec, context: RunContext, *, shared: bool = False) -> AsyncIterator[Session]:
    """Open the ledger and the account clients, and begin a run; at the end its rows are released.

    However the block is left, the answers to all creates are awaited before the rows are released.

    Args:
        spec: What the run is asked to do.
        context: What it has in this process only.
        shared: Whether the accounts' limits are shared with other processes through the ledger.

    Raises:
        InputError: One label stands for two keys.
    """
    _check_keys(context.routes)
    spending = UnrecordedSpending()
    async with _adding_spending(spending), contextlib.AsyncExitStack() as stack:
        ledger = await Ledger.open(context.ledger_url)
        stack.push_async_callback(ledger.close)
        accounts = dict.fromkeys(settings.account for settings in context.routes)
        clients = {account: await stack.enter_async_context(account_client(account)) for account in accounts}
        scratch = stack.enter_context(temporary_folder("seedance-"))
        downloader = Downloader()
        stack.push_async_callback(downloader.aclose)
        session = Session(
            spec=spec,
            context=context,
            ledger=ledger,
            run=await ledger.begin_run(spec.batch, context.flow_run_id),
            account_clients=clients,
            downloader=downloader,
            scratch=Path(scratch),
            watchers=current_watchers(),
            listeners=current_listeners(),
            spending=spending,
        )
        if shared:
            await stack.enter_async_context(shared_limits(ledger, clients.values(), session.stop))
        stack.push_async_callback(session.media.drop)
        stack.push_async_callback(_end, session)
        heart = asyncio.create_task(_beat(session), name="seedance heartbeat")
        stack.callback(heart.cancel)
        yield session


def _check_keys(routes: Sequence[RouteSettings]) -> None:
    """Make sure that no label stands for two keys.

    Raises:
        InputError: One does: the jobs of one account would be asked for with the key of the other.
    """
    keys: dict[str, str] = {}
    for settings in routes:
        account = settings.account
        if keys.setdefault(account.identity, account.key_fingerprint) != account.key_fingerprint:
            raise InputError(message("account.two_keys", account=account.identity), provider=account.provider)


@contextlib.asynccontextmanager
async def _adding_spending(spending: UnrecordedSpending) -> AsyncIterator[None]:
    """Add what was spent to the error of an unreachable ledger: it is recorded nowhere else."""
    try:
        yield
    except LedgerError as error:
        if error.code == OUT_OF_REACH:
            error.reword(message("spending.when_unreachable", error=error.text, spending=spending.summary()))
        raise


async def _beat(session: Session) -> None:
    while True:
        await asyncio.sleep(heartbeat().total_seconds())
        with contextlib.suppress(LedgerError):
            await session.ledger.write(leases.beat, session.run)


async def _end(session: Session) -> None:
    while session.sending:
        await asyncio.wait(session.sending)
    if session.counter is not None:
        await session.counter.close()
    await session.ledger.end_run(session.run)
