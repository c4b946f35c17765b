"""Looking at the media of a table before anything is spent: each once, held against the rules of all its rows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, Ledger, State
from prefect_seedance.media import MediaAccess, Probed, Prober
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.plan import BatchPlan, Invalid
from prefect_seedance.planning.planned_row import PlannedRow, in_order
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import VideoRequest, check_material, quote, reference_seconds
from prefect_seedance.routes.address import scheme_of
from prefect_seedance.routes.forms import Review
from prefect_seedance.routes.media_fields import addresses
from prefect_seedance.routes.rules.material import MediaFacts

__all__ = ["Survey", "has_media", "settled_keys", "survey", "survey_one"]

GROUP = 200
"""Addresses that are looked at together; the prober itself bounds how many at the same moment."""


class Survey:
    """What was found behind the addresses of a table."""

    def __init__(self) -> None:
        self.facts: dict[str, MediaFacts] = {}
        self.mistakes: dict[str, Message | str] = {}
        self.warnings: dict[str, Message | str] = {}

    async def look(self, places: MediaAccess, wanted: Iterable[str]) -> None:
        """Look at each address once."""
        listed = list(dict.fromkeys(wanted))
        async with Prober(places) as prober:
            for start in range(0, len(listed), GROUP):
                await asyncio.gather(*(self._look(prober, address) for address in listed[start : start + GROUP]))

    async def _look(self, prober: Prober, address: str) -> None:
        try:
            probed: Probed = await prober.probe(address)
        except InputError as error:
            self.mistakes[address] = error.text
            return
        if probed.facts is not None:
            self.facts[address] = probed.facts
        if probed.warning is not None:
            self.warnings[address] = str(probed.warning)

    def judge(
        self, settings: RouteSettings, request: VideoRequest, review: Review | None
    ) -> tuple[list[Message], list[Message]]:
        """All errors and warnings about one request's media."""
        errors: list[Message] = []
        warnings: list[Message] = []
        for field, address in addresses(request):
            if address in self.mistakes:
                errors.append(message("rows.medium", field=field, problem=self.mistakes[address]))
            if address in self.warnings:
                warnings.append(message("rows.medium", field=field, problem=self.warnings[address]))
        problems = check_material(
            settings.route, request, self.facts, review=review, experimental=settings.experimental
        )
        for problem in problems:
            (errors if problem.is_error else warnings).append(problem.message)
        return errors, warnings


async def survey(found: BatchPlan, places: MediaAccess, skip: Collection[str] = ()) -> None:
    """Look at the media of a table's rows; bad ones become invalid, and quotes as exact as the media allow.

    Args:
        found: The rows, which are changed in place.
        places: Where media may lie.
        skip: Keys of rows that need no look, since nothing will be sent for them.
    """
    seen = Survey()
    await seen.look(places, (address for row in found.rows if row.key not in skip for address in _media(row.request)))
    good = []
    for row in found.rows:
        if row.key in skip or not _media(row.request):
            good.append(row)
            continue
        judged, errors = _judged(row, seen)
        if judged is None:
            found.invalid.append(Invalid(row.position, row.line, row.key, tuple(errors)))
        else:
            good.append(judged)
    found.rows = good


async def settled_keys(ledger_url: str, batch: str, take: str, retry: Collection[State] = ()) -> set[str]:
    """The keys of the rows for which a run will send nothing, so that nobody need look at their media."""
    ledger = await Ledger.open(ledger_url)
    try:
        states = await ledger.states_of(batch, take)
    finally:
        await ledger.close()
    return {key for key, state in states.items() if state not in TAKEABLE and state not in retry}


def has_media(found: BatchPlan) -> bool:
    """Whether any row of a table has media that can be looked at."""
    return any(_media(row.request) for row in found.rows)


async def survey_one(settings: RouteSettings, request: VideoRequest, places: MediaAccess) -> Survey:
    """Look at one request's media.

    Raises:
        InputError: They cannot be used; all reasons are told.
    """
    seen = Survey()
    await seen.look(places, _media(request))
    errors, _ = seen.judge(settings, request, settings.review)
    if errors:
        raise InputError(message("request.media_invalid", problems=errors))
    return seen


def _media(request: VideoRequest) -> list[str]:
    """The addresses behind which there is something to be seen: assets are the provider's own affair."""
    return [address for _, address in addresses(request) if scheme_of(address) not in {None, "asset"}]


def _judged(row: PlannedRow, seen: Survey) -> tuple[PlannedRow | None, list[Message]]:
    """The row by what its media are; a candidate that cannot take them is passed over, if another can."""
    if not row.others:
        errors, warnings = seen.judge(row.settings, row.request, row.review)
        return (None, errors) if errors else (_measured(row, seen, warnings), [])
    good: list[PlannedRow] = []
    lines: list[Message | str] = []
    against: dict[str, list[Message]] = {}
    for each in row.candidates:
        errors, warnings = seen.judge(each.settings, each.request, each.review)
        if errors:
            against[each.settings.label] = errors
        else:
            measured = _measured(each, seen, warnings)
            lines += measured.warnings
            good.append(measured)
    if not good:
        # A file that is not there is so for all of them.
        return None, list(dict.fromkeys(error for errors in against.values() for error in errors))
    lines += [message("choice.skipped", route=label, reasons=tuple(errors)) for label, errors in against.items()]
    judged = in_order(row, good)
    return replace(judged, warnings=tuple(dict.fromkeys((*row.warnings, *lines)))), []


def _measured(row: PlannedRow, seen: Survey, found: Sequence[Message]) -> PlannedRow:
    settings = row.settings
    seconds = reference_seconds(settings.route, row.request, seen.facts)
    warnings = (*row.warnings, *found)
    if seconds is None:
        return replace(row, warnings=warnings)
    try:
        measured = quote(settings.route, row.request, settings.prices, reference_seconds=seconds)
    except SeedanceError as error:
        return replace(row, warnings=(*warnings, error.text))
    return replace(row, warnings=warnings, quote=measured, reference_seconds=seconds)
