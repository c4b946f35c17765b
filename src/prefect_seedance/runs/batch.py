"""A run over a batch, from the checked table to the last stored file: plan, take rows, work, wait for other runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from prefect_seedance.core.checkpoints import reached
from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine import balances, stats
from prefect_seedance.engine.balances import Balances
from prefect_seedance.engine.disk_space import check_room
from prefect_seedance.engine.dispatcher import StepRunner, work
from prefect_seedance.engine.reconcile import plan_rows, unsettled
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session, open_session
from prefect_seedance.engine.stats import AccountStats
from prefect_seedance.engine.stored_files import missing_files
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import (
    RETRYABLE,
    TAKEABLE,
    AssetRequest,
    AttemptRecord,
    RowRecord,
    RowSummary,
    State,
    check_manifest,
)
from prefect_seedance.media import MediaAccess, Storage, open_storage, slug
from prefect_seedance.media.storage.local import LocalStorage
from prefect_seedance.messages import message
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.pricing.amount import Amount

__all__ = ["Distribution", "RunOutcome", "RunSpec", "batch_folder", "retry_states", "run_batch"]

LOOK_AGAIN = 1.0
"""Seconds between two looks at rows that another run holds."""


class Distribution(Protocol):
    """Leaves the rows of a run to other processes, and waits until they are through."""

    def __call__(
        self,
        session: Session,
        rows: Mapping[str, PlannedRow],
        ids: Mapping[str, int],
        known: Collection[str],
        *,
        retry: frozenset[State],
        storage: Storage,
    ) -> Awaitable[tuple[set[str], dict[str, str]]]:
        """The keys of the rows that have moved, and why some stand where they stand."""


@dataclass(frozen=True)
class RunSpec:
    """What a run is asked to do.

    Attributes:
        plan: The checked table.
        routes: The routes that its rows use.
        batch: The batch's name.
        take: The take: another one makes the same rows anew.
        output: The folder, or the URL, that holds the folders of batches.
        ledger_url: The ledger.
        patience: Seconds that a job is waited for.
        retry: States that are otherwise left alone, from which rows are to be made anew.
        flow_run_id: Prefect's id of the run, for the record.
        limits: What the user allows to be spent and to fail.
        places: Where media may lie that are brought to a provider.
        parts: A folder on this machine for unfinished downloads on their way to a store; None takes the system's own.
        file_names: The name of each row's file below the batch's folder, by row key; None names them by their keys.
        distribution: What leaves the rows to other processes; None carries them here.
    """

    plan: BatchPlan
    routes: tuple[RouteSettings, ...]
    batch: str
    take: str
    output: Path | str
    ledger_url: str
    patience: float
    retry: frozenset[State] = frozenset()
    flow_run_id: str | None = None
    limits: RunLimits = field(default_factory=RunLimits)
    places: MediaAccess = field(default_factory=MediaAccess)
    parts: Path | None = None
    file_names: Mapping[str, str] | None = None
    distribution: Distribution | None = None


@dataclass
class RunOutcome:
    """What became of a run.

    Attributes:
        run_id: The run in the ledger.
        summaries: How the rows of all takes of the batch stand.
        records: Those of this take, by key.
        earlier: The attempts that are not the latest of their rows, all takes.
        assets: All billed requests for assets that runs of the batch have made.
        troubles: Why a row stands where it stands, by key, where its state does not say it.
        done: The keys of rows that this run moved.
        stopped: Why the run took no more rows before it was through; None where it was.
        balances: What the accounts' balances looked like before and after: raw, a hint.
        account_stats: What each account had in flight at most, how often it refused, and how often it was asked.
        budget: What the batch may cost, where the user says so.
        committed: What it holds of that: known charges, and the worst case of what is not settled.
        folder: Where this batch's files lie: a path, or a URL.
        ledger: The ledger, fit to be shown.
    """

    run_id: str
    folder: Path | str
    ledger: str
    summaries: list[RowSummary] = field(default_factory=list, repr=False)
    records: dict[str, RowSummary] = field(default_factory=dict, repr=False)
    earlier: list[AttemptRecord] = field(default_factory=list, repr=False)
    assets: list[AssetRequest] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict, repr=False)
    done: set[str] = field(default_factory=set, repr=False)
    stopped: BaseException | None = None
    balances: list[Balances] = field(default_factory=list)
    account_stats: list[AccountStats] = field(default_factory=list)
    budget: Amount | None = None
    committed: Decimal | None = None


def retry_states(names: str | Iterable[str]) -> frozenset[State]:
    """The states that the user wants to be made anew.

    Raises:
        InputError: A state from which nothing is made anew; `unknown` above all.
    """
    states = set()
    for name in [names] if isinstance(names, str) else names:
        if name == State.UNKNOWN:
            raise InputError(message("run.retry_unknown"))
        if name not in {state.value for state in RETRYABLE}:
            raise InputError(message("run.retry_not_possible", name=name, known=sorted(RETRYABLE)))
        states.add(State(name))
    return frozenset(states)


def batch_folder(output: Path | str, batch: str, parts: Path | None = None) -> tuple[Storage, Storage]:
    """The output folder, and in it the one where a batch's files lie; see `open_storage`."""
    root = open_storage(output, parts)
    return root, root.child(slug(batch))


