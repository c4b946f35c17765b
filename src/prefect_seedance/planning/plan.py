"""From the user's table to rows that may be sent: route, rules and quote for each, all problems told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from prefect_seedance.core.gc_pause import gc_paused
from prefect_seedance.errors import CellError, InputError, InvalidRows
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.check import Checker
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.planning.route_policy import RoutePolicy
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import QuoteTotal, total
from prefect_seedance.tables.cells import row_id
from prefect_seedance.tables.reader import Table

__all__ = ["BatchPlan", "Invalid", "OnInvalid", "PlannedRow", "gather", "prepare"]

OnInvalid = Literal["stop", "skip"]

SHOWN = 20
"""How many bad rows one error spells out."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A row that may not be sent, and all the reasons."""

    position: int
    line: int
    key: str
    reasons: tuple[Message | str, ...]


@dataclass
class BatchPlan:
    """A whole table, checked.

    Attributes:
        rows: The rows that may be sent, in the table's order.
        invalid: The rows that may not.
        warnings: What the user should know, each once, with the number of rows that it concerns.
        table: The table's name.
    """

    table: str = "the table"
    rows: list[PlannedRow] = field(default_factory=list, repr=False)
    invalid: list[Invalid] = field(default_factory=list, repr=False)
    warnings: list[Message | str] = field(default_factory=list)

    def settle(self, *, limits: RunLimits | None = None, on_invalid: OnInvalid = "stop") -> None:
        """Hold the rows against the terms, and tell everything that is wrong with the table at once.

        Raises:
            InvalidRows: There are bad rows, and `on_invalid` is `stop`.
        """
        counts: Counter[Message | str] = Counter()
        good = []
        for row in self.rows:
            objections = row.objections(limits) if limits is not None else ()
            if objections:
                self.invalid.append(Invalid(row.position, row.line, row.key, objections))
                continue
            good.append(row)
            counts.update(row.warnings)
        self.rows = good
        self.invalid.sort(key=lambda row: row.position)
        self.warnings += [message("rows.warning", warning=warning, rows=rows) for warning, rows in counts.items()]
        if self.invalid and on_invalid == "stop":
            raise _invalid(self.table, self.invalid, len(self.rows))

    def total(self) -> QuoteTotal:
        """What all rows together would cost."""
        return total(row.span for row in self.rows)


def _invalid(table: str, invalid: Sequence[Invalid], valid: int) -> InvalidRows:
    """The first rows are spelled out, the rest are counted."""
    shown = [
        message("rows.reason", line=row.line, key=row.key, reason=reason)
        for row in invalid[:SHOWN]
        for reason in row.reasons
    ]
    facts = {"invalid": len(invalid), "valid": valid, "table": table, "shown": shown}
    if len(invalid) > SHOWN:
        text = message("rows.more_invalid", more=len(invalid) - SHOWN, **facts)
    else:
        text = message("rows.invalid", **facts)
    return InvalidRows(text, code="bad_rows", invalid=invalid)


def prepare(
    table: Table,
    routes: Sequence[RouteSettings],
    *,
    only: Collection[Any] | None = None,
    limit: int | None = None,
    on_invalid: OnInvalid = "stop",
    limits: RunLimits | None = None,
    choice: RoutePolicy | None = None,
) -> BatchPlan:
    """Check every row of a table against its route, and quote it. No network, nothing written.

    Args:
        table: The user's table.
        routes: The routes to pick from; the first is the default.
        only: Row keys: all others are left out.
        limit: Only the first so many rows: a pilot.
        on_invalid: Whether bad rows stop everything, or are left out.
        limits: What the user allows; a row that a budget cannot hold is a bad row.
        choice: How a row's route is chosen where it names none.

    Raises:
        InvalidRows: There are bad rows, and `on_invalid` is `stop`.
        InputError: `only` names rows that the table does not have.
    """
    found = gather(table, routes, only=only, limit=limit, choice=choice)
    found.settle(limits=limits, on_invalid=on_invalid)
    return found


@gc_paused()
def gather(
    table: Table,
    routes: Sequence[RouteSettings],
    *,
    only: Collection[Any] | None = None,
    limit: int | None = None,
    choice: RoutePolicy | None = None,
) -> BatchPlan:
    """The first half of `prepare`: rules and quotes by what the rows themselves say. `settle` is the second.

    Raises:
        InputError: `only` names rows that the table does not have.
    """
    found = BatchPlan(table=table.name, warnings=list(map(str, table.warnings)))
    positions = _chosen(table, only, limit)
    checker = Checker(routes, choice or RoutePolicy())
    for row in table.rows:
        if row.position not in positions:
            continue
        ready, reasons = checker.checked(row)
        if ready is None:
            found.invalid.append(Invalid(row.position, row.line, row.key, tuple(reasons)))
        else:
            found.rows.append(ready)
    for position in positions & table.bad.keys():
        problems = table.bad[position]
        reasons = [
            message("rows.cell", column=problem.column, value=problem.value, problem=problem.message)
            for problem in problems
        ]
        found.invalid.append(Invalid(position, problems[0].line, problems[0].key, tuple(reasons)))
    return found


def _wanted(key: Any) -> str:
    try:
        return str(row_id(key))
    except CellError as error:
        raise InputError(message("rows.only_unreadable", key=repr(key), reason=str(error))) from None


def _chosen(table: Table, only: Collection[Any] | None, limit: int | None) -> set[int]:
    """The positions of the rows that are meant."""
    keys = {row.position: row.key for row in table.rows}
    keys |= {position: problems[0].key for position, problems in table.bad.items()}
    if only is not None:
        wanted = {_wanted(key) for key in ([only] if isinstance(only, str) else only)}
        if missing := sorted(wanted - set(keys.values())):
            raise InputError(message("rows.only_unknown", table=table.name, keys=missing[:SHOWN]))
        keys = {position: key for position, key in keys.items() if key in wanted}
    if limit is not None and limit < 1:
        raise InputError(message("rows.limit", limit=limit))
    return set(sorted(keys)[:limit])
