"""The main flow: a table of prompts becomes verified videos, each paid for once."""

# Annotations are no strings here: Prefect may load this file by its path, and could not resolve them then.

import asyncio
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from prefect.client.schemas.objects import State
from prefect.context import AsyncClientContext
from prefect.logging import get_run_logger
from prefect.runtime import deployment

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.core.checkpoints import reached
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.errors import InputError, SeedanceError, TooManyFailures
from prefect_seedance.flows.approval import approved
from prefect_seedance.flows.distributed.parent import spread_over
from prefect_seedance.flows.events import emit_finished, row_events
from prefect_seedance.flows.media import media_access_of
from prefect_seedance.flows.naming import flow_run_id
from prefect_seedance.flows.outcomes import failed, final_state
from prefect_seedance.flows.progress import progress_shown
from prefect_seedance.flows.run_batch_name import name_of_run, run_name, settled_name
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.tables import open_table
from prefect_seedance.flows.twins import awaited, blocking, core_of
from prefect_seedance.ledger import ledger_url
from prefect_seedance.messages import current_surface, message
from prefect_seedance.planning.file_names import file_names
from prefect_seedance.planning.media_check import has_media, settled_keys, survey
from prefect_seedance.planning.plan import BatchPlan, gather
from prefect_seedance.planning.route_policy import Choose, RoutePolicy
from prefect_seedance.planning.run_limits import LIMIT_PATIENCE, RunLimits
from prefect_seedance.reports.artifacts import publish
from prefect_seedance.reports.files import sheet_is_current, write_results, write_sheet
from prefect_seedance.reports.results.result import GenerateResult, build_result
from prefect_seedance.reports.sheet.history import in_full
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.runs.batch import Distribution, StepsFor, retry_states, run_batch
from prefect_seedance.runs.check import check_first
from prefect_seedance.tables.reader import Table
from prefect_seedance.tasks.home import parts_home, prefect_home
from prefect_seedance.tasks.step_runner import MANY, TaskRuns, steps_for

__all__ = ["agenerate_videos", "generate", "generate_video", "generate_videos"]

OnInvalid = Literal["stop", "skip"]


