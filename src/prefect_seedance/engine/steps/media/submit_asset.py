"""Submits a medium to a provider's library; a billed request is recorded first and never paid twice."""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal

from prefect_seedance.core.clock import now
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.steps.media.file_link import upload_file
from prefect_seedance.engine.steps.media.lock import held
from prefect_seedance.engine.steps.policy import close, decide
from prefect_seedance.errors import (
    DuplicateName,
    InputError,
    InvalidResponse,
    OverBudget,
    RateLimited,
    Refused,
    SeedanceError,
    UnknownOutcome,
    Unreachable,
)
from prefect_seedance.ledger import AssetRequest, MaterialKey, MaterialRecord, MaterialState, Outcome
from prefect_seedance.ledger.rows import assets, materials
from prefect_seedance.media import slug
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.amount import Amount

__all__ = ["submit"]

GROUP_NAME = "prefect-seedance"
GROUP_MODEL = "volc-asset"
"""The price line of a group of assets (Anyfast: volc-asset guide: billed per request)."""

LOOKUP_SECONDS = 60.0
"""Seconds after a request without an answer for which a run looks for its asset. An asset may be unknown for some 20
seconds after it was made (Anyfast, observed live), and lists may lag as well."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0
"""Seconds between two looks."""

LONGEST_NAME = 32


async def submit(medium: Medium, record: MaterialRecord) -> str:
    """Submit a medium; returns the asset's id.

    Raises:
        Refused: The provider does not accept it.
        UnknownOutcome: A billed request got no answer, and the asset is not found. No run sends it again.
        OverBudget: It is billed, and budget or spending limit do not hold its price and the row that needs it.
    """
    library = medium.library
    if medium.billing_model is not None:
        return await _billed(medium, record)
    url = medium.address
    if not medium.remote:
        # These libraries accept links only: the file is uploaded first.
        await upload_file(medium)
        url = medium.reference or url
    stem = slug(medium.name.rpartition(".")[0] or medium.name)
    view = await medium.client.submit_asset(library, name=f"{stem}-{record.content[-8:]}", kind=medium.kind, url=url)
    return view.asset_id


@dataclass(frozen=True, slots=True)
class _Purchase:
    """A billed request.

    Attributes:
        what: What it makes, for messages.
        model: Its price line.
        price: Its price; None where it is not known.
        extra_reserve: What budget and spending limits have to hold in addition to its price.
        send: Sends the request; returns the id.
        look: Looks for what the request makes; returns the id, or None.
    """

    what: Message
    model: str
    price: Amount | None
    extra_reserve: Decimal
    send: Callable[[], Awaitable[str]]
    look: Callable[[], Awaitable[str | None]]


async def _billed(medium: Medium, record: MaterialRecord) -> str:
    """Anyfast: the name identifies the content, and names are unique in a group; so a lost answer can be looked up."""
    group = await _group(medium)
    name = _name(record)
    model = medium.billing_model or GROUP_MODEL

    url = medium.address if medium.remote else await _inline(medium)

    async def send() -> str:
        view = await medium.client.submit_asset("volc", name=name, kind=medium.kind, url=url, group=group)
        return view.asset_id

    async def look() -> str | None:
        found = await medium.client.find_asset(name, group)
        return found.asset_id if found else None

    what = message("asset.named", name=name, medium=medium.shown)
    return await _get_or_buy(
        medium, record, _Purchase(what, model, medium.price_of(model), medium.extra_reserve, send, look)
    )


def _name(record: MaterialRecord) -> str:
    """The provider's name for this content; a failed one that is submitted again needs a new name."""
    content = record.content.removeprefix("url:")
    if record.attempt == 1:
        return content[:LONGEST_NAME]
    number = f"-{record.attempt}"
    return f"{content[: LONGEST_NAME - len(number)]}{number}"


async def _group(medium: Medium) -> str:
    """The account's group of assets. The first medium that needs it makes it; all others, in any run, wait for it."""
    account = medium.settings.account
    key = MaterialKey(account.provider, account.label, "group", "", "")
    async with held(medium, key, GROUP_NAME) as record:
        if record.state is MaterialState.READY and record.asset_id is not None:
            return record.asset_id
        price = medium.price_of(medium.billing_model or GROUP_MODEL)
        if price is None and (medium.session.limits.budget is not None or account.spending_limits):
            what = message("asset.of_medium", medium=medium.shown)
            raise _over_budget(what, medium.billing_model or GROUP_MODEL, message("asset.no_price"))
        extra_reserve = decimals.add((medium.extra_reserve, price.value)) if price else medium.extra_reserve
        client = medium.client
        group = await _get_or_buy(
            medium,
            record,
            _Purchase(
                what=message("asset.group_named", name=GROUP_NAME),
                model=GROUP_MODEL,
                price=medium.price_of(GROUP_MODEL),
                extra_reserve=extra_reserve,
                send=lambda: client.create_group(GROUP_NAME),
                look=lambda: client.find_group(GROUP_NAME),
            ),
        )
        session = medium.session
        await session.ledger.write(
            materials.note, session.run, record.id, state=MaterialState.READY, asset_id=group, made_at=now()
        )
        return group


