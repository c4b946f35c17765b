"""A run over a batch, from the checked table to the last stored file: plan, claim rows, work, wait for other runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from prefect_seedance.core.checkpoints import reached
from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.local_claims import LocalClaims
from prefect_seedance.engine.row_loader import RowLoader
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.session import Session, open_session
from prefect_seedance.engine.step_runner import StepRunner
from prefect_seedance.engine.worker import carry
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import (
    RETRYABLE,
    TAKEABLE,
    AssetRequest,
    AttemptRecord,
    RowSummary,
    State,
)
from prefect_seedance.ledger.rows import budget, lookups, summaries
from prefect_seedance.media import Storage, open_storage, slug
from prefect_seedance.media.storage.local import LocalStorage
from prefect_seedance.messages import message
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.runs import balances, stats
from prefect_seedance.runs.balances import Balances
from prefect_seedance.runs.ledger_check import check_ledger
from prefect_seedance.runs.reconcile import by_known_keys, plan_rows, unsettled
from prefect_seedance.runs.reuse import reuse_stored
from prefect_seedance.runs.spending import LimitState, spending_of
from prefect_seedance.runs.stats import AccountStats

__all__ = ["Distribution", "RunOutcome", "StepsFor", "batch_folder", "retry_states", "run_batch"]

StepsFor = Callable[[int], StepRunner]
"""Returns how the steps of a run are carried out, by the number of its rows: decided once for a run."""


class Distribution(Protocol):
    """Leaves the rows of a run to other processes, and waits until they have finished."""

    def __call__(
        self,
        session: Session,
        rows: Mapping[str, PlannedRow],
        ids: Mapping[str, int],
        known: Collection[str],
        *,
        storage: Storage,
    ) -> Awaitable[tuple[set[str], dict[str, str]]]:
        """The keys of the rows whose state has changed, and by key why some rows are not finished."""


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
        notices: What the run has said that a person should know.
        stopped: Why the run started no more rows before all were finished; None where all were.
        balances: The accounts' balances before and after, as the providers show them: a hint for people.
        account_stats: Jobs in flight, refused creates and queries of each account.
        pauses: Until when providers ask for no further creates, by account.
        budget: What the batch may cost; None where the user sets no budget.
        committed: What is used of it: known charges, and the worst case of what is not settled.
        spending: The spending limits of the run's accounts, and what is used of them.
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
    notices: list[str] = field(default_factory=list)
    stopped: BaseException | None = None
    balances: list[Balances] = field(default_factory=list)
    account_stats: list[AccountStats] = field(default_factory=list)
    pauses: dict[str, datetime] = field(default_factory=dict)
    budget: Amount | None = None
    committed: Decimal | None = None
    spending: list[LimitState] = field(default_factory=list)


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


async def run_batch(
    spec: RunSpec, context: RunContext, steps_for: StepsFor, distribution: Distribution | None = None
) -> RunOutcome:
    """Carry every row of the plan as far as possible; see `engine.dispatcher.Dispatcher` for what stops a run.

    Args:
        spec: What the run is asked to do; with an output.
        context: What it has in this process; with a plan.
        steps_for: Returns how the steps are carried out, by the number of rows that may need some.
        distribution: Leaves the rows to other processes; None works on them here.
    """
    if context.plan is None or spec.output is None:
        raise ValueError("A run over a batch needs a plan and an output.")
    root, storage = batch_folder(spec.output, spec.batch, context.parts)
    await asyncio.to_thread(storage.ensure)
    planned = {row.key: row for row in context.plan.rows}
    # A ledger on a server is used by several processes, so they share the limits; a file rarely is.
    shared = distribution is None and not context.ledger_url.startswith("sqlite")
    async with open_session(spec, context, shared=shared) as session:
        ledger = session.ledger
        await check_ledger(session, root)
        session.failures_allowed = spec.limits.failures_allowed(len(planned))
        await _check_budget(session)
        former = {key for row in planned.values() for key in row.former_keys}
        marks = await ledger.read(lookups.marks_of, spec.batch, spec.take, planned.keys() | former)
        renamed = by_known_keys(planned.values(), marks)
        planned = {row.key: row for row in (_known_as(row, renamed) for row in planned.values())}
        marks = {key: mark for key, mark in marks.items() if key in planned}
        names = context.file_names and {renamed.get(key, key): name for key, name in context.file_names.items()}
        ids = await plan_rows(session, planned, marks, folder=storage.shown, names=names)
        reached("rows planned")
        folder = storage.folder if isinstance(storage, LocalStorage) else storage.shown
        outcome = RunOutcome(session.run.id, folder, ledger.shown_url)
        counted = stats.counts(session)
        try:
            ids = await unsettled(session, planned, marks, ids, storage=storage, retry=spec.retry)
            reused = await reuse_stored(session, planned, marks, ids, storage=storage)
            ids = {key: row_id for key, row_id in ids.items() if key not in reused}
            if any(key not in marks or marks[key].state in TAKEABLE | spec.retry for key in ids):
                outcome.balances = [await balances.look(session)]
            if distribution is None:
                del marks
                await _work_here(session, planned, ids, storage, steps_for(len(ids)), outcome)
            elif ids:
                known = frozenset(marks)
                del marks
                outcome.done, outcome.troubles = await distribution(session, planned, ids, known, storage=storage)
            outcome.done |= reused
            outcome.stopped = session.stopped
        finally:
            outcome.notices = session.notices
            await _note_balances(session, outcome)
            outcome.account_stats = stats.since(counted, stats.counts(session))
            outcome.pauses = stats.pauses(session)
            await _read_rows(session, outcome, renamed)
        return outcome


def _known_as(row: PlannedRow, renamed: Mapping[str, str]) -> PlannedRow:
    key = renamed.get(row.key)
    if key is None:
        return row
    return replace(row, key=key, others=tuple(replace(each, key=key) for each in row.others))


async def _work_here(
    session: Session,
    planned: Mapping[str, PlannedRow],
    ids: Mapping[str, int],
    storage: Storage,
    steps: StepRunner,
    outcome: RunOutcome,
) -> None:
    """Work on the free rows, then on those that other runs release."""
    keys = {row_id: key for key, row_id in ids.items()}
    loader = RowLoader(session, plan=planned, storage=storage)

    def on_held(waiting: Sequence[str]) -> None:
        text = str(message("row.held_elsewhere"))
        for key in waiting:
            session.notify(RowEvent(key, "held", planned[key].settings.route.model, message=text))

    claims = LocalClaims(session, loader, keys, retry=session.spec.retry, on_held=on_held)
    await carry(session, claims, steps)
    outcome.done, outcome.troubles = claims.done, claims.troubles


async def _read_rows(session: Session, outcome: RunOutcome, renamed: Mapping[str, str]) -> None:
    """Read from the ledger what the batch's rows have become, and what is used of budget and limits."""
    ledger, spec = session.ledger, session.spec
    outcome.budget = spec.limits.budget
    if spec.limits.budget is not None:
        outcome.committed = await ledger.read(budget.committed, session.run, spec.limits.budget.currency)
    outcome.spending = await spending_of(ledger, session.context.routes)
    outcome.summaries = await ledger.read(summaries.summaries_of, spec.batch)
    outcome.records = {row.key: row for row in outcome.summaries if row.kind.take == spec.take}
    outcome.records |= {key: outcome.records[old] for key, old in renamed.items() if old in outcome.records}
    outcome.earlier = await ledger.read(lookups.earlier_attempts_of, spec.batch)
    outcome.assets = await ledger.asset_requests_of(spec.batch)


async def _note_balances(session: Session, outcome: RunOutcome) -> None:
    """Read the balances again, where something may have been paid and an account shows a balance."""
    if outcome.balances and outcome.balances[0]:
        outcome.balances.append(await balances.look(session))
        before, after = outcome.balances
        await session.ledger.note_balances(session.run, {"before": before, "after": after})


async def _check_budget(session: Session) -> None:
    """Make sure that all earlier requests of the batch have a known worst case: budget and limits cover them too."""
    budget, most = session.limits.budget, session.limits.max_charge
    limited = any(settings.account.spending_limits for settings in session.context.routes)
    if budget is None and not (limited and most):
        return
    # Without a budget the limit itself says at each row what it cannot hold: its period may be over by then.
    if (number := await session.ledger.set_worst_case(session.run, most)) and budget is not None:
        raise InputError(message("run.budget_unbounded", requests=number, budget=budget, currency=budget.currency))
