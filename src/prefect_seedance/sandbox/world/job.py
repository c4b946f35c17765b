"""A job of the sandbox. Everything about it is decided when it is accepted, so that no background work is needed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

from prefect_seedance.sandbox.world.bill import BillLine
from prefect_seedance.sandbox.world.faults import Progress, chance
from prefect_seedance.sandbox.world.prices import Charge

Phase = Literal["waiting", "running", "succeeded", "failed"]

#: Share of a job's duration that it waits before it runs.
WAITING_PART = 0.15
#: Number of equal intervals of a job with uneven progress.
UNEVEN_PARTS = 8


@dataclass(frozen=True)
class Clip:
    """The video that a job makes."""

    width: int
    height: int
    seconds: int
    resolution: str
    ratio: str
    has_audio: bool


@dataclass(frozen=True)
class Job:
    """One accepted generation.

    Attributes:
        id: The provider's id of the job.
        provider: `jimmy` or `anyfast`.
        account: The account that pays.
        key_tail: The last four characters of the key that created it.
        model: The requested model.
        request: The request body.
        request_sha256: Of the body in canonical JSON.
        prompt: Its prompt.
        action: Anyfast's word for the input mode; empty for Jimmy AI.
        created_at: Unix seconds.
        run_seconds: Seconds from acceptance to the end; None never ends.
        failure: Why it fails; None when it succeeds.
        clip: The video that it makes.
        tokens: The usage that Anyfast reports; None for Jimmy AI.
        charge: Its cost.
        refunds: Whether a failed job is refunded.
        link_seconds: Lifetime of a result link.
        effects: Names of its faults (see `Faults`).
    """

    id: str
    provider: str
    account: str
    key_tail: str
    model: str
    request: dict[str, Any]
    request_sha256: str
    prompt: str
    action: str
    created_at: float
    run_seconds: float | None
    failure: str | None
    clip: Clip
    tokens: int | None
    charge: Charge
    refunds: bool
    link_seconds: float
    effects: tuple[str, ...] = ()

    @property
    def finished_at(self) -> float | None:
        """Return when it ends, in Unix seconds; None if it never ends."""
        return None if self.run_seconds is None else self.created_at + self.run_seconds

    def phase(self, now: float) -> Phase:
        """Return the job's state."""
        if self.run_seconds is None:
            return "waiting" if now - self.created_at < 1 else "running"
        if now >= self.created_at + self.run_seconds:
            return "failed" if self.failure else "succeeded"
        return "waiting" if self.part_done(now) < WAITING_PART else "running"

    def part_done(self, now: float) -> float:
        """Return the elapsed share of its duration, 0 to 1; for an endless job it rises to 0.9 and stays there."""
        if self.run_seconds is None:
            return min(0.9, max(0.0, now - self.created_at) / 100)
        if self.run_seconds <= 0:
            return 1.0
        return min(1.0, max(0.0, (now - self.created_at) / self.run_seconds))

    def reported_progress(self, now: float, mode: Progress) -> float:
        """Return the progress that the provider reports, 0 to 1.

        With `uneven`, each eighth of the duration adds a different amount, between 0.5 and 1.5 times the mean: progress
        never goes back and is 1 at the end, but it does not say how much time is left.
        """
        done = self.part_done(now)
        if mode != "uneven":
            return done
        amounts = [0.5 + chance(0, "uneven", self.request_sha256, part) for part in range(UNEVEN_PARTS)]
        whole, rest = divmod(done * UNEVEN_PARTS, 1)
        partial = rest * amounts[int(whole)] if whole < UNEVEN_PARTS else 0.0
        return (sum(amounts[: int(whole)]) + partial) / sum(amounts)

    def bill_line(self, now: float, currency: str) -> BillLine:
        """Return its line of the bill at a time."""
        phase = self.phase(now)
        return BillLine(
            provider=self.provider,
            account=self.account,
            account_key_tail=self.key_tail,
            job_id=self.id,
            model=self.model,
            billing_model=self.charge.billing_model,
            unit=self.charge.unit,
            units=self.charge.units,
            unit_price=self.charge.unit_price,
            amount=self.charge.amount,
            currency=currency,
            state=phase,
            refunded=self.refunds and phase == "failed",
            created_at=self.created_at,
            request_sha256=self.request_sha256,
            prompt=self.prompt,
        )

    def to_json(self) -> str:
        """Return the job as JSON text for the store."""
        return json.dumps(asdict(self), default=str, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read a job from the store."""
        fields = json.loads(text)
        charge = fields.pop("charge")
        charge |= {"units": Decimal(charge["units"]), "unit_price": Decimal(charge["unit_price"])}
        return cls(
            **{
                **fields,
                "clip": Clip(**fields["clip"]),
                "charge": Charge(**charge),
                "effects": tuple(fields["effects"]),
            }
        )
