"""From the user's table to rows that may be sent: route, rules and quote for each, all problems told at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from prefect_seedance.errors import UserMistake
from prefect_seedance.jobs.cells import row_id
from prefect_seedance.jobs.rowkey import fingerprint
from prefect_seedance.jobs.table import Table, TableRow
from prefect_seedance.jobs.terms import Terms
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Quote, QuoteTotal, VideoRequest, check, quote, resolve, total

__all__ = ["BadRows", "Invalid", "Preparation", "Prepared", "prepare"]

SHOWN = 20
"""How many bad rows one error spells out."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A row that may not be sent, and all the reasons."""

    position: int
    line: int
    key: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that may be sent."""

    position: int
    key: str
    request: VideoRequest
    settings: RouteSettings
    quote: Quote
    fingerprint: str
    warnings: tuple[str, ...] = ()


@dataclass
class Preparation:
    """A whole table, checked.

    Attributes:
        rows: The rows that may be sent, in the table's order.
        invalid: The rows that may not.
        warnings: What the user should know, each once, with the number of rows that it concerns.
    """

    rows: list[Prepared] = field(default_factory=list)
    invalid: list[Invalid] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def total(self) -> QuoteTotal:
        """What all rows together would cost."""
        return total(row.quote for row in self.rows)


class BadRows(UserMistake):
    """Rows of the table may not be sent. Nothing was spent.

    Attributes:
        invalid: Every bad row with all its reasons.
    """

    def __init__(self, table: str, invalid: Sequence[Invalid], good: int) -> None:
        lines = [f"{len(invalid)} row(s) of {table} cannot be sent ({good} could):"]
        for row in invalid[:SHOWN]:
            lines += [f"  row {row.line} (id {row.key}): {reason}" for reason in row.reasons]
        if len(invalid) > SHOWN:
            lines.append(f"  … and {len(invalid) - SHOWN} more rows")
        lines.append('Nothing was spent. Mend the rows, or leave them out with on_invalid="skip".')
        super().__init__("\n".join(lines), code="bad_rows")
        self.invalid = tuple(invalid)


def prepare(
    table: Table,
    routes: Sequence[RouteSettings],
    *,
    only: Collection[Any] | None = None,
    limit: int | None = None,
    on_invalid: Literal["stop", "skip"] = "stop",
    terms: Terms | None = None,
) -> Preparation:
    """Check every row of a table against its route, and quote it. No network, nothing written.

    Args:
        table: The user's table.
        routes: The routes to pick from; the first is the default.
        only: Row keys: all others are left out.
        limit: Only the first so many rows: a pilot.
        on_invalid: Whether bad rows stop everything, or are left out.
        terms: What the user allows; a row that a budget cannot hold is a bad row.

    Raises:
        BadRows: There are bad rows, and `on_invalid` is `stop`.
        UserMistake: `only` names rows that the table does not have.
    """
    found = Preparation(warnings=list(table.warnings))
    told: dict[str, int] = {}
    positions = _chosen(table, only, limit)
    for row in table.rows:
        if row.position not in positions:
            continue
        ready, reasons = _checked(row, routes)
        if ready is not None and terms is not None and (objection := terms.objection(ready.quote)):
            reasons = [objection]
        if ready is None or reasons:
            found.invalid.append(Invalid(row.position, row.line, row.key, tuple(reasons)))
            continue
        found.rows.append(ready)
        for warning in ready.warnings:
            told[warning] = told.get(warning, 0) + 1
    for position in positions & table.bad.keys():
        problems = table.bad[position]
        reasons = [f"{problem.column} {problem.value!r}: {problem.message}" for problem in problems]
        found.invalid.append(Invalid(position, problems[0].line, problems[0].key, tuple(reasons)))
    found.invalid.sort(key=lambda row: row.position)
    found.warnings += [f"{text} ({count} row{'s' if count > 1 else ''})" for text, count in told.items()]
    if found.invalid and on_invalid == "stop":
        raise BadRows(table.name, found.invalid, len(found.rows))
    return found


def _chosen(table: Table, only: Collection[Any] | None, limit: int | None) -> set[int]:
    """The positions of the rows that are meant."""
    keys = {row.position: row.key for row in table.rows}
    keys |= {position: problems[0].key for position, problems in table.bad.items()}
    if only is not None:
        wanted = {str(row_id(key)) for key in only}
        if missing := sorted(wanted - set(keys.values())):
            raise UserMistake(
                f"only= names rows that {table.name} does not have: {', '.join(missing[:SHOWN])}. Nothing was spent."
            )
        keys = {position: key for position, key in keys.items() if key in wanted}
    if limit is not None and limit < 1:
        raise UserMistake(f"limit={limit}: expected 1 or more rows. Nothing was spent.")
    return set(sorted(keys)[:limit])


def _checked(row: TableRow, routes: Sequence[RouteSettings]) -> tuple[Prepared | None, list[str]]:
    """The row as it would be sent, or all the reasons why it may not be."""
    settings = _pick(row, routes)
    if settings is None:
        wish = " ".join(
            f"{name}={value!r}" for name, value in (("model", row.model), ("provider", row.provider)) if value
        )
        known = ", ".join(route.label for route in routes)
        return None, [f"{wish}: none of the routes given fits; they are {known}"]
    request = resolve(settings.route, row.request, settings.defaults)
    problems = check(settings.route, request)
    reasons = [problem.message for problem in problems if problem.severity == "error"]
    if reasons:
        return None, reasons
    warnings = tuple(problem.message for problem in problems if problem.severity == "warning")
    return _prepared(row, request, settings, warnings), []


def _pick(row: TableRow, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    for settings in routes:
        if row.model not in {None, settings.route.model}:
            continue
        if row.provider is None or row.provider.casefold() == settings.account.provider:
            return settings
    return None


def _prepared(row: TableRow, request: VideoRequest, settings: RouteSettings, warnings: tuple[str, ...]) -> Prepared:
    return Prepared(
        position=row.position,
        key=row.key,
        request=request,
        settings=settings,
        quote=quote(settings.route, request, settings.prices),
        fingerprint=fingerprint(settings.account.provider, settings.route.model, request),
        warnings=warnings,
    )
