"""A run over a batch, from the checked table to the last stored file: plan, claim rows, work, wait for other runs."""

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
from prefect_seedance.engine.disk_space import check_space
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
    """Leaves the rows of a run to other processes, and waits until they have finished."""

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
        """The keys of the rows whose state has changed, and by key why some rows are not finished."""


@dataclass(frozen=True)
class RunSpec:
    """What a run is asked to do.

    Attributes:
        plan: The checked table.
        routes: The routes that its rows use.
        batch: The batch's name.
        take: The take: another one generates the same rows again.
        output: The folder, or the URL, that holds the folders of batches.
        ledger_url: The ledger.
        patience: Seconds that a job is waited for.
        retry: States from which rows are sent again; otherwise a run leaves them alone.
        flow_run_id: Prefect's id of the run, for the record.
        limits: What the user allows to be spent and to fail.
        media_access: Which files and hosts media may be read from.
        parts: A folder on this machine for unfinished downloads before they are moved to a store; None takes the
            system's folder for temporary files.
        file_names: The name of each row's file below the batch's folder, by row key; None names them by their keys.
        distribution: Leaves the rows to other processes; None works on them here.
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
    media_access: MediaAccess = field(default_factory=MediaAccess)
    parts: Path | None = None
    file_names: Mapping[str, str] | None = None
    distribution: Distribution | None = None


@dataclass
class RunOutcome:
    """The result of a run.

    Attributes:
        run_id: The run in the ledger.
        summaries: The rows of all takes of the batch.
        records: Those of this take, by key.
        earlier: The attempts that are not the latest of their rows, all takes.
        assets: All billed requests for assets that runs of the batch have made.
        troubles: Why a row is not finished, by key, where its state does not say it.
        done: The keys of the rows whose state this run changed.
        stopped: Why the run started no more rows before all were finished; None where all were.
        balances: The accounts' balances before and after, as the providers show them: a hint for people.
        account_stats: Jobs in flight, refused creates and queries of each account.
        budget: What the batch may cost; None where the user sets no budget.
        committed: What is used of it: known charges, and the worst case of what is not settled.
        folder: The folder of the batch's files: a path, or a URL.
        ledger: The ledger's URL without secrets.
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
    """The states from which the user wants rows to be sent again.

    Raises:
        InputError: A state from which no row is sent again; above all `unknown`.
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
    """The output folder, and in it the folder of a batch's files; see `open_storage`."""
    root = open_storage(output, parts)
    return root, root.child(slug(batch))


def manifest_place(storage: Storage) -> Path | Storage:
    """A storage in the form that `check_manifest` takes."""
    return storage.folder if isinstance(storage, LocalStorage) else storage


async def run_batch(spec: RunSpec, step_runner: StepRunner) -> RunOutcome:
    """Carry every row of the spec as far as possible; see `engine.dispatcher.work` for what stops a run."""
    root, storage = batch_folder(spec.output, spec.batch, spec.parts)
    await asyncio.to_thread(storage.ensure)
    async with open_session(
        batch=spec.batch,
        take=spec.take,
        ledger_url=spec.ledger_url,
        routes=spec.routes,
        patience=spec.patience,
        flow_run_id=spec.flow_run_id,
        limits=spec.limits,
        media_access=spec.media_access,
        retry_refused=State.REFUSED in spec.retry,
        # A ledger on a server is used by several processes, so they share the limits; a file rarely is.
        shared=spec.distribution is None and not spec.ledger_url.startswith("sqlite"),
    ) as session:
        ledger = session.ledger
        await asyncio.to_thread(check_manifest, manifest_place(root), ledger.identity, ledger.shown_url)
        planned = {row.key: row for row in spec.plan.rows}
        session.failures_allowed = spec.limits.failures_allowed(len(planned))
        await _check_budget(session)
        marks = await ledger.marks_of(spec.batch, spec.take, planned.keys())
        ids = await plan_rows(session, planned, marks, folder=storage.shown, names=spec.file_names)
        reached("rows planned")
        folder = storage.folder if isinstance(storage, LocalStorage) else storage.shown
        outcome = RunOutcome(session.run.id, folder, ledger.shown_url)
        counted = stats.counts(session)
        try:
            ids = await unsettled(session, planned, marks, ids, storage=storage, retry=spec.retry)
            known = frozenset(marks) if spec.distribution is not None else frozenset()
            del marks
            if spec.distribution is None:
                await _work_all(session, planned, ids, spec, step_runner, outcome, storage)
            else:
                await _distribute_all(session, planned, ids, known, spec, outcome, storage, spec.distribution)
        finally:
            await _note_balances(session, outcome)
            outcome.account_stats = stats.since(counted, stats.counts(session))
            outcome.budget = spec.limits.budget
            if spec.limits.budget is not None:
                outcome.committed = await ledger.committed(session.run, spec.limits.budget.currency)
            outcome.summaries = await ledger.summaries_of(spec.batch)
            outcome.records = {row.key: row for row in outcome.summaries if row.kind.take == spec.take}
            outcome.earlier = await ledger.earlier_attempts_of(spec.batch)
            outcome.assets = await ledger.asset_requests_of(spec.batch)
        return outcome


