"""The media step, before a row's create: prepares each of its media, shared by all rows that use it."""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.adopt import leave
from prefect_seedance.engine.steps.fallback import account_closed, paused, refused_by_route
from prefect_seedance.engine.steps.policy import close, decide, may_fall_back, state_before_create
from prefect_seedance.errors import (
    InputError,
    LedgerError,
    SeedanceError,
)
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.messages import message
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.forms import Form, form_of
from prefect_seedance.routes.media_fields import KINDS, addresses, replaced
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.problem import Problem

__all__ = ["MediumStep", "prepare_media"]

MediumStep = Callable[[Medium], Awaitable[object]]

MOST_INLINE = 44_000_000
"""Bytes of media that one request carries inline: with a third more for Base64 it stays below the 64 MB that the
provider's upstream accepts for a whole body. Larger media go through the asset library."""


async def prepare_media(row: Row, upload: MediumStep, review: MediumStep) -> None:
    """Prepare all media of a row: afterwards `row.sendable` is the request as it may be sent.

    Does nothing for a row that has passed its create.

    Raises:
        SeedanceError: A medium could not be prepared. The row is `refused` if the provider refused the medium, else
            `deferred` or `over_budget`: nothing was sent for it.
    """
    if row.state not in TAKEABLE or row.sendable is not None:
        return
    try:
        row.sendable = await _sendable(row, upload, review)
    except LedgerError:
        raise
    except SeedanceError as shared:
        error = copy.copy(shared)  # many rows may have failed because of the same medium
        await _record_error(row, error)
        if row.state is State.CREATED:
            return  # it needs no media any more
        raise error from None


async def _sendable(row: Row, upload: MediumStep, review: MediumStep) -> VideoRequest:
    forms = {(field, address): _form(row, field, address) for field, address in addresses(row.request)}
    if any(form != "as-is" for form in forms.values()):
        if (reason := account_closed(row) or paused(row)) is not None:
            raise reason  # nothing is submitted, let alone paid, for a row that its account cannot make
        row.session.notify(RowEvent(row.key, "media", row.settings.route.model))
    inline = [(field, address) for (field, address), form in forms.items() if form == "data"]
    if len(inline) > 1 and await _size(row, inline) > MOST_INLINE:
        forms |= dict.fromkeys(inline, "asset")
    media = {
        (field, address): row.session.media.medium(row.settings, address, KINDS[field], form)
        for (field, address), form in forms.items()
        if form != "as-is"
    }
    row.media = tuple(media.values())
    references: dict[tuple[str, str], str] = {}
    for number, (place, medium) in enumerate(media.items(), 1):
        extra_reserve = _extra_reserve(row, list(media.values())[number:])
        references[place] = await _reference(row, medium, upload, review, extra_reserve)
    return replaced(row.request, references)


def _extra_reserve(row: Row, later: Sequence[Medium]) -> Decimal:
    """What budget and limits have to hold in addition to a billed medium: the row itself, and its media that follow.

    Media that turn out to exist already are counted too, which only matters when the budget is almost exhausted.
    """
    limits, spending = row.session.limits, row.settings.account.spending_limits
    reserve = limits.reserve(row.planned.quote)
    if reserve is None or not (limits.budget or spending):
        return Decimal(0)
    missing = {medium: medium.billing_model for medium in later if medium.reference is None}
    prices = [medium.price_of(model) for medium, model in missing.items() if model is not None]
    return decimals.add(
        amount.value for amount in (reserve, *prices) if amount is not None and amount.currency == reserve.currency
    )


def _form(row: Row, field: str, address: str) -> Form:
    form = form_of(
        row.settings.route, field, address, review=row.planned.review, experimental=row.settings.experimental
    )
    if isinstance(form, Problem):
        raise InputError(message("row.medium_not_allowed", reason=form.message))
    return form


async def _size(row: Row, media: list[tuple[str, str]]) -> int:
    return sum([(await row.session.media.content(address)).bytes for _, address in media])


async def _reference(row: Row, medium: Medium, upload: MediumStep, review: MediumStep, extra_reserve: Decimal) -> str:
    if medium.form == "data":
        content = await medium.content()
        body = await asyncio.to_thread(content.path.read_bytes)
        return f"data:{content.mime_type};base64,{base64.b64encode(body).decode()}"
    step = upload if medium.form == "link" else review
    # Many rows of a run share one medium: the first one runs the step, the others wait for it.
    await row.session.media.once(medium, step, extra_reserve, is_probe=row.fallback.is_probe)
    if medium.reference is None:
        raise LedgerError(message("upload.no_reference", medium=medium.shown))
    return medium.reference


async def _record_error(row: Row, error: SeedanceError) -> None:
    error.row = row.key
    session = row.session
    if row.fallback.has_alternatives and may_fall_back(error, session.limits):
        refused_by_route(row, error)
        await leave(row, error, State.DEFERRED)
        return
    if not decide(error).again:
        close(row.circuit_breaker, row.settings.route.model, error, session.limits.limit_patience)
    await leave(row, error, state_before_create(error))
