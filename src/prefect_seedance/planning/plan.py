"""Turns the user's table into rows that may be sent, with route and quote; reports all problems at once."""

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
"""Bad rows that one error lists."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A row that may not be sent, with all reasons."""

    position: int
    line: int
    key: str
    reasons: tuple[Message | str, ...]


@dataclass
class BatchPlan:
    """A whole table, checked.

    Attributes:
        table: The table's name.
        rows: The rows that may be sent, in the table's order.
        invalid: The rows that may not be sent.
        warnings: Each warning once, with the number of its rows.
    """

    table: str = "the table"
    rows: list[PlannedRow] = field(default_factory=list, repr=False)
    invalid: list[Invalid] = field(default_factory=list, repr=False)
    warnings: list[Message | str] = field(default_factory=list)

    def settle(self, *, limits: RunLimits | None = None, on_invalid: OnInvalid = "stop") -> None:
        """Check the rows against the limits, and report all problems of the table at once.

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
        """The quote for all rows together."""
        return total(row.span for row in self.rows)


def _invalid(table: str, invalid: Sequence[Invalid], valid: int) -> InvalidRows:
    """The error for invalid rows: the first ones are listed, the rest counted."""
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
    policy: RoutePolicy | None = None,
) -> BatchPlan:
    """Check and quote every row of a table. Uses no network and writes nothing.

    Args:
        table: The user's table.
        routes: The available routes; the first is the default.
        only: Keys of the rows to plan; None plans all.
        limit: The number of rows to plan, from the first on.
        on_invalid: `stop` raises for invalid rows, `skip` leaves them out.
        limits: The user's limits; a row whose cost a budget cannot bound is invalid.
        policy: How a route is chosen for a row that names none.

    Raises:
        InvalidRows: There are bad rows, and `on_invalid` is `stop`.
        InputError: `only` names rows that the table does not have.
    """
    plan = gather(table, routes, only=only, limit=limit, policy=policy)
    plan.settle(limits=limits, on_invalid=on_invalid)
    return plan


@gc_paused()
def gather(
    table: Table,
    routes: Sequence[RouteSettings],
    *,
    only: Collection[Any] | None = None,
    limit: int | None = None,
    policy: RoutePolicy | None = None,
) -> BatchPlan:
    """The first half of `prepare`: rules and quotes from the rows alone. `BatchPlan.settle` is the second half.

    Raises:
        InputError: `only` names rows that the table does not have.
    """
    plan = BatchPlan(table=table.name, warnings=list(map(str, table.warnings)))
    positions = _selected(table, only, limit)
    checker = Checker(routes, policy or RoutePolicy())
    for row in table.rows:
        if row.position not in positions:
            continue
        planned, reasons = checker.checked(row)
        if planned is None:
            plan.invalid.append(Invalid(row.position, row.line, row.key, tuple(reasons)))
        else:
            plan.rows.append(planned)
    for position in positions & table.bad.keys():
        problems = table.bad[position]
        reasons = [
            message("rows.cell", column=problem.column, value=problem.value, problem=problem.message)
            for problem in problems
        ]
        plan.invalid.append(Invalid(position, problems[0].line, problems[0].key, tuple(reasons)))
    return plan


def _row_key(key: Any) -> str:
    try:
        return str(row_id(key))
    except CellError as error:
        raise InputError(message("rows.only_unreadable", key=repr(key), reason=str(error))) from None


def _selected(table: Table, only: Collection[Any] | None, limit: int | None) -> set[int]:
    """The positions of the rows to plan."""
    keys = {row.position: row.key for row in table.rows}
    keys |= {position: problems[0].key for position, problems in table.bad.items()}
    if only is not None:
        present = set(keys.values())
        former = {key: row.key for row in table.rows for key in row.former_keys}
        named = {_row_key(key) for key in ([only] if isinstance(only, str) else only)}
        wanted = {former.get(key, key) if key not in present else key for key in named}
        if missing := sorted(wanted - set(keys.values())):
            raise InputError(message("rows.only_unknown", table=table.name, keys=missing[:SHOWN]))
        keys = {position: key for position, key in keys.items() if key in wanted}
    if limit is not None and limit < 1:
        raise InputError(message("rows.limit", limit=limit))
    return set(sorted(keys)[:limit])
