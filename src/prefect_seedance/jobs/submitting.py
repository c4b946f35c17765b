"""Handing a medium in to a provider's library; where that is billed, written down first and never paid twice."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable

from prefect_seedance.errors import Refused, SeedanceError, UnknownOutcome
from prefect_seedance.jobs.holding import held
from prefect_seedance.jobs.medium import Medium
from prefect_seedance.jobs.terms import OverBudget
from prefect_seedance.jobs.uploading import upload
from prefect_seedance.ledger import MaterialKey, MaterialRecord, MaterialState, Outcome
from prefect_seedance.ledger.holders import now
from prefect_seedance.media import slug
from prefect_seedance.routes.amount import Amount

__all__ = ["submit"]

Send = Callable[[], Awaitable[str]]
Look = Callable[[], Awaitable[str | None]]

GROUP_NAME = "prefect-seedance"
GROUP_MODEL = "volc-asset"
"""The price line of a group of assets (Anyfast: volc-asset guide: billed per request)."""

SETTLE = 2.0
"""Seconds before a lost answer is looked for in the provider's list."""


async def submit(medium: Medium, record: MaterialRecord) -> str:
    """Hand a medium in; returns the asset's id.

    Raises:
        Refused: The provider does not take it.
        UnknownOutcome: A billed request got no answer, and the asset is not found.
        OverBudget: It is billed, and the budget does not hold its price.
    """
    library = medium.library
    if medium.client.dialect.asset_billing_model(library, medium.kind) is not None:
        return await _billed(medium, record)
    url = medium.address
    if not medium.remote:
        # These libraries take links, no bytes: the file is uploaded first.
        await upload(medium)
        url = medium.reference or url
    stem = slug(medium.name.rpartition(".")[0] or medium.name)
    view = await medium.client.submit_asset(library, name=f"{stem}-{record.content[-8:]}", kind=medium.kind, url=url)
    return view.asset_id


async def _billed(medium: Medium, record: MaterialRecord) -> str:
    """Anyfast: the name tells the content, and names are unique in a group; so a lost answer can be looked up."""
    group = await _group(medium)
    name = record.content.removeprefix("url:")[:32]
    if record.state is MaterialState.FAILED:
        name = f"{name[:24]}-{medium.session.run.id[:7]}"
    elif found := await medium.client.find_asset(name, group):
        return found.asset_id
    url = medium.address if medium.remote else await _inline(medium)
    model = medium.client.dialect.asset_billing_model("volc", medium.kind) or GROUP_MODEL

    async def send() -> str:
        view = await medium.client.submit_asset("volc", name=name, kind=medium.kind, url=url, group=group)
        return view.asset_id

    async def look() -> str | None:
        found = await medium.client.find_asset(name, group)
        return found.asset_id if found else None

    return await _paid(medium, record, model, send, look)


async def _group(medium: Medium) -> str:
    account = medium.settings.account
    key = MaterialKey(account.provider, account.label, "group", "", "")
    async with held(medium, key, GROUP_NAME) as record:
        if record.state is MaterialState.READY and record.asset_id is not None:
            return record.asset_id

        async def look() -> str | None:
            return await medium.client.find_group(GROUP_NAME)

        group = await look() or await _paid(
            medium, record, GROUP_MODEL, lambda: medium.client.create_group(GROUP_NAME), look
        )
        session = medium.session
        await session.ledger.note_material(
            session.run, record.id, state=MaterialState.READY, asset_id=group, made_at=now()
        )
        return group


async def _paid(medium: Medium, record: MaterialRecord, model: str, send: Send, look: Look) -> str:
    """One billed request: written down, sent once, and looked for where its answer is lost."""
    session, ledger = medium.session, medium.session.ledger
    request = await ledger.ask_for_asset(
        session.run, record.id, billing_model=model, unit_price=_price(medium, model), budget=session.terms.budget
    )
    if request is None:
        raise OverBudget(
            f"The asset for {medium.shown} is billed per request ({model!r}), and what is left of the budget does not "
            f"hold its price, or the price book has none for {model!r}. Nothing was sent."
        )
    try:
        asset_id = await send()
    except UnknownOutcome as error:
        await ledger.asset_answered(session.run, request, Outcome.UNKNOWN, code=error.code, message=error.message)
        asset_id = await _looked_up(look, error)
    except SeedanceError as error:
        outcome = Outcome.REFUSED if isinstance(error, Refused) else Outcome.WITHDRAWN
        await ledger.asset_answered(session.run, request, outcome, code=error.code, message=error.message)
        raise
    await ledger.asset_answered(session.run, request, Outcome.CREATED, asset_id=asset_id)
    return asset_id


async def _looked_up(look: Look, error: UnknownOutcome) -> str:
    await asyncio.sleep(SETTLE)
    found = await look()
    if found is None:
        error.message = f"{error.message} The asset is not in the provider's list; the request may have been billed."
        raise error
    return found


async def _inline(medium: Medium) -> str:
    content = await medium.content()
    body = await asyncio.to_thread(content.path.read_bytes)
    return f"data:{content.mime_type};base64,{base64.b64encode(body).decode()}"


def _price(medium: Medium, model: str) -> Amount | None:
    prices = medium.settings.prices
    price = prices.prices.get(model) if prices else None
    return None if prices is None or price is None else Amount(price.amount, prices.currency)
