"""Settling an unknown row by a person's word."""

from __future__ import annotations

import re
from decimal import Decimal

from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger, RowRecord, Verdict
from prefect_seedance.routes.amount import Amount

__all__ = ["resolve_row"]

_ASSET = re.compile(r"asset:([0-9]{1,18})")
"""How a billed request for an asset is named where a row would be."""


async def resolve_row(
    *,
    ledger_url: str,
    batch: str,
    row: str,
    verdict: Verdict,
    job_id: str | None = None,
    cost: str | None = None,
    take: str = "1",
) -> str:
    """Settle an unknown row; returns what was done, in words.

    Args:
        ledger_url: The ledger.
        batch: The batch.
        row: The row key; `asset:7` for the billed asset request that a message names so.
        verdict: What a person found out; see `ledger.Verdict`.
        job_id: The provider's id of the job, or of the asset or group, for `job`.
        cost: What it cost, such as `0.25 CNY`, for `lost`; None takes the quote, where that was exact.
        take: The take.

    Raises:
        InputError: There is nothing to resolve, or something is missing or does not fit.
    """
    ledger = await Ledger.open(ledger_url)
    try:
        record = await ledger.find(batch, take, row)
        if record is None and (asset := _ASSET.fullmatch(row)) is not None:
            if cost is not None:
                raise InputError(
                    "An asset request costs what its price line says: leave cost out. Nothing was changed."
                )
            await ledger.resolve_asset(batch, int(asset[1]), verdict, asset_id=job_id)
            return _asset_told(int(asset[1]), verdict, job_id)
        if record is None:
            raise InputError(f"Batch {batch!r} has no row {row!r} in take {take!r}. Nothing was changed.")
        charge = _charge(record, cost) if verdict == "lost" else None
        await ledger.resolve(batch, take, row, verdict, job_id=job_id, charge=charge)
    finally:
        await ledger.close()
    match verdict:
        case "job":
            return f"Row {row!r} follows job {job_id} now: the next run of batch {batch!r}, or a sweep, fetches it."
        case "lost":
            currency = record.attempt.currency if record.attempt else None
            amount = "an unknown amount" if charge is None else f"{charge:f} {currency}"
            return f"Row {row!r} counts as made and lost, for {amount}."
        case _:
            return f"Row {row!r} was not made: the next run of batch {batch!r} makes it."


def _asset_told(number: int, verdict: Verdict, asset_id: str | None) -> str:
    match verdict:
        case "job":
            return f"Asset request {number} made {asset_id}: the next run uses it."
        case "lost":
            return f"Asset request {number} counts as billed and lost: the next run that needs the medium asks anew."
        case _:
            return f"Asset request {number} made nothing: the next run that needs the medium asks anew."


def _charge(record: RowRecord, cost: str | None) -> Decimal | None:
    attempt = record.attempt
    if cost is not None:
        amount = Amount.parse(cost, "cost")
        if attempt is not None and attempt.currency not in {None, amount.currency}:
            raise InputError(
                f"cost={cost!r}: this row is priced in {attempt.currency}; currencies are never converted. Nothing was "
                "changed.",
                row=record.key,
            )
        return amount.value
    if attempt is not None and attempt.quote_low == attempt.quote_high:
        return attempt.quote_low
    return None
