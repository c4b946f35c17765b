"""Settles an unknown row by a person's verdict."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError, NotFound, SeedanceError
from prefect_seedance.ledger import Ledger, RowRecord, Verdict
from prefect_seedance.ledger.rows import assets, lookups
from prefect_seedance.messages import Message, message
from prefect_seedance.providers import ProviderClient, RouteSettings
from prefect_seedance.routes.pricing.amount import Amount

__all__ = ["resolve_row"]

RoutesFor = Callable[[RowRecord], Awaitable[Sequence[RouteSettings]]]
"""Returns routes whose accounts may know a row's job."""

_ASSET = re.compile(r"asset:([0-9]{1,18})")
"""The name of a billed asset request, in place of a row key."""


async def resolve_row(
    *,
    ledger_url: str,
    batch: str,
    row: str,
    verdict: Verdict,
    job_id: str | None = None,
    cost: str | None = None,
    take: str = "1",
    routes_for: RoutesFor | None = None,
) -> str:
    """Settle an unknown row; returns a sentence that says what was done.

    The verdict `job` also corrects a job that a person has named before, and takes up an expired row again. The
    provider is asked about the job first, for free.

    Args:
        ledger_url: The ledger.
        batch: The batch.
        row: The row key; `asset:7` for the billed asset request of that number in a message.
        verdict: What a person has found out; see `ledger.Verdict`.
        job_id: The provider's id of the job, or of the asset or group, for `job`; None takes the job that the row's
            answer names.
        cost: What it cost, such as `0.25 CNY`, for `lost`; None takes the quote where low and high are equal.
        take: The take.
        routes_for: Returns routes, one of which may have the key of the row's account; None asks no provider.

    Raises:
        InputError: There is nothing to resolve, something is missing or does not fit, or the provider does not know the
            job.
    """
    ledger = await Ledger.open(ledger_url)
    try:
        record = await ledger.read(lookups.row_by_key, batch, take, row)
        if record is None and (asset := _ASSET.fullmatch(row)) is not None:
            if cost is not None:
                raise InputError(message("resolve.asset_cost"))
            await ledger.write(assets.resolve, batch, int(asset[1]), verdict, asset_id=job_id)
            return _asset_told(int(asset[1]), verdict, job_id)
        if record is None:
            raise InputError(message("resolve.no_row", batch=batch, take=take, key=row))
        if verdict == "job":
            job_id = job_id or record.named_job
        charge = _charge(record, cost) if verdict == "lost" else None
        asked = None
        if verdict == "job" and job_id:
            asked = await _ask(record, job_id.strip(), routes_for)
        await ledger.resolve(batch, take, row, verdict, job_id=job_id, charge=charge)
    finally:
        await ledger.close()
    match verdict:
        case "job":
            return str(message("resolve.row_has_job", row=row, job=job_id, batch=batch, asked=asked or ""))
        case "lost":
            if charge is None:
                return str(message("resolve.row_lost_unpriced", row=row))
            currency = record.attempt.currency if record.attempt else None
            return str(message("resolve.row_lost", row=row, amount=f"{charge:f} {currency}"))
        case _:
            return str(message("resolve.row_not_made", row=row, batch=batch))


async def _ask(record: RowRecord, job_id: str, routes_for: RoutesFor | None) -> Message:
    """Ask the provider about a job before the ledger takes it; returns what it said, in words.

    Raises:
        InputError: It does not know the job.
    """
    owner = (record.provider, record.account)
    routes = [] if routes_for is None else await routes_for(record)
    account = next((each.account for each in routes if (each.account.provider, each.account.label) == owner), None)
    if account is None:
        return message("resolve.job_not_asked", account="/".join(owner))
    try:
        async with ProviderClient(account) as client:
            view = await client.query(job_id)
    except NotFound as error:
        text = message("resolve.job_not_there", job=job_id, provider=record.provider, reason=error.text)
        raise InputError(text, row=record.key) from None
    except SeedanceError as error:
        return message("resolve.job_not_answered", provider=record.provider, reason=error.text)
    return message("resolve.job_is_there", provider=record.provider, state=view.state.value, time=f"{now():%H:%M} UTC")


def _asset_told(number: int, verdict: Verdict, asset_id: str | None) -> str:
    match verdict:
        case "job":
            return str(message("resolve.asset_made", request=number, asset=asset_id))
        case "lost":
            return str(message("resolve.asset_lost", request=number))
        case _:
            return str(message("resolve.asset_not_made", request=number))


def _charge(record: RowRecord, cost: str | None) -> Decimal | None:
    attempt = record.attempt
    if cost is not None:
        amount = Amount.parse(cost, "cost")
        if attempt is not None and attempt.currency not in {None, amount.currency}:
            text = message("resolve.other_currency", cost=cost, currency=attempt.currency)
            raise InputError(text, row=record.key)
        return amount.value
    if attempt is not None and attempt.quote_low == attempt.quote_high:
        return attempt.quote_low
    return None
