"""Checking rows: each held against the rules of the routes that may make it, and quoted for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from typing import Any

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.planning.route_policy import RoutePolicy, wanted_routes
from prefect_seedance.providers import RouteSettings, dialect_of
from prefect_seedance.routes import Quote, VideoRequest, check, quote, resolve
from prefect_seedance.routes.forms import Review, form_of
from prefect_seedance.routes.media_fields import KINDS, addresses
from prefect_seedance.routes.pricing.ranking import by_price
from prefect_seedance.routes.rules.rules import check_words
from prefect_seedance.tables.reader import TableRow
from prefect_seedance.tables.row_keys import fingerprint

__all__ = ["Checker"]

KINDS_KEPT = 10_000
"""Kinds of rows that are remembered at most: where each row has media of its own, there is nothing to be shared."""

_SETTINGS = attrgetter(*(name for name in VideoRequest.model_fields if name != "prompt"))
"""All that a row asks for beside its prompt."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What all rows have in common that differ in nothing but their prompts, as far as their prompts break no rule."""

    settings: RouteSettings
    review: Review | None
    quote: Quote
    warnings: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _Kinds:
    """The same for each candidate of a row, in their order; `passed` are those that cannot make it."""

    good: tuple[_Kind, ...]
    passed: tuple[RouteSettings, ...] = ()
    warnings: tuple[Message, ...] = ()
    priced_in: str | None = None
    alone: _Kind | None = None
    """The only candidate, where no other was wanted."""

    @property
    def routes(self) -> Iterator[RouteSettings]:
        """All routes that were wanted."""
        return chain((kind.settings for kind in self.good), self.passed)


class Checker:
    """Checks rows one after the other; what rows share that differ in their prompts alone is found out once.

    A large table has few kinds of rows: only the rules of the prompt have to look at each of them.
    """

    def __init__(self, routes: Sequence[RouteSettings], choice: RoutePolicy) -> None:
        self._routes = routes
        self._choice = choice
        self._kinds: dict[tuple[Any, ...], _Kinds] = {}

    def checked(self, row: TableRow) -> tuple[PlannedRow | None, Sequence[Message | str]]:
        """The row as it would be sent, or all the reasons why it may not be."""
        known = (row.model, row.provider, row.routes, row.review, row.request.prompt is None, *_SETTINGS(row.request))
        kinds = self._kinds.get(known)
        if kinds is not None and kinds.alone is not None:
            # One route and nothing to be said of it: nearly every row of a large table.
            settings = kinds.alone.settings
            request = resolve(settings.route, row.request, settings.defaults)
            if not check_words(settings.route, request):
                return _candidate(row, kinds.alone, request), []
        elif kinds is not None:
            resolved = _resolved(row, kinds)
            if not any(check_words(each.route, request) for each, request in zip(kinds.routes, resolved, strict=True)):
                return _prepared(row, kinds, resolved), []
        try:
            wanted, by_its_price = wanted_routes(row, self._routes, self._choice)
        except InputError as error:
            return None, [error.text]
        kinds, reasons = self._judged(row, wanted)
        if kinds is not None and by_its_price:
            kinds, reasons = self._priced(kinds)
        if kinds is None:
            return None, reasons
        resolved = _resolved(row, kinds)
        if len(self._kinds) < KINDS_KEPT and not any(
            check_words(each.route, request) for each, request in zip(kinds.routes, resolved, strict=True)
        ):
            self._kinds[known] = kinds
        return _prepared(row, kinds, resolved), []

    def _judged(self, row: TableRow, wanted: Sequence[RouteSettings]) -> tuple[_Kinds | None, list[Message]]:
        """The row held against the rules of each route; one that cannot honour it is passed over, if another can."""
        good: list[_Kind] = []
        against: dict[str, list[Message]] = {}
        passed = []
        for settings in wanted:
            request = resolve(settings.route, row.request, settings.defaults)
            review = row.review or settings.review
            problems = check(settings.route, request, review=review, experimental=settings.experimental)
            if reasons := [problem.message for problem in problems if problem.severity == "error"]:
                against[settings.label] = reasons
                passed.append(settings)
                continue
            cost = quote(settings.route, request, settings.prices)
            warnings = [problem.message for problem in problems if problem.severity == "warning"]
            warnings += _library_warnings(settings, request, review)
            good.append(_Kind(settings, review, cost, tuple(warnings)))
        if good:
            skipped = [
                message("choice.skipped", route=label, reasons=tuple(reasons)) for label, reasons in against.items()
            ]
            alone = good[0] if len(wanted) == 1 else None
            return _Kinds(tuple(good), tuple(passed), tuple(skipped), alone=alone), []
        if len(wanted) == 1:
            return None, next(iter(against.values()))
        return None, [
            message("rows.candidate", route=label, reason=reason)
            for label, reasons in against.items()
            for reason in reasons
        ]

    def _priced(self, kinds: _Kinds) -> tuple[_Kinds | None, list[Message]]:
        """The candidates by their prices; those without one are left out, and that is told."""
        places, left = by_price([kind.quote for kind in kinds.good], self._choice.currency)
        labels = {kinds.good[place].settings.label: reason for place, reason in left.items()}
        if not places:
            unpriced = [message("choice.unpriced", route=label, reason=reason) for label, reason in labels.items()]
            return None, [message("choice.none_priced", reasons=(*unpriced, *kinds.warnings))]
        skipped = [message("choice.unpriced_skipped", route=label, reason=reason) for label, reason in labels.items()]
        return _Kinds(
            good=tuple(kinds.good[place] for place in places),
            passed=(*kinds.passed, *(kinds.good[place].settings for place in left)),
            warnings=(*kinds.warnings, *skipped),
            priced_in=kinds.good[places[0]].quote.currency,
        ), []


