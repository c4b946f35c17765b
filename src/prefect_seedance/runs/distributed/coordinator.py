"""The run that plans a batch, leaves its rows to shards, and watches the ledger until they have finished.

It sends nothing itself. It reads the states of the rows from the ledger, and publishes them as row events.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.disk_space import check_space
from prefect_seedance.engine.row_loader import RowLoader, addressed, not_loadable
from prefect_seedance.engine.run_spec import Parent
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.steps.ask_again import ask_again
from prefect_seedance.errors import InputError, LedgerError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, Remainder, RowBrief, State
from prefect_seedance.ledger.rows import planning, transitions
from prefect_seedance.ledger.sharing import work_claims
from prefect_seedance.media import Storage
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.runs.distributed.shared_claims import too_many_failures

__all__ = ["Begun", "Launcher", "check_fit", "distribute"]

LOOK = 2.0
"""Seconds between two looks at the ledger, and `LOOK_EACH` for each row on top: a look at many rows costs more."""

LOOK_EACH = 0.0001

GROUP = 1000
"""Rows that one transaction addresses."""

SHOWN = 5

ROUNDS = 3
"""How often shards are started, where all of them have failed and rows are left."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What a launcher has to know.

    Attributes:
        parent: The run that began the work.
        left: Returns what is left of the batch.
        gone: Returns those of the given flow runs of shards whose process is gone.
    """

    parent: Parent
    left: Callable[[], Awaitable[Remainder]]
    gone: Callable[[Collection[str]], Awaitable[set[str]]]


Launcher = Callable[[Begun], Awaitable[Sequence[Message | str]]]
"""Starts shards and waits for them; returns why some of them failed, if any did."""


def check_fit(plan: BatchPlan) -> None:
    """Make sure that every row can be loaded by a process that has only the ledger.

    Raises:
        InputError: Some cannot. Nothing was spent.
    """
    bad = [(row, reason) for row in plan.rows if (reason := not_loadable(row)) is not None]
    if bad:
        lines = [message("rows.reason", line=row.line, key=row.key, reason=reason) for row, reason in bad[:SHOWN]]
        if len(bad) > SHOWN:
            lines.append(message("rows.and_more", more=len(bad) - SHOWN))
        raise InputError(message("run.rows_not_spreadable", rows=len(bad), shown=lines))


async def distribute(
    session: Session,
    rows: Mapping[str, PlannedRow],
    ids: Mapping[str, int],
    known: Collection[str],
    *,
    storage: Storage,
    launcher: Launcher,
) -> tuple[set[str], dict[str, str]]:
    """Leave the rows to shards, and wait until these have finished.

    Args:
        session: The run.
        rows: The rows of the run, by key.
        ids: The ledger's ids of those for which there may be something to do, by key.
        known: The keys of the rows that were planned before this run.
        storage: The storage of the batch's files.
        launcher: Starts the shards.

    Returns:
        The keys of the rows whose state has changed, and by key why some rows are not finished.
    """
    wanted, retry = set(ids.values()), session.spec.retry
    briefs = [
        each
        for each in await session.ledger.read(work_claims.row_briefs, session.run, session.spec.take)
        if each.id in wanted
    ]
    retried = {each.id for each in briefs if each.state in retry}
    # Stored rows whose files exist were left out before: the files of these are gone.
    lost = {each.id for each in briefs if each.state is State.STORED}
    taken = await session.ledger.write(planning.claim, session.run, retried | lost, retry)
    for row_id in taken & lost:
        await session.ledger.write(transitions.refetch, session.run, row_id)
    expired = [each.id for each in briefs if each.state is State.EXPIRED and each.id in taken]
    asked = await RowLoader(session, plan=rows, storage=storage).rows(expired)
    await ask_again(asked)
    kept = set(expired) - {row.id for row in asked if row.state is State.PLANNED}
    sent = {each.key: each.id for each in briefs if each.state in TAKEABLE or each.id in retried - kept}
    await check_space(storage, [rows[key].request for key in sent])
    await _hand_over(session, rows, sent, known)
    await session.ledger.write(work_claims.offer, session.run, wanted)
    await session.ledger.write(work_claims.release, session.run, taken)
    done = await _watched(session, ids.keys(), launcher)
    return done, await _of_other_accounts(session, ids.keys())


async def _of_other_accounts(session: Session, keys: Collection[str]) -> dict[str, str]:
    """By key: why the rows were left out whose jobs are another account's."""
    accounts = {(account.provider, account.label) for account in session.account_clients}
    wanted = set(keys)
    return {
        row.key: str(message("row.account_not_used", account=f"{row.provider}/{row.account}"))
        for row in await session.ledger.read(work_claims.row_briefs, session.run, session.spec.take)
        if row.key in wanted
        and row.state in {State.CREATED, State.SUCCEEDED}
        and (row.provider, row.account) not in accounts
    }


