"""The result of a run in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from prefect_seedance.ledger import CostLine, State
from prefect_seedance.messages import Message, message
from prefect_seedance.reports.money import amounts, cost_table, doubts, line_cost
from prefect_seedance.reports.results.result import GenerateResult, RowResult, sums
from prefect_seedance.reports.results.row_result import Rows
from prefect_seedance.reports.summary import headline, row_cost, status_words

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
    if (more := len(result.chosen) - ROWS_SHOWN) > 0:
        console.print(Text(str(message("terminal.more_rows", rows=more)), style="dim"))
    reasons = [(row, why) for row in _ordered(result, without=State.STORED) if (why := _why(row))]
    if reasons:
        console.print(_reasons(reasons))
    title = message("summary.cost")
    nothing = Text(f"\n{message('terminal.nothing_bought', title=title)}", style="bold")
    console.print(cost_lines(title, result.costs) if result.costs else nothing)
    console.print(_closing(result))


def cost_lines(title: Message, lines: list[CostLine]) -> RenderableType:
    """The cost lines as a table that fits a narrow terminal, with what is not known below it."""
    table = _table(title)
    table.add_column("billing model", no_wrap=True, overflow="fold", max_width=36)
    for name in ("made", "failed", "units", "price", "cost"):
        table.add_column(name, justify="right", no_wrap=name != "units", overflow="fold")
    payers = [f"{line.provider}/{line.account}" for line in lines]
    for payer in dict.fromkeys(payers):
        if len(set(payers)) > 1:
            table.add_row(Text(payer, style="italic dim"))
        for line, row in zip(lines, cost_table(lines), strict=True):
            if payer == f"{line.provider}/{line.account}":
                cells = (line.billing_model, row["succeeded"], row["failed"], row["units"], row["unit price"])
                table.add_row(*(Text(cell) for cell in (*cells, line_cost(line))))
    notes = [(Text(line.billing_model), Text(text)) for line in lines if (text := doubts(line))]
    return Group(table, _noted(message("terminal.not_known"), notes)) if notes else table


def _table(title: Message) -> Table:
    """An empty table without padding, for narrow terminals."""
    return Table(
        title=Text(f"\n{title}", style="bold"),
        title_justify="left",
        header_style="dim",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        collapse_padding=True,
    )


def _noted(title: Message, notes: Sequence[tuple[Text, Text]]) -> RenderableType:
    """Remarks below a table, each after its subject."""
    table = Table.grid(padding=(0, 2), pad_edge=False)
    table.add_column(overflow="fold", max_width=30)
    table.add_column(overflow="fold")
    for subject, text in notes:
        table.add_row(subject, text)
    return Group(Text(f"\n{title}", style="yellow"), table)


def _rows(result: GenerateResult) -> Table:
    table = _table(message("terminal.batch", batch=result.batch, state=result.name))
    table.add_column("", width=1)
    table.add_column("row", overflow="fold", max_width=24)
    table.add_column("route", no_wrap=True, overflow="fold", max_width=28)
    table.add_column("made", justify="right", no_wrap=True)
    table.add_column("cost", justify="right", no_wrap=True)
    table.add_column("video", overflow="fold", min_width=10)
    for row in _ordered(result)[:ROWS_SHOWN]:
        mark, style = _MARKS.get(row.status, ("✗", "red"))
        table.add_row(Text(mark, style=style), *_cells(result, row))
    return table


def _ordered(result: GenerateResult, without: str | None = None) -> Rows:
    """The rows without those of one status; unknown ones first, since a person has to look at them."""
    statuses = result.chosen.statuses
    positions = [position for position, status in enumerate(statuses) if status != without]
    return result.chosen.at(sorted(positions, key=lambda position: statuses[position] != State.UNKNOWN))


def _cells(result: GenerateResult, row: RowResult) -> tuple[Text, ...]:
    made = f"{row.width}×{row.height} {row.seconds:.0f}s" if row.video and row.seconds is not None else "–"
    where = row.video.removeprefix(f"{result.folder}/") if row.video else status_words(row.status)
    return Text(row.row), Text(row.route or "–"), Text(made), Text(row_cost(row)), Text(where)


def _why(row: RowResult) -> str | None:
    """Why a row has no video, and what that may have cost; None where only its status is known."""
    if row.status == State.STORED:
        return None
    if row.error_message and row.cost_note:
        return f"{row.error_message} ({row.cost_note})"
    return row.error_message or row.cost_note


def _reasons(reasons: Sequence[tuple[RowResult, str]]) -> RenderableType:
    shown = [(Text(row.row), Text(why)) for row, why in reasons[:ROWS_SHOWN]]
    more = len(reasons) - len(shown)
    noted = _noted(message("terminal.not_stored"), shown)
    return Group(noted, Text(str(message("terminal.more_rows", rows=more)), style="dim")) if more else noted


def _closing(result: GenerateResult) -> Group:
    to_date = message("terminal.cost_to_date", cost=amounts(sums(result.costs_to_date)))
    lines = [
        f"\n[bold]{headline(result)}[/], {message('summary.in_this_run', made=result.made)}",
        f"Cost     [bold]{escape(amounts(result.cost()))}[/] {escape(str(to_date))}",
        f"Videos   {escape(str(result.folder))}",
        *(f"{'Sheet  ' if kind == 'sheet' else 'Results'}  {escape(str(path))}" for kind, path in result.files.items()),
    ]
    return Group(*(Text.from_markup(line) for line in lines), *(Text(hint, style="dim") for hint in result.hints))
