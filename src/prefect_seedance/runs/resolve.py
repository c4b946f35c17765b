"""Settles unknown rows by a person's verdict: one, or all of a kind at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError, NotFound, SeedanceError
from prefect_seedance.ledger import Ledger, RowRecord, Verdict, add_up
from prefect_seedance.ledger.rows import assets, lookups, resolving
from prefect_seedance.messages import Message, message
from prefect_seedance.providers import ProviderClient, RouteSettings
from prefect_seedance.routes.pricing.amount import Amount

__all__ = ["Unknowns", "resolve_all", "resolve_row"]

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


AT_ONCE = 200
"""Rows that one transaction settles, so that others wait only briefly for the ledger."""


@dataclass(frozen=True)
class Unknowns:
    """Unknown rows, and what was done with them.

    Attributes:
        rows: The rows that were meant, as they were before.
        settled: How many of them were settled; None where they were only shown.
        text: All this in words: how many, why they are unknown, what they may have cost, and what was done.
    """

    rows: tuple[RowRecord, ...]
    settled: int | None
    text: Message

    def __str__(self) -> str:
        return str(self.text)


async def resolve_all(
    *,
    ledger_url: str,
    batch: str,
    verdict: Verdict,
    reason: str | None = None,
    since: str | None = None,
    until: str | None = None,
    take: str | None = None,
    confirm: bool = False,
) -> Unknowns:
    """Settle all unknown rows of a batch, or those of one reason or time; without `confirm` they are only shown.

    Args:
        ledger_url: The ledger.
        batch: The batch.
        verdict: `not_made` or `lost`; a job belongs to one row.
        reason: Only rows with this code or kind of error, such as `http-524`.
        since: Only creates that were sent at this time or later, such as `2026-11-30 21:00`; UTC, unless it names a
            zone.
        until: Only creates that were sent before this time.
        take: Only this take; None: all takes.
        confirm: Settle them.

    Raises:
        InputError: A time cannot be read, or the verdict is `job`.
    """
    if verdict == "job":
        raise InputError(message("resolve.job_of_many"))
    window = {"since": _moment("since", since), "until": _moment("until", until)}
    ledger = await Ledger.open(ledger_url)
    try:
        if await ledger.read(lookups.batch_id, batch) is None:
            raise InputError(message("resolve.no_batch", batch=batch))
        rows = await ledger.read(lookups.unknown_rows, batch, take=take, reason=reason, **window)
        shown = message("resolve.unknowns", rows=len(rows), batch=batch, cost=_worth(rows), reasons=_reasons(rows))
        if not rows:
            return Unknowns((), None, message("resolve.no_unknowns", batch=batch))
        if not confirm:
            return Unknowns(tuple(rows), None, message("resolve.only_shown", unknowns=shown))
        settled = 0
        for start in range(0, len(rows), AT_ONCE):
            some = {row.id: row for row in rows[start : start + AT_ONCE]}
            charges = {row.id: _charge(row, None) if verdict == "lost" else None for row in some.values()}
            settled += await ledger.write(resolving.resolve_many, some, verdict, charges)
    finally:
        await ledger.close()
    left = len(rows) - settled
    if verdict == "lost":
        text = message("resolve.all_lost", unknowns=shown, settled=settled, left=left)
    else:
        text = message("resolve.all_not_made", unknowns=shown, settled=settled, left=left, batch=batch)
    return Unknowns(tuple(rows), settled, text)


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None or not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(message("resolve.bad_time", name=name, text=text)) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _worth(rows: Sequence[RowRecord]) -> Message:
    """The most that these rows may have cost."""
    lines = add_up([row.attempt for row in rows if row.attempt is not None])
    if any(line.doubt is None or line.currency is None for line in lines):
        return message("spending.unknown_cost")
    sums: Counter[str] = Counter()
    for line in lines:
        sums[str(line.currency)] += line.doubt or Decimal(0)  # type: ignore[assignment]
    return message("spending.at_most", amounts=" + ".join(f"{sums[name]:f} {name}" for name in sorted(sums)))


def _reasons(rows: Sequence[RowRecord]) -> list[Message]:
    """How many rows have which code, most first, with the words of one of them."""
    words = {row.error_code or row.error_kind or "–": row.error_message or "" for row in rows}
    counts = Counter(row.error_code or row.error_kind or "–" for row in rows)
    return [
        message("resolve.reason", code=code, rows=number, words=words[code]) for code, number in counts.most_common()
    ]


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