async def _hand_over(
    session: Session, rows: Mapping[str, PlannedRow], ids: Mapping[str, int], known: Collection[str]
) -> None:
    """Write the present plan of the rows that may be sent to the ledger, so that any process can work on them.

    Args:
        session: The run.
        rows: The rows of the run, by key.
        ids: The ledger's ids of those for which there may be something to do, by key.
        known: The keys of the rows that were planned before this run: they may have had another route then.
    """
    blocks = {each.settings.block: each.settings for row in rows.values() for each in row.candidates}
    triples = Counter((each.account.identity, each.route.model) for each in blocks.values())
    wanted = []
    for key, row_id in ids.items():
        row = rows[key]
        named = triples[row.settings.account.identity, row.settings.route.model] > 1
        meant = addressed(row, row_id, named=named)
        if meant["meant"] is not None or key in known:
            wanted.append(meant)
    for start in range(0, len(wanted), GROUP):
        await session.ledger.write(work_claims.update_plans, session.run, wanted[start : start + GROUP])


async def _watched(session: Session, keys: Collection[str], launcher: Launcher) -> set[str]:
    """Run the shards and publish row events meanwhile; returns the keys of the rows whose state has changed.

    However it is left, the ledger records that the run is over, which ends the shards.
    """
    ledger = session.ledger

    async def left() -> Remainder:
        return await ledger.read(
            work_claims.remainder, session.run, session.spec.take, patience=session.spec.patience, parent=session.run.id
        )

    async def gone(flow_run_ids: Collection[str]) -> set[str]:
        return await ledger.write(work_claims.ended_flow_runs, session.run, flow_run_ids)

    wanted = set(keys)
    seen = {
        row.key: row
        for row in await ledger.read(work_claims.row_briefs, session.run, session.spec.take)
        if row.key in wanted
    }
    before = {key: row.state for key, row in seen.items()}
    for row in seen.values():
        _notify(session, row)
    parent = Parent(run=session.run.id, identity=ledger.identity, failures_allowed=session.failures_allowed)
    work = Begun(parent, left, gone)
    watcher = asyncio.create_task(_watch(session, seen), name="seedance spread")
    try:
        await _run_shards(session, launcher, work)
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)
    await _look(session, seen)
    return {key for key, row in seen.items() if row.state is not before[key]}


async def _run_shards(session: Session, launcher: Launcher, work: Begun) -> None:
    failures: Sequence[Message | str] = []
    before: Remainder | None = None
    for _ in range(ROUNDS):
        failures = await _launch(session, launcher, work)
        standing = await work.left()
        allowed = work.parent.failures_allowed
        if allowed is not None and standing.failed >= allowed:
            session.stop(too_many_failures(standing.failed, session.limits.max_failures))
            return
        if not failures or not (standing.free or standing.held):
            return
        if standing == before:
            break  # the round made no progress
        before = standing
    reasons = list(dict.fromkeys(str(each) for each in failures))
    session.stop(SeedanceError(message("run.shards_failed", reasons=reasons)))


async def _launch(session: Session, launcher: Launcher, work: Begun) -> Sequence[Message | str]:
    """Run the launcher. Where this run is cancelled, the shards see it in the ledger, and end in order."""
    task = asyncio.create_task(_awaited(launcher, work), name="seedance launcher")
    try:
        return await asyncio.shield(task)
    except BaseException:
        with contextlib.suppress(LedgerError):
            await session.ledger.end_run(session.run)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _awaited(launcher: Launcher, work: Begun) -> Sequence[Message | str]:
    return await launcher(work)


async def _watch(session: Session, seen: dict[str, RowBrief]) -> None:
    while True:
        await asyncio.sleep(LOOK + LOOK_EACH * len(seen))
        with contextlib.suppress(LedgerError):
            await _look(session, seen)


async def _look(session: Session, seen: dict[str, RowBrief]) -> None:
    for row in await session.ledger.read(work_claims.row_briefs, session.run, session.spec.take):
        if row.key in seen and seen[row.key].state is not row.state:
            seen[row.key] = row
            _notify(session, row)


def _notify(session: Session, row: RowBrief) -> None:
    session.notify(
        RowEvent(
            row.key,
            row.state.value,
            row.model,
            message=row.error_message,
            video=row.path if row.state is State.STORED else None,
            provider=row.provider,
            account=row.account,
        )
    )
