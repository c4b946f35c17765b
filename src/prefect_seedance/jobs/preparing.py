"""From the user's table to rows that may be sent: route, rules and quote for each, all problems told at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal

from prefect_seedance.bulk import in_bulk
from prefect_seedance.errors import UserMistake
from prefect_seedance.jobs.addresses import KINDS, addresses
from prefect_seedance.jobs.cells import row_id
from prefect_seedance.jobs.rowkey import fingerprint
from prefect_seedance.jobs.table import Table, TableRow
from prefect_seedance.jobs.terms import Terms
from prefect_seedance.providers import RouteSettings, dialect_of
from prefect_seedance.routes import Quote, QuoteTotal, VideoRequest, check, quote, resolve, total
from prefect_seedance.routes.forms import Review, form_of
from prefect_seedance.routes.rules import check_words

__all__ = ["BadRows", "Invalid", "OnInvalid", "Preparation", "Prepared", "gather", "prepare"]

OnInvalid = Literal["stop", "skip"]

SHOWN = 20
"""How many bad rows one error spells out."""

KINDS_KEPT = 10_000
"""Kinds of rows that are remembered at most: where each row has media of its own, there is nothing to be shared."""

_SETTINGS = attrgetter(*(name for name in VideoRequest.model_fields if name != "prompt"))
"""All that a row asks for beside its prompt."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A row that may not be sent, and all the reasons."""

    position: int
    line: int
    key: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A row that may be sent.

    `reference_seconds` is the length of its reference videos, as far as the route bills them and it was measured.
    """

    position: int
    key: str
    request: VideoRequest
    settings: RouteSettings
    quote: Quote
    fingerprint: str
    warnings: tuple[str, ...] = ()
    line: int = 0
    review: Review | None = None
    reference_seconds: Decimal | None = None


@dataclass
class Preparation:
    """A whole table, checked.

    Attributes:
        rows: The rows that may be sent, in the table's order.
        invalid: The rows that may not.
        warnings: What the user should know, each once, with the number of rows that it concerns.
        table: The table's name.
    """

    table: str = "the table"
    rows: list[Prepared] = field(default_factory=list, repr=False)
    invalid: list[Invalid] = field(default_factory=list, repr=False)
    warnings: list[str] = field(default_factory=list)

    def settle(self, *, terms: Terms | None = None, on_invalid: OnInvalid = "stop") -> None:
        """Hold the rows against the terms, and tell everything that is wrong with the table at once.

        Raises:
            BadRows: There are bad rows, and `on_invalid` is `stop`.
        """
        told: dict[str, int] = {}
        good = []
        for row in self.rows:
            objection = terms.objection(row.quote) if terms is not None else None
            if objection is not None:
                self.invalid.append(Invalid(row.position, row.line, row.key, (objection,)))
                continue
            good.append(row)
            for warning in row.warnings:
                told[warning] = told.get(warning, 0) + 1
        self.rows = good
        self.invalid.sort(key=lambda row: row.position)
        self.warnings += [f"{text} ({count} row{'s' if count > 1 else ''})" for text, count in told.items()]
        if self.invalid and on_invalid == "stop":
            raise BadRows(self.table, self.invalid, len(self.rows))

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
    on_invalid: OnInvalid = "stop",
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
    found = gather(table, routes, only=only, limit=limit)
    found.settle(terms=terms, on_invalid=on_invalid)
    return found


@in_bulk()
def gather(
    table: Table,
    routes: Sequence[RouteSettings],
    *,
    only: Collection[Any] | None = None,
    limit: int | None = None,
) -> Preparation:
    """The first half of `prepare`: rules and quotes by what the rows themselves say. `settle` is the second.

    Raises:
        UserMistake: `only` names rows that the table does not have.
    """
    found = Preparation(table=table.name, warnings=list(table.warnings))
    positions = _chosen(table, only, limit)
    checker = _Checker(routes)
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
        reasons = [f"{problem.column} {problem.value!r}: {problem.message}" for problem in problems]
        found.invalid.append(Invalid(position, problems[0].line, problems[0].key, tuple(reasons)))
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


@dataclass(frozen=True, slots=True)
class _Kind:
    """What all rows have in common that differ in nothing but their prompts, as far as their prompts break no rule."""

    settings: RouteSettings
    review: Review | None
    quote: Quote
    warnings: tuple[str, ...]


class _Checker:
    """Checks rows one after the other; what rows share that differ in their prompts alone is found out once.

    A large table has few kinds of rows: only the rules of the prompt have to look at each of them.
    """

    def __init__(self, routes: Sequence[RouteSettings]) -> None:
        self._routes = routes
        self._kinds: dict[tuple[Any, ...], _Kind] = {}

    def checked(self, row: TableRow) -> tuple[Prepared | None, list[str]]:
        """The row as it would be sent, or all the reasons why it may not be."""
        known = (row.model, row.provider, row.review, row.request.prompt is None, *_SETTINGS(row.request))
        kind = self._kinds.get(known)
        if kind is not None:
            request = resolve(kind.settings.route, row.request, kind.settings.defaults)
            if not check_words(kind.settings.route, request):
                return _prepared(row, request, kind), []
        settings = _pick(row, self._routes)
        if settings is None:
            return None, [self._no_route(row)]
        request = resolve(settings.route, row.request, settings.defaults)
        review = row.review or settings.review
        problems = check(settings.route, request, review=review, experimental=settings.experimental)
        reasons = [problem.message for problem in problems if problem.severity == "error"]
        if reasons:
            return None, reasons
        warnings = [problem.message for problem in problems if problem.severity == "warning"]
        warnings += _library_warnings(settings, request, review)
        kind = _Kind(settings, review, quote(settings.route, request, settings.prices), tuple(warnings))
        if len(self._kinds) < KINDS_KEPT and not check_words(settings.route, request):
            self._kinds[known] = kind
        return _prepared(row, request, kind), []

    def _no_route(self, row: TableRow) -> str:
        wishes = (("model", row.model), ("provider", row.provider))
        wish = " ".join(f"{name}={value!r}" for name, value in wishes if value)
        known = ", ".join(route.label for route in self._routes)
        return f"{wish}: none of the routes given fits; they are {known}"


def _library_warnings(settings: RouteSettings, request: VideoRequest, review: Review | None) -> list[str]:
    """What a user should know of media that are handed in to a provider's library."""
    told = []
    dialect = dialect_of(settings.account.provider)
    for place, address in addresses(request):
        form = form_of(settings.route, place, address, review=review, experimental=settings.experimental)
        if form != "asset" or not settings.route.library:
            continue
        line = dialect.asset_billing_model(settings.route.library, KINDS[place])
        if line is not None:
            told.append(
                f"{settings.route.name}: {place} are handed in as assets, once per content, which the provider bills "
                f"per request beside the videos (price line {line!r}; no quote holds it)"
            )
        elif settings.route.library == "audit":
            told.append(f"{settings.route.name}: {place} are handed in to a review whose calls no document confirms")
    return list(dict.fromkeys(told))


def _pick(row: TableRow, routes: Sequence[RouteSettings]) -> RouteSettings | None:
    for settings in routes:
        if row.model not in {None, settings.route.model}:
            continue
        if row.provider is None or row.provider.casefold() == settings.account.provider:
            return settings
    return None


def _prepared(row: TableRow, request: VideoRequest, kind: _Kind) -> Prepared:
    settings = kind.settings
    return Prepared(
        position=row.position,
        key=row.key,
        request=request,
        settings=settings,
        quote=kind.quote,
        fingerprint=fingerprint(settings.account.provider, settings.route.model, request),
        warnings=kind.warnings,
        line=row.line,
        review=kind.review,
    )
