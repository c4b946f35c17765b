"""The run that begins the work on a batch and leaves it to shards: it plans, starts them, watches the ledger, answers.

It sends nothing itself. What becomes of the rows it learns from the ledger, and tells those who watch.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.disk_space import check_room
from prefect_seedance.engine.row_loader import addressed, unfit
from prefect_seedance.engine.session import Session
from prefect_seedance.errors import InputError, LedgerError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, Remainder, RowBrief, State
from prefect_seedance.media import Storage
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.runs.distributed.shard import too_many

__all__ = ["Begun", "Launcher", "check_fit", "distribute"]

LOOK = 2.0
"""Seconds between two looks at the ledger, and `LOOK_EACH` for each row on top: a look at many rows costs more."""

LOOK_EACH = 0.0001

GROUP = 1000
"""Rows that one transaction addresses."""

SHOWN = 5

ROUNDS = 3
"""How often shards are started anew, where all of them have fallen and left rows behind."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The work as shards take it up.

    Attributes:
        parent: The run that began it.
        identity: The ledger's own name.
        failures_allowed: So many failures end the taking of new rows.
        left: Tells how the batch stands.
        gone: Of these flow runs of shards, tells those whose process is gone.
    """

    parent: str
    identity: str
    failures_allowed: Decimal | None
    left: Callable[[], Awaitable[Remainder]]
    gone: Callable[[Collection[str]], Awaitable[set[str]]]


Launcher = Callable[[Begun], Awaitable[Sequence[Message | str]]]
"""Starts shards and waits for them; returns why some of them fell, if any did."""


def check_fit(plan: BatchPlan) -> None:
    """Make sure that every row can be made anew by a process that has nothing but the ledger.

    Raises:
        InputError: Some cannot. Nothing was spent.
    """
    bad = [(row, reason) for row in plan.rows if (reason := unfit(row)) is not None]
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
    retry: frozenset[State],
    storage: Storage,
    launcher: Launcher,
) -> tuple[set[str], dict[str, str]]:
    """Leave the rows to shards, and wait until these are through.

    Args:
        session: The run.
        rows: The rows that are meant, by key.
        ids: The ledger's ids of those for which there may be something to do, by key.
        known: Those that were planned before this run.
        retry: States from which rows are to be made anew.
        storage: Where the batch's files stand.
        launcher: What starts the shards.

    Returns:
        The keys of the rows that have moved, and why some stand where they stand.
    """
    wanted = set(ids.values())
    stand = [each for each in await session.ledger.row_briefs(session.run, session.take) if each.id in wanted]
    anew = {each.id for each in stand if each.state in retry}
    # Those that are settled and have their files were left out before: of these the files are gone.
    lost = {each.id for each in stand if each.state is State.STORED}
    taken = await session.ledger.claim(session.run, anew | lost, retry)
    for row_id in taken & lost:
        await session.ledger.refetch(session.run, row_id)
    sent = {each.key: each.id for each in stand if each.state in TAKEABLE or each.id in anew}
    await check_room(storage, [rows[key].request for key in sent])
    await _hand_over(session, rows, sent, known)
    await session.ledger.offer_rows(session.run, wanted)
    await session.ledger.release_rows(session.run, taken)
    done = await _watched(session, ids.keys(), launcher)
    return done, await _foreign(session, ids.keys())


async def _foreign(session: Session, keys: Collection[str]) -> dict[str, str]:
    """The rows that nobody could take up, since their jobs are another account's."""
    accounts = {(account.provider, account.label) for account in session.account_clients}
    wanted = set(keys)
    return {
        row.key: str(message("row.account_not_used", account=f"{row.provider}/{row.account}"))
        for row in await session.ledger.row_briefs(session.run, session.take)
        if row.key in wanted
        and row.state in {State.CREATED, State.SUCCEEDED}
        and (row.provider, row.account) not in accounts
    }


async def _hand_over(
    session: Session, rows: Mapping[str, PlannedRow], ids: Mapping[str, int], known: Collection[str]
) -> None:
    """Write down how the rows that may be sent are meant today, so that any process can carry them.

    Args:
        session: The run.
        rows: The rows that are meant, by key.
        ids: The ledger's ids of those for which there may be something to do, by key.
        known: Those that were planned before this run: they may have been meant for another route then.
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
        await session.ledger.update_plans(session.run, wanted[start : start + GROUP])


async def _watched(session: Session, keys: Collection[str], launcher: Launcher) -> set[str]:
    """Have shards carry the rows, and tell of what happens; returns the keys of the rows that have moved.

    However it is left, the shards know that it is over.
    """
    ledger = session.ledger

    async def left() -> Remainder:
        return await ledger.remainder(session.run, session.take, patience=session.patience, parent=session.run.id)

    async def gone(flow_run_ids: Collection[str]) -> set[str]:
        return await ledger.ended_flow_runs(session.run, flow_run_ids)

    wanted = set(keys)
    seen = {row.key: row for row in await ledger.row_briefs(session.run, session.take) if row.key in wanted}
    before = {key: row.state for key, row in seen.items()}
    for row in seen.values():
        _tell(session, row)
    work = Begun(session.run.id, ledger.identity, session.failures_allowed, left, gone)
    teller = asyncio.create_task(_watch(session, seen), name="seedance spread")
    try:
        await _carried(session, launcher, work)
    finally:
        teller.cancel()
        await asyncio.gather(teller, return_exceptions=True)
    await _look(session, seen)
    return {key for key, row in seen.items() if row.state is not before[key]}


async def _carried(session: Session, launcher: Launcher, work: Begun) -> None:
    fallen: Sequence[Message | str] = []
    before: Remainder | None = None
    for _ in range(ROUNDS):
        fallen = await _run(session, launcher, work)
        standing = await work.left()
        if work.failures_allowed is not None and standing.failed >= work.failures_allowed:
            session.stop(too_many(standing.failed, session.limits.max_failures))
            return
        if not fallen or not (standing.free or standing.held):
            return
        if standing == before:
            break  # it has brought nothing
        before = standing
    reasons = list(dict.fromkeys(str(each) for each in fallen))
    session.stop(SeedanceError(message("run.shards_failed", reasons=reasons)))


async def _run(session: Session, launcher: Launcher, work: Begun) -> Sequence[Message | str]:
    """Run the engine; where this run is cancelled, the shards hear of it through the ledger, and end in order."""
    task = asyncio.create_task(_of(launcher, work), name="seedance engine")
    try:
        return await asyncio.shield(task)
    except BaseException:
        with contextlib.suppress(LedgerError):
            await session.ledger.end_run(session.run)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _of(launcher: Launcher, work: Begun) -> Sequence[Message | str]:
    return await launcher(work)


async def _watch(session: Session, seen: dict[str, RowBrief]) -> None:
    while True:
        await asyncio.sleep(LOOK + LOOK_EACH * len(seen))
        with contextlib.suppress(LedgerError):
            await _look(session, seen)


async def _look(session: Session, seen: dict[str, RowBrief]) -> None:
    for row in await session.ledger.row_briefs(session.run, session.take):
        if row.key in seen and seen[row.key].state is not row.state:
            seen[row.key] = row
            _tell(session, row)


def _tell(session: Session, row: RowBrief) -> None:
    session.tell(
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