@table_flow(name="generate videos", flow_run_name=run_name)
@blocking
async def generate_videos(
    table: Any,
    *,
    route: Any,
    batch: str,
    output: str | Path = "videos",
    file_name: str | None = None,
    ledger: str | Path | None = None,
    take: str = "1",
    only: Any = None,
    limit: int | None = None,
    retry: Any = (),
    reuse: bool = False,
    columns: Mapping[str, str] | None = None,
    on_invalid: OnInvalid = "stop",
    patience: float = 3600,
    budget: str | None = None,
    max_charge: str | None = None,
    max_failures: float | None = None,
    approve_above: str | None = None,
    media_root: str | Path | None = None,
    media_hosts: Any = (),
    probe: bool = True,
    task_runs: TaskRuns = "auto",
    choose: Choose = "first",
    fall_back_on_moderation: bool = False,
    limit_patience: float = LIMIT_PATIENCE,
    spread: str | None = None,
) -> GenerateResult | State[Any]:
    """Make a video for every row of a table, and pay for each one once.

    The same call again never pays for what the batch has: it continues with the rest.

    Args:
        table: A DataFrame (pandas, polars, Arrow, duckdb), a list of rows, requests or prompts, or the path or URL of a
            table (CSV, Excel, Parquet, JSON).
        route: A RouteDefaults block, the name of a saved one, or several: a row's `route`, `model` and `provider`
            columns pick among them (see `choose`), and the first is the default.
        batch: The name under which the rows are kept. May be a template such as `nightly-{scheduled:%Y-%m-%d}`, in the
            schedule's time zone, or `nightly-{scheduled@Asia/Shanghai:%Y-%m-%d}` in a named one.
        output: The folder for videos and results, or a URL such as `s3://bucket/prefix` (see the manual for
            credentials); each batch has its own folder in it.
        file_name: A template for the names of the videos in the batch's folder, such as `{model}/{id}-{ratio}`. Fields:
            batch, id, take, model, provider, duration, resolution, ratio, date, and your own columns.
        ledger: The ledger's URL, or the path of a SQLite file. Default: PREFECT_SEEDANCE_LEDGER, else one under
            PREFECT_HOME.
        take: Another take makes the same rows again, on purpose; earlier takes keep their files and costs.
        only: Row ids: all other rows are left out.
        limit: How many rows to take, from the first on: a pilot.
        retry: States to be made again, and paid again: `failed`, `refused`, `expired`.
        reuse: Whether new rows get copies of stored videos of the same request from other batches of the ledger, at no
            cost. Only in take 1, and not for rows with files of your own as media.
        columns: Your column headings by field name, such as `{"prompt": "文案"}`.
        on_invalid: Whether rows that break a rule stop the run before anything is spent, or are left out.
        patience: Seconds to wait for a job. One that takes longer is kept for the next run, not paid again. Nor does a
            run wait longer while a provider asks for a pause: rows that were not sent by then are deferred.
        budget: What the batch may cost over all its runs, such as `100 CNY`. The highest cost of a row is reserved
            before it is sent; rows that do not fit wait.
        max_charge: The highest cost of one row, such as `2 CNY`, where no price or no upper bound is known.
        max_failures: Start no new rows once this many have failed, or are unknown: a count, or a share of the rows
            below 1.
        approve_above: Pause and ask a person in the Prefect UI if the quote may be above this, such as `50 CNY`.
        media_root: A folder whose files rows may name, in addition to the table's own. In a deployment it must be in a
            folder of the environment variable PREFECT_SEEDANCE_MEDIA_ROOT.
        media_hosts: Hosts at private addresses that media may come from, by name.
        probe: Check the media first: type, size, length. Without it, only the provider checks them.
        task_runs: A Prefect task run for each step of each row (`per_step`), or one for some hundreds of rows
            (`per_chunk`), which is much faster. `auto` uses chunks above 500 rows. Videos and costs are the same.
        choose: Which routes make a row that names none: the `first` alone (and those that its block falls back to);
            all of them `in_order`, each only after a proven refusal of the one before; or the `cheapest` first.
        fall_back_on_moderation: Whether a row that moderation refused goes on to its next route, too.
        limit_patience: Seconds that a row with a further route waits for a rate limit or an unreachable provider, and
            that every row waits where a provider does not answer in its own form.
        spread: Process the rows in other processes: `workers:3` (a deployment of shards), `dask:2`, `ray:2`, or a
            cluster's address, such as `dask tcp://scheduler:8786`. Empty: in this process.

    Returns:
        The rows with their results (`.to_dataframe()`), and the cost.

    Raises:
        InputError: Something is wrong with the input; nothing was spent.
        NothingStored: No row could be stored; the error's `result` says why.
        SeedanceError: The run stopped because the ledger or the output could not be written. What was made is in the
            ledger, and the same call continues from there.
    """
    logger = get_run_logger()
    try:
        read = await open_table(table, columns)
        routes = await load_routes(route)
        if current_surface() == "form":
            for finding in await check_first(routes):
                logger.warning("%s: %s", finding.about, finding.text)
        limits = RunLimits.parse(
            budget=budget,
            max_charge=max_charge,
            max_failures=max_failures,
            fall_back_on_moderation=fall_back_on_moderation,
            limit_patience=limit_patience,
        )
        policy = RoutePolicy(choose, limits.currency)
        ceiling = None if approve_above is None else Amount.parse(approve_above, "approve_above")
        steps = steps_for(task_runs)
        access = media_access_of(read, routes, media_root, media_hosts)
        named, take, states = await asyncio.to_thread(name_of_run, batch), str(take).strip() or "1", retry_states(retry)
        url = ledger_url(ledger, prefect_home())
        plan = await asyncio.to_thread(gather, read, routes, only=only, limit=limit, policy=policy)
        name, name_warnings = await settled_name(named, url)
        if probe and has_media(plan):
            await survey(plan, access, await settled_keys(url, name, take, states))
        plan.settle(limits=limits, on_invalid=on_invalid)
        spec = RunSpec(
            batch=name,
            take=take,
            output=str(output),
            patience=_seconds(patience),
            retry=states,
            reuse=reuse,
            limits=limits,
        )
        context = RunContext(
            routes=routes,
            ledger_url=url,
            media_access=access,
            parts=parts_home(),
            flow_run_id=flow_run_id(),
            plan=plan,
            file_names=file_names(file_name, read, plan, batch=name, take=take),
        )
        distribution = None
        if spread:
            per_step = task_runs == "per_step" or (task_runs == "auto" and len(plan.rows) <= MANY)
            distribution, warnings = await spread_over(spread, spec, context, plan, per_step=per_step)
            plan.warnings += warnings
    except SeedanceError as error:
        return failed(error)
    plan.warnings += [*_ledger_warnings(ledger), *map(str, name_warnings)]
    for warning in plan.warnings:
        logger.warning(warning)
    if (explained := named.explained()) is not None:
        logger.info(explained)
    logger.info("Batch %s: %s", spec.batch, plan.total())
    if ceiling is not None and not await approved(spec.batch, plan, ceiling):
        return failed(InputError(message("run.not_approved")), "Not approved")
    return await _carry_out(spec, context, plan, read, steps, distribution)


