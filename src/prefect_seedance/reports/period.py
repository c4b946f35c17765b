"""The cost of a span of time over all batches. Unknown rows come first, since they wait for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from prefect_seedance.ledger import CostLine, RowRecord
from prefect_seedance.ledger.rows.spending import Period
from prefect_seedance.messages import message
from prefect_seedance.reports.money import amounts, cost_table, doubts, line_cost
from prefect_seedance.reports.results.result import sums
from prefect_seedance.reports.spending import period_lines
from prefect_seedance.reports.summary import cell, markdown_table
from prefect_seedance.routes.pricing import decimals

__all__ = ["BatchCost", "PeriodCost", "period_summary", "period_table"]

SHOWN = 50


@dataclass(frozen=True, slots=True)
class BatchCost:
    """The cost of one batch in the span, and its unknown rows of any age, which wait for a person."""

    batch: str
    lines: list[CostLine]
    waiting: Sequence[RowRecord] = ()


@dataclass(frozen=True, slots=True)
class PeriodCost:
    """The cost of all batches in a span of time, and the state of the spending limits now."""

    since: datetime
    until: datetime
    batches: list[BatchCost]
    spending: Sequence[Period] = ()

    @property
    def lines(self) -> list[CostLine]:
        """The cost lines of all batches."""
        return [line for each in self.batches for line in each.lines]

    @property
    def waiting(self) -> list[RowRecord]:
        """The unknown rows of all batches."""
        return [row for each in self.batches for row in each.waiting]

    def line(self) -> str:
        """The report in one line."""
        return str(
            message(
                "period.line_not_known" if any(doubts(line) for line in self.lines) else "period.line",
                cost=amounts(sums(self.lines)),
                videos=sum(line.succeeded for line in self.lines),
                batches=len(self.batches),
            )
        )


def period_table(report: PeriodCost) -> list[dict[str, str]]:
    """Every batch, route and price line as a row of a table."""
    return [{"batch": each.batch, **row} for each in report.batches for row in cost_table(each.lines)]


def period_summary(report: PeriodCost) -> str:
    """The report in Markdown."""
    span = f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC"
    parts = [f"# {cell(report.line())}", span, _waiting(report.waiting), _unsure(report), _spending(report)]
    if not report.batches:
        return "\n\n".join(filter(None, [*parts[:2], str(message("period.nothing")), parts[-1]]))
    by_batch = [(each.batch, *_money(each.lines)) for each in report.batches]
    for title, first, lines in (
        (message("period.by_batch"), "batch", by_batch),
        (message("period.by_route"), "route", _grouped(report.lines, "route")),
        (message("period.by_price_line"), "price line", _grouped(report.lines, "billing_model")),
    ):
        parts.append(f"## {title}\n\n" + markdown_table((first, "cost", "videos", "failed", "not known"), lines))
    return "\n\n".join(part for part in parts if part)


def _waiting(rows: Sequence[RowRecord]) -> str:
    if not rows:
        return ""
    lines = [
        f"- {message('period.row', batch=cell(row.batch), row=cell(row.key), take=cell(row.take))}"
        for row in rows[:SHOWN]
    ]
    more = [f"- {message('period.more_rows', rows=len(rows) - SHOWN)}"] if len(rows) > SHOWN else []
    title = f"## {message('period.waiting', rows=len(rows))}"
    return "\n\n".join([title, str(message("period.waiting_note")), "\n".join(lines + more)])


def _spending(report: PeriodCost) -> str:
    lines = [f"- {cell(line)}" for line in period_lines(report.spending)]
    return f"## {message('spending.title')}\n\n" + "\n".join(lines) if lines else ""


def _unsure(report: PeriodCost) -> str:
    lines = [
        f"- **{cell(each.batch)}** · {cell(line.billing_model)}: {cell(words)}"
        for each in report.batches
        for line in each.lines
        if (words := doubts(line))
    ]
    return f"## {message('period.not_known')}\n\n" + "\n".join(lines) if lines else ""


def _grouped(lines: Sequence[CostLine], name: str) -> list[tuple[str, ...]]:
    groups: dict[str, list[CostLine]] = {}
    for line in lines:
        key = f"{line.provider}/{line.account}: {line.model}" if name == "route" else line.billing_model
        groups.setdefault(key, []).append(line)
    return [(key, *_money(group)) for key, group in groups.items()]


def _money(lines: Sequence[CostLine]) -> tuple[str, ...]:
    known = sums(list(lines))
    if len(lines) == 1:
        cost = line_cost(lines[0])
    elif not decimals.add(tuple(known.values()) or (Decimal(0),)) and any(doubts(line) for line in lines):
        cost = "unknown"
    else:
        cost = amounts(known)
    unsure = "; ".join(dict.fromkeys(text for line in lines if (text := doubts(line))))
    return cost, str(sum(line.succeeded for line in lines)), str(sum(line.failed for line in lines)), unsure or "–"
