"""Before a row's create: each of its media in the form that its route takes, shared by all rows that use it."""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.fallback import may_move, refused_by_route
from prefect_seedance.errors import (
    AuthenticationError,
    InputError,
    InsufficientFunds,
    LedgerError,
    OverBudget,
    RateLimited,
    Refused,
    SeedanceError,
)
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.messages import message
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.forms import Form, form_of
from prefect_seedance.routes.media_fields import KINDS, addresses, replaced
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.problem import Problem

__all__ = ["MediumStep", "deliver"]

MediumStep = Callable[[Medium], Awaitable[object]]

MOST_INLINE = 44_000_000
"""Bytes of media that one request carries inline: with a third on top for Base64 it stays below the 64 MB that the
provider's upstream takes for a whole body. What is above goes by the asset library."""


async def deliver(row: Row, upload: MediumStep, review: MediumStep) -> None:
    """Bring all media of a row into form: afterwards `row.sendable` is the request as it may be sent.

    Does nothing for a row that is past its create.

    Raises:
        SeedanceError: A medium could not be brought into form. The row is `refused` if the provider said no to it,
            else `deferred` or `over_budget`: nothing was sent for it.
    """
    if row.state not in TAKEABLE or row.sendable is not None:
        return
    try:
        row.sendable = await _sendable(row, upload, review)
    except LedgerError:
        raise
    except SeedanceError as shared:
        error = copy.copy(shared)  # many rows may have fallen over the same medium
        await _told(row, error)
        raise error from None


async def _sendable(row: Row, upload: MediumStep, review: MediumStep) -> VideoRequest:
    forms = {(field, address): _form(row, field, address) for field, address in addresses(row.request)}
    if any(form != "as-is" for form in forms.values()):
        if (reason := row.session.closed.get(row.settings.account)) is not None:
            raise reason  # nothing is handed in, let alone paid, for a row that its account cannot make
        row.session.tell(RowEvent(row.key, "media", row.settings.route.model))
    inline = [(field, address) for (field, address), form in forms.items() if form == "data"]
    if len(inline) > 1 and await _size(row, inline) > MOST_INLINE:
        forms |= dict.fromkeys(inline, "asset")
    media = {
        (field, address): row.session.medium(row.settings, address, KINDS[field], form)
        for (field, address), form in forms.items()
        if form != "as-is"
    }
    references: dict[tuple[str, str], str] = {}
    for number, (place, medium) in enumerate(media.items(), 1):
        room = _room(row, list(media.values())[number:])
        references[place] = await _reference(row, medium, upload, review, room)
    return replaced(row.request, references)


def _room(row: Row, later: Sequence[Medium]) -> Decimal:
    """What a budget has to hold beside a medium that is paid for: the row itself, and its media that are yet to come.

    Those that turn out to be there already are held too high, which only matters where the last coin decides.
    """
    limits = row.session.limits
    if limits.budget is None:
        return Decimal(0)
    reserve = limits.reserve(row.quote)
    missing = {medium: medium.billing_model for medium in later if medium.reference is None}
    prices = [medium.price_of(model) for medium, model in missing.items() if model is not None]
    return decimals.add(
        amount.value
        for amount in (reserve, *prices)
        if amount is not None and amount.currency == limits.budget.currency
    )


def _form(row: Row, field: str, address: str) -> Form:
    form = form_of(row.settings.route, field, address, review=row.review, experimental=row.settings.experimental)
    if isinstance(form, Problem):
        raise InputError(message("row.medium_not_allowed", reason=form.message))
    return form


async def _size(row: Row, media: list[tuple[str, str]]) -> int:
    return sum([(await row.session.contents.of(address)).bytes for _, address in media])


async def _reference(row: Row, medium: Medium, upload: MediumStep, review: MediumStep, room: Decimal) -> str:
    if medium.form == "data":
        content = await medium.content()
        body = await asyncio.to_thread(content.path.read_bytes)
        return f"data:{content.mime_type};base64,{base64.b64encode(body).decode()}"
    step = upload if medium.form == "link" else review
    # Many rows of a run share one medium: the first one carries it, the others wait for the same step.
    await row.session.once(medium, step, room)
    if medium.reference is None:
        raise LedgerError(message("upload.no_reference", medium=medium.shown))
    return medium.reference


async def _told(row: Row, error: SeedanceError) -> None:
    error.row = row.key
    session = row.session
    if row.others and may_move(error, session.limits):
        refused_by_route(row, error)
        await session.ledger.put_off(session.run, row.id, error)
        row.moved(State.DEFERRED, error.message)
        return
    if isinstance(error, AuthenticationError | InsufficientFunds):
        session.circuit_breaker.close(row.settings, error, session.limits.limit_patience)
    if isinstance(error, Refused) and not isinstance(error, AuthenticationError | InsufficientFunds | RateLimited):
        await session.ledger.reject(session.run, row.id, error)
        row.moved(State.REFUSED, error.message)
    else:
        to = State.OVER_BUDGET if isinstance(error, OverBudget) else State.DEFERRED
        await session.ledger.put_off(session.run, row.id, error, to)
        row.moved(to, error.message)
