"""The dry run: what a table would cost. No provider is asked, and nothing is written or spent."""

# Annotations are no strings here: Prefect may load this file by its path, and could not resolve them then.

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.media import media_access_of
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.tables import open_table
from prefect_seedance.flows.twins import blocking, core_of
from prefect_seedance.ledger import ledger_url
from prefect_seedance.messages import Message
from prefect_seedance.planning.media_check import has_media, survey
from prefect_seedance.planning.plan import BatchPlan, gather
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.planning.route_policy import Choose, RoutePolicy
from prefect_seedance.providers import RouteSettings
from prefect_seedance.reports.quotes import quote_frame, quote_summary
from prefect_seedance.reports.results.result import unvisited
from prefect_seedance.reports.spending import quote_lines
from prefect_seedance.routes import QuoteTotal
from prefect_seedance.runs.reuse import reusable_before
from prefect_seedance.runs.spending import spending_before
from prefect_seedance.tables.reader import Table
from prefect_seedance.tables.secret_addresses import frame_without_secrets, request_without_secrets
from prefect_seedance.tasks.home import prefect_home

__all__ = ["QuoteResult", "quote", "quote_videos"]


@unvisited
@dataclass
class QuoteResult:
    """The result of `quote_videos`.

    Attributes:
        total: The quotes of all rows, added up by currency and by billing model.
        warnings: What the user should know.
        table: The table, as it was read.
        plan: Its rows, checked, priced and routed.
        spending: The state of the accounts' spending limits, and how many of the rows fit.
    """

    total: QuoteTotal
    warnings: list[str]
    table: Table
    plan: BatchPlan
    spending: list[str] = field(default_factory=list)

    def __getstate__(self) -> dict[str, Any]:
        # Prefect keeps results as pickles: signed links stay in this process.
        rows = [replace(row, request=request_without_secrets(row.request)) for row in self.table.rows]
        table = replace(self.table, frame=frame_without_secrets(self.table.frame), rows=rows)
        plan = replace(self.plan, rows=list(map(_kept, self.plan.rows)))
        return {**self.__dict__, "table": table, "plan": plan}

    def to_dataframe(self) -> pd.DataFrame:
        """The user's rows with their quotes, and the reasons of those that cannot be sent."""
        return quote_frame(self.table, self.plan)

    def __str__(self) -> str:
        return str(self.total)


def _kept(row: PlannedRow) -> PlannedRow:
    return replace(row, request=request_without_secrets(row.request), others=tuple(map(_kept, row.others)))


@table_flow(name="quote videos", flow_run_name="quote")
@blocking
async def quote_videos(
    table: Any,
    *,
    route: Any,
    only: Any = None,
    limit: int | None = None,
    columns: Mapping[str, str] | None = None,
    on_invalid: Literal["stop", "skip"] = "stop",
    media_root: str | Path | None = None,
    media_hosts: Any = (),
    probe: bool = True,
    choose: Choose = "first",
    ledger: str | Path | None = None,
) -> QuoteResult | State[Any]:
    """Check a table and say what it would cost. Nothing is sent and nothing is spent.

    Args:
        table: A DataFrame (pandas, polars, Arrow, duckdb), a list of rows, requests or prompts, or the path or URL of a
            table (CSV, Excel, Parquet, JSON).
        route: A RouteDefaults block, the name of a saved one, or several.
        only: Row ids: all other rows are left out.
        limit: How many rows to take, from the first on.
        columns: Your column headings by field name, such as `{"prompt": "文案"}`.
        on_invalid: Whether rows that break a rule are an error, or are left out.
        media_root: A folder whose files rows may name, in addition to the table's own. In a deployment it must be in a
            folder of the environment variable PREFECT_SEEDANCE_MEDIA_ROOT.
        media_hosts: Hosts at private addresses that media may come from, by name.
        probe: Check the media too: type, size, length. Only the hosts of links are contacted for that.
        choose: Which routes would make a row that names none, as for `generate_videos`; a quote covers all of them.
        ledger: The ledger that knows what is used of your spending limits, and which videos are stored, as for
            `generate_videos`. It is only read.

    Returns:
        The quote of each row (`.to_dataframe()`), and their sum.

    Raises:
        InputError: Something is wrong with the input.
    """
    try:
        read = await open_table(table, columns)
        routes = await load_routes(route)
        plan = await asyncio.to_thread(gather, read, routes, only=only, limit=limit, policy=RoutePolicy(choose))
        if probe and has_media(plan):
            await survey(plan, media_access_of(read, routes, media_root, media_hosts))
        plan.settle(on_invalid=on_invalid)
        plan.warnings += await _reusable(ledger, plan)
    except SeedanceError as error:
        return failed(error)
    total = plan.total()
    get_run_logger().info("Quote: %s", total)
    spending = await _spending(ledger, routes, plan)
    for line in spending:
        get_run_logger().info(line)
    await acreate_markdown_artifact(
        markdown=quote_summary(Path(read.name).name, plan, spending),
        key="seedance-quote",
        description=str(total)[:500],
    )
    result = QuoteResult(total, [str(warning) for warning in plan.warnings], read, plan, spending)
    return Completed(name="Quoted", message=str(total), data=result)


async def _spending(ledger: str | Path | None, routes: Sequence[RouteSettings], plan: BatchPlan) -> list[str]:
    try:
        return quote_lines(await spending_before(ledger_url(ledger, prefect_home()), routes), plan.rows)
    except SeedanceError as error:
        return [str(error.text)]  # it only shows: a ledger that cannot be read stops the run itself


async def _reusable(ledger: str | Path | None, plan: BatchPlan) -> list[Message]:
    try:
        offer = await reusable_before(ledger_url(ledger, prefect_home()), plan.rows)
    except SeedanceError:
        return []  # it is only an offer; what the spending limits need of the ledger says what is wrong with it
    return [] if offer is None else [offer]


quote = core_of(quote_videos)
"""For other flows, which run on the core loop already."""
