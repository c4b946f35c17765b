"""Quotes for people: as a DataFrame, in Markdown, and in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table as RichTable

from prefect_seedance.messages import message
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.reports.money import amount, number
from prefect_seedance.reports.summary import cell, markdown_table
from prefect_seedance.routes import QuoteLine
from prefect_seedance.tables.reader import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["quote_frame", "quote_summary", "quote_table"]

SHOWN = 30

_COLUMNS = (
    "row",
    "route",
    "billing_model",
    "unit",
    "units_low",
    "units_high",
    "unit_price",
    "currency",
    "quote_low",
    "quote_high",
    "quote_kind",
    "problem",
)


def quote_frame(table: Table, plan: BatchPlan) -> pd.DataFrame:
    """The user's columns, followed by those of the quotes."""
    import pandas as pd  # noqa: PLC0415 - a heavy import that many callers do not need

    cells: dict[int, tuple[object, ...]] = {}
    for row in plan.rows:
        quote = row.span
        cells[row.position] = (
            row.key,
            " > ".join(each.settings.route.model for each in row.candidates),
            quote.billing_model,
            quote.unit,
            quote.units_low,
            quote.units_high,
            quote.unit_price,
            quote.currency,
            quote.low,
            quote.high,
            quote.kind,
            None,
        )
    for bad in plan.invalid:
        cells[bad.position] = (bad.key, *(None,) * 9, "invalid", "; ".join(map(str, bad.reasons)))
    nothing = (None,) * len(_COLUMNS)
    own = {str(name) for name in table.frame.columns}
    names = [f"seedance_{name}" if name in own else name for name in _COLUMNS]
    quotes = [cells.get(position, nothing) for position in range(len(table.frame))]
    return pd.concat(
        [table.frame, pd.DataFrame(quotes, columns=names, index=table.frame.index, dtype="object")], axis=1
    )


def quote_summary(name: str, plan: BatchPlan, spending: Sequence[str] = ()) -> str:
    """A table's quote in Markdown, with the state of the spending limits."""
    total = plan.total()
    sums = [f"- {message('quote.sum', amount=money, rows=money.rows)}" for money in total.sums]
    unpriced = total.counts.get("unknown price", 0)
    if unpriced:
        sums.append(f"- {message('quote.unpriced', rows=unpriced)}")
    lines = markdown_table(
        ("billing model", "rows", "units", "unit price", "from", "to"), [_line(line) for line in total.lines]
    )
    notes = [f"- {cell(str(warning))}" for warning in plan.warnings[:SHOWN]]
    notes += [f"- {message('quote.note', note=cell(str(text)), rows=rows)}" for text, rows in total.notes.items()]
    bad = [
        f"- row {row.line} ({cell(row.key)}): {cell('; '.join(map(str, row.reasons)))}" for row in plan.invalid[:SHOWN]
    ]
    parts = [
        f"# {message('quote.title', name=cell(name), rows=total.rows)}",
        "\n".join(sums) or str(message("quote.no_rows")),
        "\n".join(f"- {cell(line)}" for line in spending),
        lines,
        f"## {message('summary.warnings')}\n\n" + "\n".join(notes) if notes else "",
        f"## {message('quote.invalid')}\n\n" + "\n".join(bad) if bad else "",
        str(message("quote.nothing_spent")),
    ]
    return "\n\n".join(part for part in parts if part)


def _line(line: QuoteLine) -> tuple[str, ...]:
    high = "open" if line.units_high is None else number(line.units_high)
    units = high if line.units_high == line.units_low else f"{number(line.units_low)} – {high}"
    return (
        line.billing_model,
        str(line.rows),
        f"{units} {line.unit}",
        # A row that may go on to another route has the price of the route that makes it.
        "by route" if line.unit_price is None and line.low is not None else amount(line.unit_price, line.currency),
        amount(line.low, line.currency),
        "open" if line.high is None and line.low is not None else amount(line.high, line.currency),
    )


def quote_table(plan: BatchPlan) -> RichTable:
    """A table's quote for the terminal."""
    shown = RichTable(header_style="dim", title="Quote", title_justify="left", title_style="bold")
    for name in ("billing model", "rows", "units", "unit price", "from", "to"):
        shown.add_column(name, justify="left" if name == "billing model" else "right")
    for line in plan.total().lines:
        shown.add_row(*(escape(text) for text in _line(line)))
    return shown
