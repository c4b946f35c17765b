"""Settling an unknown row by a person's word."""

from __future__ import annotations

from decimal import Decimal

from prefect_seedance.errors import UserMistake
from prefect_seedance.ledger import Ledger, RowRecord, Verdict
from prefect_seedance.routes.amount import Amount

__all__ = ["resolve_row"]


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
        row: The row key.
        verdict: What a person found out; see `ledger.Verdict`.
        job_id: The provider's id of the job, for `job`.
        cost: What it cost, such as `0.25 CNY`, for `lost`; None takes the quote, where that was exact.
        take: The take.

    Raises:
        UserMistake: There is nothing to resolve, or something is missing or does not fit.
    """
    ledger = await Ledger.open(ledger_url)
    try:
        record = await ledger.find(batch, take, row)
        if record is None:
            raise UserMistake(f"Batch {batch!r} has no row {row!r} in take {take!r}. Nothing was changed.")
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


def _charge(record: RowRecord, cost: str | None) -> Decimal | None:
    attempt = record.attempt
    if cost is not None:
        amount = Amount.parse(cost, "cost")
        if attempt is not None and attempt.currency not in {None, amount.currency}:
            raise UserMistake(
                f"cost={cost!r}: this row is priced in {attempt.currency}; currencies are never converted. Nothing was "
                "changed.",
                row=record.key,
            )
        return amount.value
    if attempt is not None and attempt.quote_low == attempt.quote_high:
        return attempt.quote_low
    return None
