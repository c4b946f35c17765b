"""The end of a run as it is shown in a terminal."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from prefect_seedance.ledger import CostLine, State
from prefect_seedance.reports.money import amounts, cost_table, count, doubts
from prefect_seedance.reports.result import GenerateResult, RowResult, sums
from prefect_seedance.reports.summary import WORDS

__all__ = ["cost_lines", "show_result"]

ROWS_SHOWN = 60

_MARKS: dict[str, tuple[str, str]] = {
    State.STORED: ("✓", "green"),
    State.UNKNOWN: ("?", "bold yellow"),
    State.DEFERRED: ("…", "yellow"),
    State.CREATED: ("…", "blue"),
    State.SUCCEEDED: ("…", "cyan"),
}


def show_result(console: Console, result: GenerateResult) -> None:
    """Print what was made where, what failed and why, and what it cost."""
    for warning in result.warnings[:ROWS_SHOWN]:
        console.print(Text(f"· {warning}", style="dim"))
    console.print(_rows(result))
    if len(result.chosen) > ROWS_SHOWN:
        console.print(Text(f"  … and {len(result.chosen) - ROWS_SHOWN:,} more rows, in the results file", style="dim"))
    title = "Cost of this run"
    console.print(
        cost_lines(title, result.costs) if result.costs else Text(f"{title}: nothing was bought", style="bold")
    )
    console.print(_closing(result))


def cost_lines(title: str, lines: list[CostLine]) -> RenderableType:
    """The cost lines as a table that fits a narrow terminal; what is not known stands below it."""
    several = len({(line.provider, line.account) for line in lines}) > 1
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=box.SIMPLE_HEAD)
    for name in ("billing model", "made", "failed", "units", "unit price", "cost"):
        table.add_column(name, justify="left" if name == "billing model" else "right", overflow="fold")
    for line, row in zip(lines, cost_table(lines), strict=True):
        label = f"{line.billing_model}  [dim]{escape(line.provider)}[/]" if several else escape(line.billing_model)
        cost = f"{row['cost']} {line.currency or ''}".strip()
        table.add_row(label, str(line.succeeded), str(line.failed), row["units"], row["unit price"], cost)
    notes = [Text(f"  {line.billing_model}: {told}", style="yellow") for line in lines if (told := doubts(line))]
    if notes:
        notes.insert(0, Text("Not known, and in no sum:", style="yellow"))
    return Group(table, *notes)


def _rows(result: GenerateResult) -> Table:
    title = f"Batch {escape(result.batch)}: {result.name}"
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=box.SIMPLE_HEAD)
    table.add_column("", width=1)
    table.add_column("row", overflow="fold", max_width=24)
    table.add_column("route", overflow="fold", min_width=12)
    table.add_column("made", justify="right")
    table.add_column("cost", justify="right")
    table.add_column("where, or why not", overflow="fold", min_width=16)
    for row in _ordered(result)[:ROWS_SHOWN]:
        mark, style = _MARKS.get(row.status, ("✗", "red"))
        table.add_row(Text(mark, style=style), *_cells(result, row))
    return table


def _ordered(result: GenerateResult) -> list[RowResult]:
    """Unknown rows first: they are the ones that somebody has to look at."""
    return sorted(result.chosen, key=lambda row: row.status != State.UNKNOWN)


def _cells(result: GenerateResult, row: RowResult) -> tuple[Text, ...]:
    made = f"{row.width}×{row.height} {row.seconds:.0f}s" if row.video and row.seconds is not None else "–"
    where = row.video or ""
    if where.startswith(f"{result.folder}/"):
        where = where[len(str(result.folder)) + 1 :]
    why = where or ": ".join(part for part in (WORDS.get(row.status, row.status), row.error_message) if part)
    note = f" ({row.cost_note})" if row.cost_note and not row.video else ""
    cost = "unknown" if row.cost is None and row.attempts else _money(row)
    return Text(row.row), Text(row.route or "–"), Text(made), Text(cost), Text(why + note)


def _money(row: RowResult) -> str:
    return "–" if row.cost is None else amounts({row.currency or "": row.cost})


def _closing(result: GenerateResult) -> Group:
    stored = result.counts.get(State.STORED, 0)
    to_date = amounts(sums(result.costs_to_date))
    lines = [
        f"[bold]{stored:,} of {count(len(result.chosen), 'video')} stored[/], {result.made:,} of them new in this run, "
        + escape(f"for {amounts(result.cost())} (batch to date: {to_date})"),
        f"Videos   {escape(str(result.folder))}",
        *(f"Results  {escape(str(path))}" for path in result.files.values()),
    ]
    return Group(*(Text.from_markup(line) for line in lines))
