"""The form of the main flow: it makes videos from a table by its path, or from rows typed in."""

# Annotations are no strings here: Prefect reads them to make the form.

import functools
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any

from prefect.client.schemas.objects import State
from pydantic import Field

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.flows.forms.chosen import chosen_routes
from prefect_seedance.flows.forms.fields import (
    CHOOSING,
    LONGEST,
    AgainState,
    BadRow,
    Choosing,
    Model,
    Moderation,
    Ratio,
    Resolution,
    titled,
)
from prefect_seedance.flows.forms.making import TableRun, final_of_all, make_all, make_one
from prefect_seedance.flows.forms.places import FoundTable, durable_path, find_tables
from prefect_seedance.flows.forms.typed import typed_table
from prefect_seedance.flows.generate import OnInvalid, generate
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.run_batch_name import run_name
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import of_form
from prefect_seedance.messages import message
from prefect_seedance.reports.artifacts import artifact_key
from prefect_seedance.reports.results.result import GenerateResult

__all__ = ["ON_INVALID", "columns_of", "run_of_form", "videos_from_table"]

ON_INVALID: dict[BadRow, OnInvalid] = {"stop before anything is spent": "stop", "leave it out": "skip"}


@table_flow(name="Videos from a table", flow_run_name=run_name)
@of_form
async def videos_from_table(
    table: str = titled("Table", ""),
    rows: str = titled("… or type the rows here", ""),
    batch: str = titled("Batch name", minLength=1, maxLength=100),
    route: RouteDefaults = titled("Route"),
    model: Model = titled("Model", "as the route says"),
    resolution: Resolution = titled("Resolution", "as the route says"),
    ratio: Ratio = titled("Format", "as the route says"),
    duration: Annotated[int, Field(ge=0, le=LONGEST)] = titled("Seconds", 0),
    limit: Annotated[int, Field(ge=0)] = titled("Only the first rows", 0),
    only: str = titled("Only these rows", ""),
    prompt_column: str = titled("Heading of the prompts", ""),
    retry: list[AgainState] = titled("Make again, and pay again", []),
    take: str = titled("Take", "1"),
    bad_rows: BadRow = titled("If a row breaks a rule", "stop before anything is spent"),
    budget: str = titled("Budget of the batch", ""),
    max_charge: str = titled("What one row costs at most", ""),
    approve_above: str = titled("Ask me if it may cost more than", ""),
    output: str = titled("Folder for the videos", "videos"),
    patience: Annotated[int, Field(ge=0)] = titled("Minutes to wait for a video", 60),
    more_routes: list[RouteDefaults] = titled("Further routes", []),
    choose: Choosing = titled("Which route makes a row", "the first"),
    moderated: Moderation = titled("A row refused for what it shows", "stays refused"),
    spread: str = titled("Spread over other processes", ""),
    reuse: bool = titled(  # noqa: FBT001 - a field of a form
        "Use stored videos of the same request from other batches", default=False
    ),
) -> Any:
    """Make a video for every row of a table, and pay for each one once.

    Args:
        route: Who pays, which model, and your prices: a saved block of the type "Seedance Route Defaults".
        batch: The name under which the rows are kept. The same name continues where it stopped, and never pays again
            for what it has. For a schedule: nightly-{scheduled:%Y-%m-%d} is a new batch each day, by the schedule's
            own time zone; {scheduled@Asia/Shanghai:%Y-%m-%d} names another one.
        table: Path or URL of a CSV, Excel, Parquet or JSON file with a column "prompt", as the worker sees it. A
            signed URL: save it as a Secret block, and write secret:NAME here. A
            pattern such as /data/tables/*.csv takes every file that matches, each as a batch of its own.
        rows: Instead of a table: one prompt on each line, or rows copied from a spreadsheet with their headings.
        prompt_column: Only if the heading of your prompts is not "prompt".
        model: For rows that name none. It must be one that the route's account can buy.
        resolution: For rows that name none.
        ratio: Width to height, for rows that name none.
        duration: Seconds of a video for rows that name none, from 4 to 15 on most models. 0: as the route says.
        limit: A pilot: how many rows to take, from the first on. 0: all rows.
        only: Row ids, separated by commas or lines. Empty: all rows.
        retry: Rows in these states are made again, which is a new, paid attempt. Empty: none.
        take: 1 is the first. Any other value makes all rows again, next to the earlier videos, and pays again.
        bad_rows: Whether one bad row stops the whole table before it begins, or is left out.
        budget: Such as 100 CNY. The batch never costs more, over all its runs. Empty: no limit.
        max_charge: Such as 5 CNY. Only for a budget with rows whose price, or whose highest cost, is not known.
        approve_above: Such as 50 CNY. The run shows the quote and waits for your approval. Empty: it does not ask.
        output: A folder on the worker's machine, or a URL such as s3://bucket/videos. Each batch has a folder in it.
        patience: A video that takes longer is kept for the next run of the batch, and not paid again.
        more_routes: For tables whose rows choose by columns "route", "model" or "provider", or for the menu below.
        choose: For rows that name no route. In order: the next one only after a proven refusal, such as no funds.
        moderated: For rows with several routes. Jimmy AI decides only after a job was made: such a row stays refused.
        spread: Such as workers:3, for large tables and routes as they are saved. Empty: this worker does all rows.
        reuse: New rows get copies of them, at no cost. Only in take 1, and not for rows with files of your own.

    Returns:
        The result of each row.
    """
    try:
        routes = await chosen_routes(
            route, more_routes, model=model, resolution=resolution, ratio=ratio, duration=duration
        )
        run = functools.partial(
            run_of_form(
                limit=limit,
                only=only,
                retry=retry,
                take=take,
                bad_rows=bad_rows,
                budget=budget,
                max_charge=max_charge,
                approve_above=approve_above,
                output=output,
                patience=patience,
                prompt_column=prompt_column,
            ),
            route=routes,
            choose=CHOOSING[choose],
            fall_back_on_moderation=moderated != "stays refused",
            spread=spread.strip() or None,
            reuse=reuse,
        )
        found = _find(table, rows)
    except SeedanceError as error:
        return failed(error)
    if found is None:
        with typed_table(rows) as typed:
            return await make_one(run, typed, batch)
    if len(found) == 1 and not found[0].label:
        return await make_one(run, found[0].place, batch)
    wanted = [TableRun(each.place, each.label, f"{batch}-{each.label}") for each in found]
    return await final_of_all(
        await make_all(run, wanted), artifact_key(batch, "tables"), message("tables.batch", batch=batch)
    )