async def _get_or_buy(medium: Medium, record: MaterialRecord, wanted: _Purchase) -> str:
    """The id of what is wanted: found, or paid for; after an unsettled earlier request only looked for (law 2)."""
    waiting = await medium.session.ledger.read(assets.waiting, record.id)
    if waiting is not None:
        return await _look_up(medium, record, wanted, waiting)
    reason = medium.circuit_breaker.reason_for_all()
    if reason is not None and not medium.is_probe:
        raise copy.copy(reason)
    if str(wanted.what) not in medium.not_found and (found := await wanted.look()) is not None:
        return found
    # One lookup is enough for all rows of this run whose budget does not hold it.
    medium.not_found.add(str(wanted.what))
    return await _buy(medium, record, wanted)


async def _buy(medium: Medium, record: MaterialRecord, wanted: _Purchase) -> str:
    """One billed request: recorded, sent once, and looked for where its answer is lost."""
    session, ledger = medium.session, medium.session.ledger
    try:
        request = await ledger.ask_for_asset(
            session.run,
            record.id,
            billing_model=wanted.model,
            unit_price=wanted.price,
            budget=session.limits.budget,
            limits=medium.settings.account.spending_limits,
            room=wanted.extra_reserve,
        )
    except OverBudget as error:
        raise _over_budget(wanted.what, wanted.model, error.text) from None

    async def withdraw() -> None:
        await ledger.write(assets.answer, session.run, request, Outcome.WITHDRAWN)

    await session.count(withdraw)
    try:
        asset_id = await wanted.send()
    except DuplicateName as error:
        # Proven: this request made nothing. The asset of this name is the wanted one, however it was made.
        await ledger.write(assets.answer, session.run, request, Outcome.REFUSED, code=error.code, reason=error.message)
        return await _look_up(medium, record, wanted, None)
    except (Refused, Unreachable, InputError) as error:
        outcome = Outcome.REFUSED if isinstance(error, Refused) else Outcome.WITHDRAWN
        await ledger.write(assets.answer, session.run, request, outcome, code=error.code, reason=error.message)
        if not decide(error).again:
            close(medium.circuit_breaker, medium.settings.route.model, error, session.limits.limit_patience)
        raise
    except SeedanceError as error:
        await ledger.write(assets.answer, session.run, request, Outcome.UNKNOWN, code=error.code, reason=error.message)
        return await _look_up(medium, record, wanted, await ledger.read(assets.waiting, record.id))
    except BaseException as error:
        text = message("asset.request_unanswered", reason=type(error).__name__)
        await ledger.write(assets.answer, session.run, request, Outcome.UNKNOWN, reason=str(text))
        raise
    await ledger.write(assets.answer, session.run, request, Outcome.CREATED, asset_id=asset_id)
    return asset_id


async def _look_up(medium: Medium, record: MaterialRecord, wanted: _Purchase, waiting: AssetRequest | None) -> str:
    """What a request without an answer has made; `waiting` is None where another process's request has made it."""
    clock = asyncio.get_running_loop().time
    passed = 0.0 if waiting is None else (now() - waiting.sent_at).total_seconds()
    until, pause = clock() + LOOKUP_SECONDS - passed, FIRST_PAUSE
    trouble: SeedanceError | None = None
    while True:
        try:
            found, trouble = await wanted.look(), None
        except (Unreachable, InvalidResponse, RateLimited) as error:
            found, trouble = None, error
        if found is not None:
            await medium.session.ledger.write(assets.found, medium.session.run, record.id, found)
            return found
        if clock() + pause > until:
            raise _unsettled(medium, wanted, waiting, trouble)
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _unsettled(
    medium: Medium, wanted: _Purchase, waiting: AssetRequest | None, trouble: SeedanceError | None
) -> UnknownOutcome:
    provider = medium.settings.account.provider
    if waiting is None:
        text, code = message("asset.duplicate_not_listed", provider=provider, what=wanted.what), "duplicate_unseen"
    else:
        unknown = waiting.unit_price is None
        price = message("asset.price_unknown") if unknown else f"{waiting.unit_price} {waiting.currency}"
        text = message(
            "asset.answer_lost",
            what=wanted.what,
            sent_at=f"{waiting.sent_at:%Y-%m-%d %H:%M:%S}",
            model=waiting.billing_model,
            price=price,
            provider=provider,
            batch=waiting.batch,
            request=waiting.id,
        )
        code = waiting.code or "asset_unknown"
    if trouble is not None:
        text = message("asset.lookup_failed", text=text, error=trouble.text)
    return UnknownOutcome(text, provider=provider, code=code)


def _over_budget(what: Message, model: str, reason: Message | str) -> OverBudget:
    return OverBudget(message("asset.over_budget", what=what, model=model, reason=reason))


async def _inline(medium: Medium) -> str:
    content = await medium.content()
    body = await asyncio.to_thread(content.path.read_bytes)
    return f"data:{content.mime_type};base64,{base64.b64encode(body).decode()}"
