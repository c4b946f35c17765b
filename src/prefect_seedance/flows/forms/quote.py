"""The form of the dry run."""

# Annotations are no strings here: Prefect reads them to make the form.

import functools
from typing import Annotated, Any

from pydantic import Field

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.flows.forms.chosen import chosen_routes
from prefect_seedance.flows.forms.fields import CHOOSING, LONGEST, BadRow, Choosing, Model, Ratio, Resolution, titled
from prefect_seedance.flows.forms.generate import ON_INVALID, columns_of
from prefect_seedance.flows.forms.places import find_tables
from prefect_seedance.flows.forms.typed import typed_table
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.quote import quote
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import of_form
from prefect_seedance.messages import message

__all__ = ["quote_table"]


@table_flow(name="Quote a table", flow_run_name="quote")
@of_form
async def quote_table(
    table: str = titled("Table", ""),
    rows: str = titled("… or type the rows here", ""),
    route: RouteDefaults = titled("Route"),
    model: Model = titled("Model", "as the route says"),
    resolution: Resolution = titled("Resolution", "as the route says"),
    ratio: Ratio = titled("Format", "as the route says"),
    duration: Annotated[int, Field(ge=0, le=LONGEST)] = titled("Seconds", 0),
    limit: Annotated[int, Field(ge=0)] = titled("Only the first rows", 0),
    prompt_column: str = titled("Heading of the prompts", ""),
    bad_rows: BadRow = titled("If a row breaks a rule", "leave it out"),
    more_routes: list[RouteDefaults] = titled("Further routes", []),
    choose: Choosing = titled("Which route makes a row", "the first"),
) -> Any:
    """Check a table and say what it would cost. Nothing is sent and nothing is spent.

    Args:
        route: Who would pay, which model, and your prices: a saved block of the type "Seedance Route Defaults".
        table: Path or URL of a CSV, Excel, Parquet or JSON file with a column "prompt", as the worker sees it. A
            signed URL: save it as a Secret block, and write secret:NAME here.
        rows: Instead of a table: one prompt on each line, or rows copied from a spreadsheet with their headings.
        prompt_column: Only if the heading of your prompts is not "prompt".
        model: For rows that name none. Try several, to compare what they would cost.
        resolution: For rows that name none.
        ratio: Width to height, for rows that name none.
        duration: Seconds of a video for rows that name none, from 4 to 15 on most models. 0: as the route says.
        limit: How many rows to take, from the first on. 0: all rows.
        bad_rows: Rows that are left out are listed with their reasons; the others are quoted.
        more_routes: For tables whose rows choose by columns "route", "model" or "provider", or for the menu below.
        choose: For rows that name no route. In order: the next one only after a proven refusal, such as no funds.

    Returns:
        The quote of each row, and their sum.
    """
    try:
        if bool(table.strip()) == bool(rows.strip()):
            raise InputError(message("form.table_or_rows"))
        place = _only_place(table) if table.strip() else None
        run = functools.partial(
            quote,
            route=await chosen_routes(
                route, more_routes, model=model, resolution=resolution, ratio=ratio, duration=duration
            ),
            choose=CHOOSING[choose],
            limit=limit or None,
            columns=columns_of(prompt_column),
            on_invalid=ON_INVALID[bad_rows],
        )
    except SeedanceError as error:
        return failed(error)
    if place is not None:
        return await run(place)
    with typed_table(rows) as typed:
        return await run(typed)


def _only_place(table: str) -> str:
    found = find_tables(table)
    if len(found) > 1:
        raise InputError(message("form.many_tables", tables=len(found)))
    return found[0].place