def run_of_form(
    *,
    output: str,
    patience: int,
    bad_rows: BadRow = "stop before anything is spent",
    limit: int = 0,
    only: str = "",
    retry: Sequence[str] = (),
    take: str = "1",
    budget: str = "",
    max_charge: str = "",
    approve_above: str = "",
    prompt_column: str = "",
) -> functools.partial[Coroutine[Any, Any, GenerateResult | State[Any]]]:
    """`generate_videos` with the values of a form; it still needs a table, a route and a batch.

    Raises:
        InputError: The output folder would not outlive the run.
    """
    keys = [key.strip() for line in only.splitlines() for key in line.split(",") if key.strip()]
    return functools.partial(
        generate,
        limit=limit or None,
        only=keys or None,
        retry=tuple(retry),
        take=take,
        on_invalid=ON_INVALID[bad_rows],
        budget=budget.strip() or None,
        max_charge=max_charge.strip() or None,
        approve_above=approve_above.strip() or None,
        output=durable_path(output.strip() or "videos", message("form.the_videos")),
        patience=patience * 60,
        columns=columns_of(prompt_column),
    )


def columns_of(prompt_column: str) -> dict[str, str] | None:
    """The headings that the form names."""
    return {"prompt": prompt_column.strip()} if prompt_column.strip() else None


def _find(table: str, rows: str) -> list[FoundTable] | None:
    """The tables of the form; None where rows were typed in."""
    if table.strip() and rows.strip():
        raise InputError(message("form.table_and_rows"))
    if not table.strip() and not rows.strip():
        raise InputError(message("form.no_rows"))
    return find_tables(table) if table.strip() else None
