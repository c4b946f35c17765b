"""The audit trail: every attempt of a batch, for a dispute with a provider; and the comparison with its bill."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from prefect_seedance.errors import InputError
from prefect_seedance.ledger import ASSETS, AssetRequest, AttemptRecord, Outcome, RowRecord, Settlement
from prefect_seedance.messages import Message, message

__all__ = ["AUDIT_COLUMNS", "BillMatch", "match_bill", "read_bill", "write_audit"]

AUDIT_COLUMNS = (
    "batch",
    "take",
    "row",
    "attempt",
    "provider",
    "account",
    "model",
    "request_fingerprint",
    "sent_at",
    "answered_at",
    "outcome",
    "http_status",
    "provider_code",
    "message",
    "request_id",
    "job_id",
    "billing_model",
    "unit",
    "units",
    "tokens",
    "unit_price",
    "quote_low",
    "quote_high",
    "settlement",
    "charge",
    "currency",
    "resolution",
    "resolved_at",
)

_JOB_HEADINGS = ("job_id", "task_id", "taskid", "job", "task", "id", "任务id", "任务编号")
_AMOUNT_HEADINGS = ("amount", "charge", "cost", "fee", "price", "金额", "费用", "消费")


def write_audit(
    path: Path, rows: Iterable[RowRecord], attempts: Iterable[AttemptRecord], assets: Iterable[AssetRequest] = ()
) -> int:
    """Write every attempt, and every billed asset request, as a line of CSV. Returns how many.

    The file has no secrets, since the ledger has none.

    Raises:
        InputError: The file cannot be written.
    """
    by_id = {row.id: row for row in rows}
    try:
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.writer(file)
            writer.writerow(AUDIT_COLUMNS)
            lines = [_line(by_id[attempt.row_id], attempt) for attempt in attempts if attempt.row_id in by_id]
            lines += [_asset_line(request) for request in assets]
            writer.writerows(lines)
    except OSError as error:
        raise InputError(message("audit.not_written", path=path, reason=error.strerror or error)) from None
    return len(lines)


def _line(row: RowRecord, attempt: AttemptRecord) -> tuple[object, ...]:
    return (
        row.batch,
        row.take,
        row.key,
        attempt.number,
        attempt.provider,
        attempt.account,
        attempt.model,
        attempt.fingerprint,
        attempt.sent_at.isoformat(),
        attempt.answered_at.isoformat() if attempt.answered_at else "",
        attempt.outcome.value,
        attempt.http_status,
        attempt.code,
        attempt.message,
        attempt.request_id,
        attempt.job_id,
        attempt.billing_model,
        attempt.unit,
        _decimal_text(attempt.units),
        attempt.tokens,
        _decimal_text(attempt.unit_price),
        _decimal_text(attempt.quote_low),
        _decimal_text(attempt.quote_high),
        attempt.settlement.value,
        _decimal_text(attempt.charge),
        attempt.currency,
        attempt.resolution,
        attempt.resolved_at.isoformat() if attempt.resolved_at else "",
    )


def _asset_line(request: AssetRequest) -> tuple[object, ...]:
    """The line of an asset request. It belongs to no row, since many rows may use the asset."""
    facts = {
        "provider": request.provider,
        "account": request.account,
        "model": ASSETS,
        "sent_at": request.sent_at.isoformat(),
        "answered_at": request.answered_at.isoformat() if request.answered_at else "",
        "outcome": request.outcome.value,
        "provider_code": request.code,
        "message": request.message,
        "job_id": request.asset_id,
        "billing_model": request.billing_model,
        "unit": "request",
        "units": "1" if request.outcome is Outcome.CREATED else "",
        "unit_price": _decimal_text(request.unit_price),
        "charge": _decimal_text(request.unit_price) if request.outcome is Outcome.CREATED else "",
        "currency": request.currency,
    }
    return tuple(facts.get(name, "") for name in AUDIT_COLUMNS)


def _decimal_text(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


@dataclass(frozen=True, slots=True)
class BillMatch:
    """One job, as the ledger and the provider's bill have it.

    Attributes:
        job_id: The job.
        verdict: `agreed`, `differs`, `amount unknown here`, `missing there` (we expect a charge, the bill has none), or
            `missing here` (billed, and the ledger does not know the job).
        row: The row, where the ledger knows the job.
        here: Our charge; None where the charge or the job is not known.
        there: The bill's amount; None where the bill does not name the job.
    """

    job_id: str
    verdict: str
    row: str | None
    here: Decimal | None
    there: Decimal | None


def read_bill(path: Path, job_column: str | None = None, amount_column: str | None = None) -> dict[str, Decimal]:
    """Read a provider's bill (CSV): the amount of each job; several lines of one job are added up.

    Args:
        path: The file.
        job_column: The heading of the job's id; None: one of the usual headings.
        amount_column: The heading of the amount; None: one of the usual headings.

    Raises:
        InputError: It cannot be read, or has no such columns.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            headings = list(reader.fieldnames or [])
            no_job = message("audit.no_job_column", path=path, headings=headings)
            no_amount = message("audit.no_amount_column", path=path, headings=headings)
            job = _heading(headings, job_column, _JOB_HEADINGS, no_job)
            amount = _heading(headings, amount_column, _AMOUNT_HEADINGS, no_amount)
            return _amounts(reader, job, amount, path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(message("audit.unreadable_bill", path=path, reason=error)) from None


def _heading(headings: Sequence[str], chosen: str | None, known: Sequence[str], missing: Message) -> str:
    wanted = [chosen] if chosen else known
    for name in wanted:
        for heading in headings:
            if heading.strip().casefold() == name.casefold():
                return heading
    raise InputError(missing)


def _amounts(lines: Iterable[Mapping[str, str]], job: str, amount: str, path: Path) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for number, line in enumerate(lines, start=2):
        name = (line[job] or "").strip()
        if not name:
            continue
        try:
            value = Decimal((line[amount] or "0").strip().replace(",", ""))
        except InvalidOperation:
            bad = message("audit.not_an_amount", path=path, line=number, column=amount, value=line[amount])
            raise InputError(bad) from None
        found[name] = found.get(name, Decimal(0)) + value
    return found


def match_bill(
    rows: Iterable[RowRecord],
    attempts: Iterable[AttemptRecord],
    bill: Mapping[str, Decimal],
    assets: Iterable[AssetRequest] = (),
) -> list[BillMatch]:
    """Compare the ledger's jobs and billed assets with the provider's bill. Disagreements come first."""
    keys = {row.id: row.key for row in rows}
    matches = []
    ours = {attempt.job_id: attempt for attempt in attempts if attempt.job_id}
    for job_id, attempt in ours.items():
        here = Decimal(0) if attempt.settlement is Settlement.REFUNDED else attempt.charge
        there = bill.get(job_id)
        matches.append(BillMatch(job_id, _verdict(here, there), keys.get(attempt.row_id), here, there))
    bought = {request.asset_id: request.unit_price for request in assets if request.asset_id}
    for asset_id, price in bought.items():
        matches.append(BillMatch(asset_id, _verdict(price, bill.get(asset_id)), None, price, bill.get(asset_id)))
    known = {*ours, *bought}
    matches += [BillMatch(job, "missing here", None, None, there) for job, there in bill.items() if job not in known]
    return sorted(matches, key=lambda match: (match.verdict == "agreed", match.verdict))


def _verdict(here: Decimal | None, there: Decimal | None) -> str:
    if there is None:
        return "agreed" if here == 0 else "missing there"
    if here is None:
        return "amount unknown here"
    return "agreed" if here == there else "differs"
