"""The ledger's input and output as frozen records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any, NamedTuple, TypeVar

from prefect_seedance.ledger.states import MaterialState, Outcome, Settlement, State
from prefect_seedance.routes.pricing.amount import Amount

__all__ = [
    "AssetRequest",
    "AttemptRecord",
    "Charge",
    "Intent",
    "Mark",
    "MaterialKey",
    "MaterialRecord",
    "Plan",
    "Proof",
    "RowRecord",
]


R = TypeVar("R")

BESIDE = "beside"
"""The code of an attempt whose job came to light beside the row's own job, and is not followed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a row, written before anything is spent.

    `accepts` has the fingerprints of its other candidate routes, and those of an earlier version: the row may be in the
    ledger under one of them.
    """

    key: str
    fingerprint: str
    request: Mapping[str, Any]
    provider: str
    account: str
    model: str
    file_name: str
    folder: str | None = None
    accepts: frozenset[str] = frozenset()

    def knows(self, fingerprint: str) -> bool:
        """Whether a row that was planned under this fingerprint is this row."""
        return fingerprint == self.fingerprint or fingerprint in self.accepts


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that is about to be sent, with the present price (later price changes do not affect it).

    `reserve` is its worst-case cost, reserved in the batch's budget until it is settled. `reference_seconds` is the
    length of its reference videos, where it was measured, since the charge depends on it. `request` is the request for
    this route, where the row has several candidates; `passed` says which of them refused it, and why.
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
    reference_seconds: Decimal | None = None
    key_fingerprint: str | None = None
    request: Mapping[str, Any] | None = None
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Charge:
    """The charge of an attempt; `amount` and `units` are None where they are not known."""

    settlement: Settlement
    units: Decimal | None = None
    amount: Decimal | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What was measured of a finished file before it was moved into place. The move yields `modified_ns` and `etag`.

    `remarks` say what differs from the request, and what is unusual about the file.
    """

    path: str
    sha256: str
    bytes: int
    width: int
    height: int
    seconds: Decimal
    remarks: tuple[str, ...] = ()


def _restore(record: Any, values: Sequence[Any]) -> None:
    """Restore a pickled record; one of an earlier release has none of the fields that were added since."""
    for field, value in zip_longest(fields(record), values):
        object.__setattr__(record, field.name, value)


def _of_any_release(record: type[R]) -> type[R]:
    # Before Python 3.11.3, `dataclass` replaces a `__setstate__` that stands in the class.
    record.__setstate__ = _restore  # type: ignore[attr-defined]
    return record


@_of_any_release
@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One create request in the ledger."""

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
    reference_seconds: Decimal | None
    resolution: str | None
    resolved_at: datetime | None
    # Pickled records go by position, so new fields stand at the end.
    key_fingerprint: str | None = None
    named_job: str | None = None

    @property
    def is_evidence(self) -> bool:
        """Whether it names a job that may have been paid, and whose cost is unknown since no run follows it."""
        return self.code == BESIDE and self.settlement is Settlement.UNKNOWN


@_of_any_release
@dataclass(frozen=True, slots=True)
class RowRecord:
    """A row in the ledger, with its latest attempt."""

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
    etag: str | None
    width: int | None
    height: int | None
    seconds: Decimal | None
    remarks: tuple[str, ...]
    passed: tuple[str, ...]
    error_kind: str | None
    error_code: str | None
    error_message: str | None
    planned_at: datetime
    finished_at: datetime | None
    stored_at: datetime | None
    link_expires_at: datetime | None
    attempt: AttemptRecord | None
    absent_since: datetime | None = None

    @property
    def job_id(self) -> str | None:
        """The provider's id of the latest job; None where it is not known."""
        return self.attempt.job_id if self.attempt else None

    @property
    def named_job(self) -> str | None:
        """The job that the answer of an unknown row names; None for other rows, or where it names none."""
        return self.attempt.named_job if self.state is State.UNKNOWN and self.attempt else None


class Mark(NamedTuple):
    """The fields of a row that decide whether it needs work."""

    id: int
    key: str
    fingerprint: str
    state: State
    folder: str | None
    path: str | None
    sha256: str | None
    bytes: int | None
    modified_ns: int | None
    etag: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class MaterialKey:
    """Identifies a medium: one content in one form at one account.

    Attributes:
        provider: The provider.
        account: The account's label.
        form: `link` for an upload, `asset` or `portrait` for a library, `group` for Anyfast's group of assets.
        kind: `image`, `video` or `audio`; empty for a group.
        content: The sha256 of the bytes; `url:` and a hash of the address where the bytes were not fetched.
    """

    provider: str
    account: str
    form: str
    kind: str
    content: str


@dataclass(frozen=True, slots=True)
class MaterialRecord:
    """A medium in the ledger.

    `attempt` counts its submissions from 1: a failed review may be repeated. `failed_by` is the run in which its review
    failed.
    """

    id: int
    provider: str
    account: str
    form: str
    kind: str
    content: str
    name: str
    state: MaterialState
    holder: str | None
    asset_id: str | None
    reference: str | None
    error_code: str | None
    error_message: str | None
    failed_by: str | None
    attempt: int
    bytes: int | None
    made_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class AssetRequest:
    """One billed request for an asset in the ledger.

    `reserved` is its worst-case cost as the user states it, where it has no price; `resolution` is a person's verdict.
    """

    id: int
    material_id: int
    batch: str
    run_id: str
    provider: str
    account: str
    billing_model: str
    unit_price: Decimal | None
    currency: str | None
    sent_at: datetime
    answered_at: datetime | None
    outcome: Outcome
    asset_id: str | None
    code: str | None
    message: str | None
    reserved: Decimal | None
    resolution: str | None
    resolved_at: datetime | None
