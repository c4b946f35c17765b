"""The commands that run flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.blocks.references import is_reference
from prefect_seedance.cli.console import out
from prefect_seedance.cli.keys import read_prices, routes_of
from prefect_seedance.cli.live import live_view
from prefect_seedance.cli.prefect_server import with_server
from prefect_seedance.flows import NothingStored, quote_videos, sweep_videos
from prefect_seedance.messages import message
from prefect_seedance.planning.route_policy import Choose
from prefect_seedance.reports.quotes import quote_table as rich_quote
from prefect_seedance.reports.results.result import GenerateResult
from prefect_seedance.reports.summary import status_words
from prefect_seedance.reports.sweeps import sweep_line
from prefect_seedance.reports.terminal import show_result
from prefect_seedance.tables.reader import read_table

__all__ = ["generate_table", "quote_table", "row_count", "sweep_ledger"]


def row_count(table: str, columns: Mapping[str, str] | None, limit: int | None) -> int | None:
    """How many rows of a table a run will have at most; None where only Prefect's server knows the table's address.

    Raises:
        InputError: It cannot be read.
    """
    if is_reference(table):
        return None
    rows = len(read_table(table, columns=columns).frame)
    return min(rows, limit or rows)


def generate_table(
    run: Callable[[list[RouteDefaults | str]], GenerateResult],
    rows: int | None,
    *,
    models: Sequence[str] | None,
    blocks: Sequence[str] | None,
    prices: Path | None,
    max_in_flight: int | None,
) -> int:
    """Run `generate_videos` with a live view and show its result. Returns the exit code.

    Args:
        run: Calls `generate_videos` with these routes.
        rows: The number of rows; None where it is not known yet.
        models: Names of models, for routes that are not saved.
        blocks: Names of saved routes.
        prices: A file of prices, for routes that are not saved.
        max_in_flight: Jobs of such a route at the same time.
    """
    routes = routes_of(blocks or [], models or [], read_prices(prices), max_in_flight)
    with with_server():
        try:
            with live_view(rows):
                result = run(routes)
        except NothingStored as error:
            if error.result is not None:
                show_result(out, error.result)
            raise
    show_result(out, result)
    return 0


def quote_table(
    table: str,
    *,
    models: Sequence[str] | None,
    blocks: Sequence[str] | None,
    prices: Path | None,
    columns: Mapping[str, str] | None,
    only: Sequence[str] | None,
    limit: int | None,
    on_invalid: Literal["stop", "skip"],
    choose: Choose = "first",
    ledger: str | None = None,
) -> int:
    """Run `quote_videos` and show its result. Returns the exit code."""
    routes = routes_of(blocks or [], models or [], read_prices(prices))
    with with_server():
        result = quote_videos(
            table,
            route=routes,
            columns=columns,
            only=only,
            limit=limit,
            on_invalid=on_invalid,
            choose=choose,
            ledger=ledger,
        )
    out.print(rich_quote(result.plan))
    for warning in result.warnings:
        out.print(f"· {warning}", style="dim", markup=False)
    for line in result.spending:
        out.print(f"· {line}", markup=False)
    out.print(str(message("cli.quoted", total=result.total)), markup=False)
    return 0


def sweep_ledger(
    models: Sequence[str] | None,
    blocks: Sequence[str] | None,
    *,
    batch: str | None,
    ledger: str | None,
    patience: float,
) -> int:
    """Run `sweep_videos` and show its result. Returns the exit code."""
    routes = routes_of(blocks or [], models or [], None)
    with with_server():
        outcome = sweep_videos(routes, batch=batch, ledger=ledger, patience=patience)
    out.print(sweep_line(outcome), markup=False)
    for row in (*outcome.unknown, *outcome.ended, *outcome.left):
        why = row.error_message or outcome.troubles.get((row.batch, row.key)) or ""
        out.print(f"  {row.batch} {row.key}: {status_words(row.state)} {why}", markup=False)
    return 0
