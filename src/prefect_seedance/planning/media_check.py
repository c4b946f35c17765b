"""Probes the media of a table before anything is spent: each address once, checked against all its rows."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, Ledger, State
from prefect_seedance.ledger.rows import lookups
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
"""Addresses per group of probes. The prober itself limits how many run at once."""


class Survey:
    """The results of probing the addresses of a table.

    Attributes:
        facts: What was measured, by address.
        errors: Why an address cannot be used, by address.
        warnings: Doubts about an address, by address.
    """

    def __init__(self) -> None:
        self.facts: dict[str, MediaFacts] = {}
        self.errors: dict[str, Message | str] = {}
        self.warnings: dict[str, Message | str] = {}

    async def probe(self, media_access: MediaAccess, wanted: Iterable[str]) -> None:
        """Probe each address once."""
        listed = list(dict.fromkeys(wanted))
        async with Prober(media_access) as prober:
            for start in range(0, len(listed), GROUP):
                await asyncio.gather(*(self._probe(prober, address) for address in listed[start : start + GROUP]))

    async def _probe(self, prober: Prober, address: str) -> None:
        try:
            probed: Probed = await prober.probe(address)
        except InputError as error:
            self.errors[address] = error.text
            return
        if probed.facts is not None:
            self.facts[address] = probed.facts
        if probed.warning is not None:
            self.warnings[address] = str(probed.warning)

    def check(
        self, settings: RouteSettings, request: VideoRequest, review: Review | None
    ) -> tuple[list[Message], list[Message]]:
        """All errors and warnings about the media of one request."""
        errors: list[Message] = []
        warnings: list[Message] = []
        for field, address in addresses(request):
            if address in self.errors:
                errors.append(message("rows.medium", field=field, problem=self.errors[address]))
            if address in self.warnings:
                warnings.append(message("rows.medium", field=field, problem=self.warnings[address]))
        problems = check_material(
            settings.route, request, self.facts, review=review, experimental=settings.experimental
        )
        for problem in problems:
            (errors if problem.is_error else warnings).append(problem.message)
        return errors, warnings


async def survey(plan: BatchPlan, media_access: MediaAccess, skip: Collection[str] = ()) -> None:
    """Probe the media of a plan's rows. Rows with bad media become invalid; quotes use the measured lengths.

    Args:
        plan: The plan, which is changed in place.
        media_access: Where media may be read from.
        skip: Keys of rows that are not probed, since nothing will be sent for them.
    """
    seen = Survey()
    await seen.probe(
        media_access, (address for row in plan.rows if row.key not in skip for address in _media(row.request))
    )
    good = []
    for row in plan.rows:
        if row.key in skip or not _media(row.request):
            good.append(row)
            continue
        checked, errors = _checked(row, seen)
        if checked is None:
            plan.invalid.append(Invalid(row.position, row.line, row.key, tuple(errors)))
        else:
            good.append(checked)
    plan.rows = good


async def settled_keys(ledger_url: str, batch: str, take: str, retry: Collection[State] = ()) -> set[str]:
    """The keys of the rows for which a run will send nothing, so that their media need no probe."""
    ledger = await Ledger.open(ledger_url)
    try:
        states = await ledger.read(lookups.states_of, batch, take)
    finally:
        await ledger.close()
    return {key for key, state in states.items() if state not in TAKEABLE and state not in retry}


def has_media(plan: BatchPlan) -> bool:
    """Whether any row of a plan has media that can be probed."""
    return any(_media(row.request) for row in plan.rows)


async def survey_one(settings: RouteSettings, request: VideoRequest, media_access: MediaAccess) -> Survey:
    """Probe the media of one request.

    Raises:
        InputError: They cannot be used; the error has all reasons.
    """
    seen = Survey()
    await seen.probe(media_access, _media(request))
    errors, _ = seen.check(settings, request, settings.review)
    if errors:
        raise InputError(message("request.media_invalid", problems=errors))
    return seen


def _media(request: VideoRequest) -> list[str]:
    """The addresses that can be probed; assets are known to the provider only."""
    return [address for _, address in addresses(request) if scheme_of(address) not in {None, "asset"}]


def _checked(row: PlannedRow, seen: Survey) -> tuple[PlannedRow | None, list[Message]]:
    """Check the row's media; a candidate that cannot take them is skipped if another one can."""
    if not row.others:
        errors, warnings = seen.check(row.settings, row.request, row.review)
        return (None, errors) if errors else (_measured(row, seen, warnings), [])
    good: list[PlannedRow] = []
    added: list[Message | str] = []
    against: dict[str, list[Message]] = {}
    for each in row.candidates:
        errors, warnings = seen.check(each.settings, each.request, each.review)
        if errors:
            against[each.settings.label] = errors
        else:
            measured = _measured(each, seen, warnings)
            added += measured.warnings
            good.append(measured)
    if not good:
        # A missing file is missing for all candidates: name it once.
        return None, list(dict.fromkeys(error for errors in against.values() for error in errors))
    added += [message("choice.skipped", route=label, reasons=tuple(errors)) for label, errors in against.items()]
    checked = in_order(row, good)
    return replace(checked, warnings=tuple(dict.fromkeys((*row.warnings, *added)))), []


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
