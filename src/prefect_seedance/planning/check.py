"""Checks each row against the rules of its candidate routes, and quotes it for each of them."""

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
from prefect_seedance.routes.rules.check import check_words
from prefect_seedance.tables.reader import TableRow
from prefect_seedance.tables.row_keys import fingerprint, former_fingerprints

__all__ = ["Checker"]

CACHE_SIZE = 10_000
"""Limit of the cache. Where each row has media of its own, results cannot be shared."""

_SETTINGS = attrgetter(*(name for name in VideoRequest.model_fields if name != "prompt"))
"""All fields of a request except the prompt."""


@dataclass(frozen=True, slots=True)
class _CheckedRoute:
    """The result of one route for all rows that differ in their prompts only, if no prompt breaks a rule."""

    settings: RouteSettings
    review: Review | None
    quote: Quote
    warnings: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _CheckedRow:
    """The results of all candidate routes of a row, in order. The routes in `passed` cannot make it."""

    good: tuple[_CheckedRoute, ...]
    passed: tuple[RouteSettings, ...] = ()
    warnings: tuple[Message, ...] = ()
    priced_in: str | None = None
    alone: _CheckedRoute | None = None
    """The only candidate, where the row had no other."""

    @property
    def routes(self) -> Iterator[RouteSettings]:
        """All candidate routes: those that can make the row, then the others."""
        return chain((route.settings for route in self.good), self.passed)


class Checker:
    """Checks rows one by one. Results are shared between rows that differ in their prompts only.

    A large table has few distinct rows apart from their prompts, so only the prompt rules run for each row.
    """

    def __init__(self, routes: Sequence[RouteSettings], policy: RoutePolicy) -> None:
        self._routes = routes
        self._policy = policy
        self._cache: dict[tuple[Any, ...], _CheckedRow] = {}

    def checked(self, row: TableRow) -> tuple[PlannedRow | None, Sequence[Message | str]]:
        """The planned row, or None and all reasons why it may not be sent."""
        planned, reasons = self._checked(row)
        if planned is None or row.former is None:
            return planned, reasons
        before, _ = self._checked(row.former)
        if before is None:
            return planned, reasons
        return replace(planned, accepts=planned.accepts | before.accepts | {before.fingerprint}), reasons

    def _checked(self, row: TableRow) -> tuple[PlannedRow | None, Sequence[Message | str]]:
        cache_key = (
            row.model,
            row.provider,
            row.routes,
            row.review,
            row.request.prompt is None,
            *_SETTINGS(row.request),
        )
        checked_row = self._cache.get(cache_key)
        if checked_row is not None and checked_row.alone is not None:
            # One candidate route: nearly every row of a large table.
            settings = checked_row.alone.settings
            request = resolve(settings.route, row.request, settings.defaults)
            if not check_words(settings.route, request):
                return _candidate(row, checked_row.alone, request), []
        elif checked_row is not None:
            resolved = _resolved(row, checked_row)
            if not any(
                check_words(each.route, request) for each, request in zip(checked_row.routes, resolved, strict=True)
            ):
                return _planned(row, checked_row, resolved), []
        try:
            wanted, price_order = wanted_routes(row, self._routes, self._policy)
        except InputError as error:
            return None, [error.text]
        checked_row, reasons = self._checked_routes(row, wanted)
        if checked_row is not None and price_order:
            checked_row, reasons = self._by_price(checked_row)
        if checked_row is None:
            return None, reasons
        resolved = _resolved(row, checked_row)
        if len(self._cache) < CACHE_SIZE and not any(
            check_words(each.route, request) for each, request in zip(checked_row.routes, resolved, strict=True)
        ):
            self._cache[cache_key] = checked_row
        return _planned(row, checked_row, resolved), []

    def _checked_routes(
        self, row: TableRow, wanted: Sequence[RouteSettings]
    ) -> tuple[_CheckedRow | None, list[Message]]:
        """Check the row against the rules of each route; a route that cannot make it is skipped if another one can."""
        good: list[_CheckedRoute] = []
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
            good.append(_CheckedRoute(settings, review, cost, tuple(warnings)))
        if good:
            skipped = [
                message("choice.skipped", route=label, reasons=tuple(reasons)) for label, reasons in against.items()
            ]
            alone = good[0] if len(wanted) == 1 else None
            return _CheckedRow(tuple(good), tuple(passed), tuple(skipped), alone=alone), []
        if len(wanted) == 1:
            return None, next(iter(against.values()))
        return None, [
            message("rows.candidate", route=label, reason=reason)
            for label, reasons in against.items()
            for reason in reasons
        ]

    def _by_price(self, checked_row: _CheckedRow) -> tuple[_CheckedRow | None, list[Message]]:
        """Order the candidates by price; those without a price are left out, with a warning."""
        places, left = by_price([route.quote for route in checked_row.good], self._policy.currency)
        labels = {checked_row.good[place].settings.label: reason for place, reason in left.items()}
        if not places:
            unpriced = [message("choice.unpriced", route=label, reason=reason) for label, reason in labels.items()]
            return None, [message("choice.none_priced", reasons=(*unpriced, *checked_row.warnings))]
        skipped = [message("choice.unpriced_skipped", route=label, reason=reason) for label, reason in labels.items()]
        return _CheckedRow(
            good=tuple(checked_row.good[place] for place in places),
            passed=(*checked_row.passed, *(checked_row.good[place].settings for place in left)),
            warnings=(*checked_row.warnings, *skipped),
            priced_in=checked_row.good[places[0]].quote.currency,
        ), []


def _resolved(row: TableRow, checked_row: _CheckedRow) -> list[VideoRequest]:
    """The row's request, resolved for each route."""
    return [resolve(each.route, row.request, each.defaults) for each in checked_row.routes]


def _library_warnings(settings: RouteSettings, request: VideoRequest, review: Review | None) -> list[Message]:
    """Warnings about media that go into a provider's asset library."""
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


def _planned(row: TableRow, checked_row: _CheckedRow, resolved: Sequence[VideoRequest]) -> PlannedRow:
    candidates = [_candidate(row, route, request) for route, request in zip(checked_row.good, resolved, strict=False)]
    first = candidates[0]
    if checked_row.alone is not None and checked_row.priced_in is None:
        return first
    skipped = list(zip(checked_row.passed, resolved[len(candidates) :], strict=True))
    return replace(
        first,
        warnings=(*checked_row.warnings, *dict.fromkeys(text for each in candidates for text in each.warnings)),
        others=tuple(replace(each, priced_in=checked_row.priced_in) for each in candidates[1:]),
        accepts=frozenset().union(
            *(each.accepts | {each.fingerprint} for each in candidates),
            *(_former(*each) | {_fingerprint(*each)} for each in skipped),
        ),
        priced_in=checked_row.priced_in,
    )


def _candidate(row: TableRow, route: _CheckedRoute, request: VideoRequest) -> PlannedRow:
    return PlannedRow(
        position=row.position,
        key=row.key,
        request=request,
        settings=route.settings,
        quote=route.quote,
        fingerprint=_fingerprint(route.settings, request),
        warnings=route.warnings,
        line=row.line,
        review=route.review,
        accepts=_former(route.settings, request),
        former_keys=row.former_keys,
    )


def _fingerprint(settings: RouteSettings, request: VideoRequest) -> str:
    return fingerprint(settings.account.provider, settings.route.model, request)


def _former(settings: RouteSettings, request: VideoRequest) -> frozenset[str]:
    return former_fingerprints(settings.account.provider, settings.route.model, request)