async def _work_all(
    session: Session,
    planned: dict[str, PlannedRow],
    ids: dict[str, int],
    spec: RunSpec,
    step_runner: StepRunner,
    outcome: RunOutcome,
    storage: Storage,
) -> None:
    """Work on the free rows, then on those that other runs release."""
    keys = {row_id: key for key, row_id in ids.items()}
    missing = set(keys)
    retry = spec.retry
    first = True
    until = asyncio.get_running_loop().time() + spec.patience
    while missing and session.stopped is None:
        taken = await session.ledger.claim(session.run, missing, retry)
        reached("rows claimed")
        missing -= taken
        rows = await _rows(session, storage, taken, planned, keys, outcome.troubles, spec.routes)
        if first:
            await check_space(storage, [row.request for row in rows if row.state in TAKEABLE])
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
            _notify_held(session, [planned[keys[row_id]] for row_id in missing])
            if asyncio.get_running_loop().time() > until:
                outcome.troubles |= dict.fromkeys((keys[row_id] for row_id in missing), str(message("row.still_held")))
                return
            await asyncio.sleep(LOOK_AGAIN)
            # What the other run has just tried is not tried again.
            retry = frozenset()


async def _distribute_all(
    session: Session,
    planned: dict[str, PlannedRow],
    ids: dict[str, int],
    known: Collection[str],
    spec: RunSpec,
    outcome: RunOutcome,
    storage: Storage,
    distribution: Distribution,
) -> None:
    """Leave the rows to other processes."""
    if not ids:
        return
    outcome.balances = [await balances.look(session)]
    outcome.done, outcome.troubles = await distribution(session, planned, ids, known, retry=spec.retry, storage=storage)
    outcome.stopped = session.stopped


async def _note_balances(session: Session, outcome: RunOutcome) -> None:
    """Read the balances again, where something may have been paid and an account shows a balance."""
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
    unusable: dict[str, str],
    routes: Sequence[RouteSettings],
) -> list[Row]:
    """The claimed rows; for those whose job is another account's, `unusable` gets the reason."""
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
            maker = _as_made(record, meant, routes)
            if maker is None:
                # Another account does not know this job, and would answer that it does not exist.
                paid, used = f"{record.provider}/{record.account}", meant.settings.account.identity
                unusable[record.key] = str(message("row.other_account", account=paid, used=used))
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
        session.notify(RowEvent(row.key, row.state.value, meant.settings.route.model, message=record.error_message))
        rows.append(row)
    return rows


def _as_made(record: RowRecord, meant: PlannedRow, routes: Sequence[RouteSettings]) -> PlannedRow | None:
    """The row as planned for the route that made its job; None where this run has no key of its account."""
    made_by = (record.provider, record.account, record.model)
    for candidate in meant.candidates:
        account = candidate.settings.account
        if (account.provider, account.label, candidate.settings.route.model) == made_by:
            return replace(candidate, others=())
    if meant.settings.account.label == record.account and meant.settings.account.provider == record.provider:
        return replace(meant, others=())
    for settings in routes:
        if (settings.account.provider, settings.account.label, settings.route.model) == made_by:
            # The route is not a candidate any more, for example because it has no price now; its job is still paid.
            request = VideoRequest.model_validate(dict(record.request))
            return replace(meant, settings=settings, request=request, others=())
    return None


def _has_work(row: Row) -> bool:
    return row.state in {State.PLANNED, State.OVER_BUDGET, State.DEFERRED, State.CREATED, State.SUCCEEDED}


def _notify_held(session: Session, held: Sequence[PlannedRow]) -> None:
    text = str(message("row.held_elsewhere"))
    for row in held:
        session.notify(RowEvent(row.key, "held", row.settings.route.model, message=text))


async def _check_budget(session: Session) -> None:
    """Make sure that all earlier requests of the batch have a known worst case: the budget covers them too."""
    budget = session.limits.budget
    if budget is not None and (number := await session.ledger.set_worst_case(session.run, session.limits.max_charge)):
        raise InputError(message("run.budget_unbounded", requests=number, budget=budget, currency=budget.currency))
