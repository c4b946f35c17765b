"""What goes into the ledger and what comes out of it, as plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from prefect_seedance.ledger.states import Outcome, Settlement, State
from prefect_seedance.routes.amount import Amount

__all__ = ["AttemptRecord", "Charge", "Intent", "Plan", "Proof", "RowRecord"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A row as it is meant: written before anything is spent."""

    key: str
    fingerprint: str
    request: Mapping[str, Any]
    provider: str
    account: str
    model: str
    file_name: str
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that is about to be sent, with the price as it is now (later price changes do not reach it).

    `reserve` is its worst case, which is held back from the batch's budget until it is settled.
    """

    row_id: int
    provider: str
    account: str
    model: str
    fingerprint: str
    billing_model: str
    unit: str
    unit_price: Decimal | None
    currency: str | None
    quote_low: Decimal | None
    quote_high: Decimal | None
    reserve: Amount | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """How an attempt's money stands; `amount` and `units` are None where they are not known."""

    settlement: Settlement
    units: Decimal | None = None
    amount: Decimal | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What was measured of a finished file before it was renamed into place. `modified_ns` comes with the rename."""

    path: str
    sha256: str
    bytes: int
    width: int
    height: int
    seconds: Decimal


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One create request as the ledger remembers it."""

    id: int
    row_id: int
    number: int
    run_id: str
    provider: str
    account: str
    model: str
    fingerprint: str
    sent_at: datetime
    answered_at: datetime | None
    outcome: Outcome
    http_status: int | None
    code: str | None
    message: str | None
    request_id: str | None
    job_id: str | None
    billing_model: str
    unit: str
    unit_price: Decimal | None
    currency: str | None
    quote_low: Decimal | None
    quote_high: Decimal | None
    settlement: Settlement
    tokens: int | None
    units: Decimal | None
    charge: Decimal | None
    reserved: Decimal | None
    reserve_currency: str | None
    resolution: str | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class RowRecord:
    """A row as the ledger remembers it, with its latest attempt."""

    id: int
    batch: str
    take: str
    key: str
    fingerprint: str
    request: Mapping[str, Any]
    provider: str
    account: str
    model: str
    state: State
    holder: str | None
    file_name: str
    folder: str | None
    path: str | None
    sha256: str | None
    bytes: int | None
    modified_ns: int | None
    width: int | None
    height: int | None
    seconds: Decimal | None
    error_kind: str | None
    error_code: str | None
    error_message: str | None
    planned_at: datetime
    finished_at: datetime | None
    stored_at: datetime | None
    link_expires_at: datetime | None
    attempt: AttemptRecord | None

    @property
    def job_id(self) -> str | None:
        """The provider's id of the latest job, where one is known."""
        return self.attempt.job_id if self.attempt else None