generate = core_of(generate_videos)
"""For other flows, which run on the core loop already."""

agenerate_videos = table_flow(name="generate videos (async)", flow_run_name=run_name)(
    awaited(generate, "agenerate_videos")
)
"""The asynchronous form of `generate_videos`: the same arguments and the same result."""


@table_flow(name="generate one video", flow_run_name=run_name)
@blocking
async def generate_video(
    request: Any,
    *,
    route: Any,
    batch: str,
    output: str | Path = "videos",
    ledger: str | Path | None = None,
    take: str = "1",
    patience: float = 3600,
) -> GenerateResult | State[Any]:
    """Make one video: a table of one row.

    Args:
        request: A VideoRequest, its fields, or just a prompt.
        route: A RouteDefaults block or the name of a saved one.
        batch: The name under which the row is kept.
        output: The folder for videos and results, or a URL such as `s3://bucket/prefix`.
        ledger: The ledger's URL, or the path of a SQLite file. Default: PREFECT_SEEDANCE_LEDGER, else one under
            PREFECT_HOME.
        take: Another take makes the same video again, on purpose.
        patience: Seconds to wait for the job.

    Returns:
        The same as `generate_videos`.

    Raises:
        InputError: Something is wrong with the input; nothing was spent.
        NothingStored: The video could not be stored; the error's `result` says why.
    """
    row = {"prompt": request} if isinstance(request, str) else request
    return await generate([row], route=route, batch=batch, output=output, ledger=ledger, take=take, patience=patience)


async def _carry_out(
    spec: RunSpec,
    context: RunContext,
    plan: BatchPlan,
    table: Table,
    steps: StepsFor,
    distribution: Distribution | None,
) -> GenerateResult | State[Any]:
    """Run the batch, and write, publish and return its result."""
    try:
        # One client for all task runs: otherwise each of them makes its own and reads the CA bundle again (30 ms).
        async with (
            AsyncClientContext.get_or_create(),
            progress_shown(spec.batch, [row.key for row in plan.rows], get_run_logger()),
        ):
            with row_events(spec, plan):
                try:
                    outcome = await run_batch(spec, context, steps, distribution)
                except InputError as error:
                    return failed(error)  # found before anything was sent
        result = build_result(table, plan, outcome, batch=spec.batch, take=spec.take)
        if isinstance(outcome.stopped, TooManyFailures):
            result.warnings.append(outcome.stopped.message)
        await asyncio.to_thread(write_results, result)
        if not await asyncio.to_thread(sheet_is_current, result):
            result.history, result.attempts = await in_full(context.ledger_url, outcome.summaries, plan, spec.take)
            await asyncio.to_thread(write_sheet, result)
        reached("results written")
    except SeedanceError as error:
        return failed(error, "Stopped")
    await publish(result)
    stopped = None if isinstance(outcome.stopped, TooManyFailures) else outcome.stopped
    emit_finished(result, result.name if stopped is None else "Stopped")
    if isinstance(stopped, SeedanceError):
        return failed(stopped, "Stopped")
    if stopped is not None:
        raise stopped
    return final_state(result)


def _seconds(patience: float) -> float:
    if not 0 <= patience < math.inf:  # NaN is refused too
        raise InputError(message("run.bad_patience", value=patience))
    return float(patience)


def _ledger_warnings(ledger: str | Path | None) -> list[str]:
    if ledger or os.environ.get("PREFECT_SEEDANCE_LEDGER") or not deployment.id:
        return []
    return [str(message("run.default_ledger"))]