def place_of(storage: Storage) -> Path | Storage:
    """A shelf as the ledger's manifest wants it."""
    return storage.folder if isinstance(storage, LocalStorage) else storage


async def run_batch(order: RunSpec, step_runner: StepRunner) -> RunOutcome:
    """Bring every row of the order as far as it goes; see `crew.work` for what stops a run."""
    root, storage = batch_folder(order.output, order.batch, order.parts)
    await asyncio.to_thread(storage.ensure)
    async with open_session(
        batch=order.batch,
        take=order.take,
        ledger_url=order.ledger_url,
        routes=order.routes,
        patience=order.patience,
        flow_run_id=order.flow_run_id,
        limits=order.limits,
        places=order.places,
        again=State.REFUSED in order.retry,
        # A ledger on a server is there to be shared, so its accounts are; a file's processes are seldom more than one.
        shared=order.distribution is None and not order.ledger_url.startswith("sqlite"),
    ) as session:
        ledger = session.ledger
        await asyncio.to_thread(check_manifest, place_of(root), ledger.identity, ledger.shown_url)
        planned = {row.key: row for row in order.plan.rows}
        session.failures_allowed = order.limits.failures_allowed(len(planned))
        await _check_budget(session)
        marks = await ledger.marks_of(order.batch, order.take, planned.keys())
        ids = await plan_rows(session, planned, marks, folder=storage.shown, names=order.file_names)
        reached("rows planned")
        folder = storage.folder if isinstance(storage, LocalStorage) else storage.shown
        outcome = RunOutcome(session.run.id, folder, ledger.shown_url)
        counted = stats.counts(session)
        try:
            ids = await unsettled(session, planned, marks, ids, storage=storage, retry=order.retry)
            known = frozenset(marks) if order.distribution is not None else frozenset()
            del marks
            if order.distribution is None:
                await _work_all(session, planned, ids, order, step_runner, outcome, storage)
            else:
                await _spread_all(session, planned, ids, known, order, outcome, storage, order.distribution)
        finally:
            await _note_balances(session, outcome)
            outcome.account_stats = stats.since(counted, stats.counts(session))
            outcome.budget = order.limits.budget
            if order.limits.budget is not None:
                outcome.committed = await ledger.committed(session.run, order.limits.budget.currency)
            outcome.summaries = await ledger.summaries_of(order.batch)
            outcome.records = {row.key: row for row in outcome.summaries if row.kind.take == order.take}
            outcome.earlier = await ledger.earlier_attempts_of(order.batch)
            outcome.assets = await ledger.asset_requests_of(order.batch)
        return outcome


async def _work_all(
    session: Session,
    planned: dict[str, PlannedRow],
    ids: dict[str, int],
    order: RunSpec,
    step_runner: StepRunner,
    outcome: RunOutcome,
    storage: Storage,
) -> None:
    """Work on the rows that are free, then on those that other runs let go of."""
    keys = {row_id: key for key, row_id in ids.items()}
    missing = set(keys)
    retry = order.retry
    first = True
    until = asyncio.get_running_loop().time() + order.patience
    while missing and session.stopped is None:
        taken = await session.ledger.claim(session.run, missing, retry)
        reached("rows claimed")
        missing -= taken
        rows = await _rows(session, storage, taken, planned, keys, outcome.troubles, order.routes)
        if first:
            await check_room(storage, [row.request for row in rows if row.state in TAKEABLE])
            first = False
        before = {row.key: row.state for row in rows}
        if not outcome.balances and any(row.state in TAKEABLE for row in rows):
            outcome.balances = [await balances.look(session)]
        try:
            busy = [row for row in rows if _has_work(row)]
            await work(session, busy, step_runner(len(busy)))
        finally:
            outcome.done |= {row.key for row in rows if row.state is not before[row.key]}
            outcome.troubles |= {row.key: row.trouble.message for row in rows if row.trouble is not None}
        outcome.stopped = session.stopped
        if missing and session.stopped is None:
            _tell_held(session, [planned[keys[row_id]] for row_id in missing])
            if asyncio.get_running_loop().time() > until:
                outcome.troubles |= dict.fromkeys((keys[row_id] for row_id in missing), str(message("row.still_held")))
                return
            await asyncio.sleep(LOOK_AGAIN)
            # What the other run just tried is not tried again on top of it.
            retry = frozenset()


