"""The commands that run flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from prefect_seedance.cli.console import out
from prefect_seedance.cli.keys import read_prices, routes_of
from prefect_seedance.cli.live import live_view
from prefect_seedance.cli.prefect_server import with_server
from prefect_seedance.flows import NothingStored, generate_videos, quote_videos, sweep_videos
from prefect_seedance.messages import message
from prefect_seedance.planning.route_policy import Choose
from prefect_seedance.reports.quotes import quote_table as rich_quote
from prefect_seedance.reports.summary import status_words
from prefect_seedance.reports.sweeps import sweep_line
from prefect_seedance.reports.terminal import show_result
from prefect_seedance.tables.reader import read_table

__all__ = ["generate_table", "quote_table", "sweep_ledger"]


def generate_table(
    table: str,
    *,
    models: Sequence[str] | None,
    blocks: Sequence[str] | None,
    prices: Path | None,
    max_in_flight: int | None,
    options: Mapping[str, Any],
) -> int:
    """Run `generate_videos` with a live view and show its result. Returns the exit code."""
    routes = routes_of(blocks or [], models or [], read_prices(prices), max_in_flight)
    rows = len(read_table(table, columns=options["columns"]).frame)
    with with_server():
        try:
            with live_view(min(rows, options["limit"] or rows)):
                result = generate_videos(table, route=routes, **options)
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
) -> int:
    """Run `quote_videos` and show its result. Returns the exit code."""
    routes = routes_of(blocks or [], models or [], read_prices(prices))
    with with_server():
        result = quote_videos(
            table, route=routes, columns=columns, only=only, limit=limit, on_invalid=on_invalid, choose=choose
        )
    out.print(rich_quote(result.plan))
    for warning in result.warnings:
        out.print(f"· {warning}", style="dim", markup=False)
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
