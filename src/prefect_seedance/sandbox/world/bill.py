"""The sandbox's bill: one line for each accepted job, and for each billed asset and group."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from prefect_seedance.sandbox.world.prices import Unit


@dataclass(frozen=True)
class BillLine:
    """The charge for one accepted job, or for one request for an asset or a group.

    Attributes:
        provider: `jimmy` or `anyfast`.
        account: `provider` or `provider/account`, as the key was registered.
        account_key_tail: The last four characters of the key that paid.
        job_id: The id of the job, asset or group that the create returned, or would have returned if its answer had not
            been lost.
        model: The requested model.
        billing_model: The provider's name of the price line.
        unit: What is counted; `request` for assets and groups.
        units: How many.
        unit_price: The price of one.
        amount: The charge before any refund.
        currency: The currency of `unit_price` and `amount`.
        state: `waiting`, `running`, `succeeded` or `failed`, when the bill was read.
        refunded: Whether the amount was refunded because the job failed.
        created_at: Unix seconds.
        request_sha256: Of the request body in canonical JSON: equal requests have equal hashes.
        prompt: The prompt, or the name of the asset, to find the line by.
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
        """Return the net cost: the amount, or 0 after a refund."""
        return Decimal(0) if self.refunded else self.amount

    def to_json(self) -> dict[str, Any]:
        """Return the line as JSON, with decimals as text."""
        line = {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}
        return {**line, "cost": str(self.cost)}
