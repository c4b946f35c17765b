"""The sandbox's own books: one line for each job that it accepted, and for each asset and group that is billed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from prefect_seedance.sandbox.world.prices import Unit


@dataclass(frozen=True)
class BillLine:
    """What one accepted job (or one request for an asset or a group) costs the account.

    Attributes:
        provider: `jimmy` or `anyfast`.
        account: `provider` or `provider/account`, as the key was registered.
        account_key_tail: The last four characters of the key that paid.
        job_id: The job (or the asset, or the group), as the create answered or would have answered, had the answer not
            been lost.
        model: The requested model.
        billing_model: The name of the price line.
        unit: What is counted; `request` for assets and groups.
        units: How many were counted.
        unit_price: The price of one.
        amount: What was taken for the job.
        currency: The currency of both.
        state: `waiting`, `running`, `succeeded` or `failed`, at the time of asking.
        refunded: Whether the amount was given back, because the job failed.
        created_at: Unix seconds.
        request_sha256: Of the request body in canonical JSON: equal requests have equal hashes.
        prompt: The prompt (or the name of the asset), so that a person finds the line.
    """

    provider: str
    account: str
    account_key_tail: str
    job_id: str
    model: str
    billing_model: str
    unit: Unit
    units: Decimal
    unit_price: Decimal
    amount: Decimal
    currency: str
    state: str
    refunded: bool
    created_at: float
    request_sha256: str
    prompt: str

    @property
    def cost(self) -> Decimal:
        """Return what the account is really out of pocket: the amount, or nothing after a refund."""
        return Decimal(0) if self.refunded else self.amount

    def to_json(self) -> dict[str, Any]:
        """Return the line with decimals as text."""
        line = {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}
        return {**line, "cost": str(self.cost)}