async def _spread_all(
    session: Session,
    planned: dict[str, PlannedRow],
    ids: dict[str, int],
    known: Collection[str],
    order: RunSpec,
    outcome: RunOutcome,
    storage: Storage,
    distribution: Distribution,
) -> None:
    """Leave the rows to other processes."""
    if not ids:
        return
    outcome.balances = [await balances.look(session)]
    outcome.done, outcome.troubles = await distribution(
        session, planned, ids, known, retry=order.retry, storage=storage
    )
    outcome.stopped = session.stopped


async def _note_balances(session: Session, outcome: RunOutcome) -> None:
    """Look again, where something may have been bought and there was anything to be seen."""
    if outcome.balances and outcome.balances[0]:
        outcome.balances.append(await balances.look(session))
        before, after = outcome.balances
        await session.ledger.note_balances(session.run, {"before": before, "after": after})


async def _rows(
    session: Session,
    storage: Storage,
    taken: Collection[int],
    planned: dict[str, PlannedRow],
    keys: dict[int, str],
    foreign: dict[str, str],
    routes: Sequence[RouteSettings],
) -> list[Row]:
    """The rows that were taken, as they stand; those of another account are told in `foreign`."""
    records = await session.ledger.rows(taken)
    lost = await missing_files([record for record in records.values() if record.state is State.STORED], storage)
    rows = []
    for row_id in sorted(taken, key=lambda row_id: planned[keys[row_id]].position):
        record = records[row_id]
        if row_id in lost:
            await session.ledger.refetch(session.run, row_id)
            record = await session.ledger.row(row_id)
        meant = planned[record.key]
        if record.state in {State.CREATED, State.SUCCEEDED}:
            maker = _maker(record, meant, routes)
            if maker is None:
                # Another account knows nothing of this job, and would say that it does not exist.
                paid, used = f"{record.provider}/{record.account}", meant.settings.account.identity
                foreign[record.key] = str(message("row.other_account", account=paid, used=used))
                continue
            meant = maker
        row = Row(
            session=session,
            record=record,
            request=meant.request,
            settings=meant.settings,
            fingerprint=meant.fingerprint,
            quote=meant.quote,
            storage=storage,
            review=meant.review,
            reference_seconds=meant.reference_seconds,
            candidates=meant.candidates,
        )
        session.tell(RowEvent(row.key, row.state.value, meant.settings.route.model, message=record.error_message))
        rows.append(row)
    return rows


def _maker(record: RowRecord, meant: PlannedRow, routes: Sequence[RouteSettings]) -> PlannedRow | None:
    """The row as the route makes it that holds its job; None where this run has no key for that one."""
    made_by = (record.provider, record.account, record.model)
    for candidate in meant.candidates:
        account = candidate.settings.account
        if (account.provider, account.label, candidate.settings.route.model) == made_by:
            return replace(candidate, others=())
    if meant.settings.account.label == record.account and meant.settings.account.provider == record.provider:
        return replace(meant, others=())
    for settings in routes:
        if (settings.account.provider, settings.account.label, settings.route.model) == made_by:
            # One that is no candidate any more, since it has lost its price, say; its job is paid all the same.
            request = VideoRequest.model_validate(dict(record.request))
            return replace(meant, settings=settings, request=request, others=())
    return None


def _has_work(row: Row) -> bool:
    return row.state in {State.PLANNED, State.OVER_BUDGET, State.DEFERRED, State.CREATED, State.SUCCEEDED}


def _tell_held(session: Session, held: Sequence[PlannedRow]) -> None:
    text = str(message("row.held_elsewhere"))
    for row in held:
        session.tell(RowEvent(row.key, "held", row.settings.route.model, message=text))


async def _check_budget(session: Session) -> None:
    """A budget speaks of the batch's whole life, so it has to know a worst case for all that was sent before."""
    budget = session.limits.budget
    if budget is not None and (number := await session.ledger.set_worst_case(session.run, session.limits.max_charge)):
        raise InputError(message("run.budget_unbounded", requests=number, budget=budget, currency=budget.currency))
