"""The watched folder: each table in it is made once, and no row of it is paid twice.

The ledger records what was made; no file is moved or marked. The batch of a table is named by the file's name and its
content. A changed file is a new batch, of which only those rows are made that no other batch of this file has made or
is making: a corrected prompt costs one video, and rows that were deferred before are made now.
"""

# Annotations are no strings here: Prefect reads them to make the form.

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.states import Completed
from pydantic import Field

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.forms.dropped import DroppedTable, WatchedFolder
from prefect_seedance.flows.forms.fields import BadRow, titled
from prefect_seedance.flows.forms.generate import ON_INVALID, columns_of, run_of_form
from prefect_seedance.flows.forms.making import TableOutcome, TableRun, final_of_all, make_all
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.tables import open_table
from prefect_seedance.flows.twins import of_form
from prefect_seedance.ledger import TAKEABLE, Ledger, State, ledger_url
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.messages import message
from prefect_seedance.planning.plan import BatchPlan, prepare
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.tables.errors import shown
from prefect_seedance.tasks.home import prefect_home

__all__ = ["watch_folder"]

UNFINISHED = TAKEABLE | {State.SENT, State.CREATED, State.SUCCEEDED}


def _run_name() -> str:
    context = FlowRunContext.get()
    return f"watch {shown(((context.parameters if context else None) or {}).get('folder', ''))}"


@table_flow(name="Watch a folder", flow_run_name=_run_name)
@of_form
async def watch_folder(
    folder: str = titled("Folder", minLength=1),
    route: RouteDefaults = titled("Route"),
    settle: Annotated[float, Field(ge=0, le=3600)] = titled("Seconds without a change", 10),
    bad_rows: BadRow = titled("If a row breaks a rule", "stop before anything is spent"),
    prompt_column: str = titled("Heading of the prompts", ""),
    budget: str = titled("Budget of each table", ""),
    max_charge: str = titled("What one row costs at most", ""),
    output: str = titled("Folder for the videos", "videos"),
    patience: Annotated[int, Field(ge=0)] = titled("Minutes to wait for a video", 60),
    more_routes: list[RouteDefaults] = titled("Further routes", []),
) -> Any:
    """Look into a folder once, and make the videos of every table that is new there. Run it by a schedule.

    Args:
        folder: A folder on the worker's machine, or a prefix such as s3://bucket/tables/.
        route: Who pays, which model, and your prices: a saved block of the type "Seedance Route Defaults".
        settle: A file that changes within this time is still being written, and is left for the next run.
        bad_rows: Whether one bad row stops its whole table, or is left out. Other tables are not affected.
        prompt_column: Only if the heading of your prompts is not "prompt".
        budget: Such as 100 CNY: what the batch of one table may cost. Empty: no limit.
        max_charge: Such as 5 CNY. Only for a budget with rows whose price, or whose highest cost, is not known.
        output: A folder on the worker's machine, or a URL such as s3://bucket/videos. Each batch has a folder in it.
        patience: A video that takes longer is kept for the next run, and not paid again.
        more_routes: Only for tables whose rows choose by columns "model", "provider" or "route".

    Returns:
        The names of the batches that were run.
    """
    logger = get_run_logger()
    try:
        run = functools.partial(
            run_of_form(
                bad_rows=bad_rows,
                budget=budget,
                max_charge=max_charge,
                output=output,
                patience=patience,
                prompt_column=prompt_column,
            ),
            route=[route, *more_routes],
        )
        dropped = await asyncio.to_thread(WatchedFolder(folder).look, settle)
        ledger = await Ledger.open(ledger_url(None, prefect_home()))
    except SeedanceError as error:
        return failed(error)
    for name in dropped.unfinished:
        logger.info("%s is still being written, and is left for the next run", name)

    async def planned(place: str) -> BatchPlan:
        read = await open_table(place, columns_of(prompt_column))
        routes = await load_routes([route, *more_routes])
        return await asyncio.to_thread(prepare, read, routes, on_invalid=ON_INVALID[bad_rows])

    try:
        decisions = [await _decide(ledger, each, planned) for each in dropped.tables]
    finally:
        await ledger.close()
    bad = [each for each in decisions if isinstance(each, TableOutcome)]
    for each in bad:
        logger.warning("%s cannot be used: %s", each.name, each.message)
    wanted = [each for each in decisions if isinstance(each, TableRun)]
    found = message("watch.found", tables=len(decisions), wanted=len(wanted), unfinished=len(dropped.unfinished))
    logger.info("%s: %s", shown(folder), found)
    if not wanted and not bad:
        return Completed(name="Nothing new", message=str(message("watch.nothing_new", found=found)), data=[])
    ended = bad + await make_all(run, wanted)
    return await final_of_all(ended, "seedance-watch", message("tables.folder", folder=shown(folder)))


async def _decide(
    ledger: Ledger, dropped: DroppedTable, planned: Callable[[str], Awaitable[BatchPlan]]
) -> TableRun | TableOutcome | None:
    """Which rows of a table are to be made: a run, a failed outcome for a bad table, or None where nothing is left."""
    batches = await ledger.read(lookups.batch_names)
    own = await ledger.read(lookups.rows_of, dropped.batch) if dropped.batch in batches else []
    unfinished = {row.key for row in own if row.state in UNFINISHED}
    others = [name for name in batches if dropped.is_other(name)]
    if own and not unfinished and not await _any_left(ledger, others):
        return None
    try:
        plan = await planned(dropped.place)
    except SeedanceError as error:
        return TableOutcome(dropped.name, dropped.batch, "Not started", str(error), bad=True)
    finished = {row.key for row in own} - unfinished
    requested = await _requested(ledger, others)
    only = [
        row.key
        for row in plan.rows
        if finished.isdisjoint((row.key, *row.former_keys)) and not _is_requested(requested, row)
    ]
    if not only:
        return None
    if not await asyncio.to_thread(dropped.unchanged):
        return None  # the next run takes it with its new content
    chosen = None if len(only) == len(plan.rows) else only
    return TableRun(dropped.place, dropped.name, dropped.batch, chosen)


async def _any_left(ledger: Ledger, batches: Sequence[str]) -> bool:
    """Whether these batches have rows that a run may still take: deferred, or never started."""
    for name in batches:
        if any(state in TAKEABLE for state in (await ledger.read(lookups.states_of, name, "1")).values()):
            return True
    return False


async def _requested(ledger: Ledger, batches: Sequence[str]) -> dict[str, set[str]]:
    """The fingerprints that these batches have requested, by row: made, in progress, or of unknown outcome."""
    requested: dict[str, set[str]] = {}
    for name in batches:
        at_work = await ledger.has_live_run(name)
        for row in await ledger.read(lookups.rows_of, name):
            if at_work or row.state not in TAKEABLE:
                requested.setdefault(row.key, set()).add(row.fingerprint)
    return requested


def _is_requested(requested: Mapping[str, set[str]], row: PlannedRow) -> bool:
    """Whether this row was requested already, for any of its routes."""
    keys = (row.key, *row.former_keys)
    return any(row.knows(fingerprint) for key in keys for fingerprint in requested.get(key, ()))
