"""The audit trail: every attempt of a batch, for a dispute with a provider."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from prefect_seedance.errors import InputError
from prefect_seedance.ledger import ASSETS, AssetRequest, AttemptRecord, Outcome, RowRecord
from prefect_seedance.messages import message
from prefect_seedance.reports.formulas import as_text

__all__ = ["AUDIT_COLUMNS", "write_audit"]

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
        as_text(attempt.code or ""),
        as_text(attempt.message or ""),
        as_text(attempt.request_id or ""),
        as_text(attempt.job_id or ""),
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
        "provider_code": as_text(request.code or ""),
        "message": as_text(request.message or ""),
        "job_id": as_text(request.asset_id or ""),
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