def _resolved(row: TableRow, kinds: _Kinds) -> list[VideoRequest]:
    """What each route would be asked for."""
    return [resolve(each.route, row.request, each.defaults) for each in kinds.routes]


def _library_warnings(settings: RouteSettings, request: VideoRequest, review: Review | None) -> list[Message]:
    """What a user should know of media that are handed in to a provider's library."""
    found = []
    dialect = dialect_of(settings.account.provider)
    for place, address in addresses(request):
        form = form_of(settings.route, place, address, review=review, experimental=settings.experimental)
        if form != "asset" or not settings.route.library:
            continue
        line = dialect.asset_billing_model(settings.route.library, KINDS[place])
        if line is not None:
            found.append(message("review.billed", route=settings.route.name, field=place, billing_model=line))
        elif settings.route.library == "audit":
            found.append(message("review.unconfirmed", route=settings.route.name, field=place))
    return list(dict.fromkeys(found))


def _prepared(row: TableRow, kinds: _Kinds, resolved: Sequence[VideoRequest]) -> PlannedRow:
    candidates = [_candidate(row, kind, request) for kind, request in zip(kinds.good, resolved, strict=False)]
    first = candidates[0]
    if kinds.alone is not None and kinds.priced_in is None:
        return first
    behind = zip(kinds.passed, resolved[len(candidates) :], strict=True)
    return replace(
        first,
        warnings=(*kinds.warnings, *dict.fromkeys(text for each in candidates for text in each.warnings)),
        others=tuple(replace(each, priced_in=kinds.priced_in) for each in candidates[1:]),
        accepts=frozenset([each.fingerprint for each in candidates] + [_print(*each) for each in behind]),
        priced_in=kinds.priced_in,
    )


def _candidate(row: TableRow, kind: _Kind, request: VideoRequest) -> PlannedRow:
    return PlannedRow(
        position=row.position,
        key=row.key,
        request=request,
        settings=kind.settings,
        quote=kind.quote,
        fingerprint=_print(kind.settings, request),
        warnings=kind.warnings,
        line=row.line,
        review=kind.review,
    )


def _print(settings: RouteSettings, request: VideoRequest) -> str:
    return fingerprint(settings.account.provider, settings.route.model, request)
