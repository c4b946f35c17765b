"""A job of the sandbox: all of its future is decided when it is accepted, so that it needs no clockwork."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

from prefect_seedance.sandbox.world.bill import BillLine
from prefect_seedance.sandbox.world.faults import Progress, chance
from prefect_seedance.sandbox.world.prices import Charge

Phase = Literal["waiting", "running", "succeeded", "failed"]

#: The part of a job's time that it waits before it runs.
WAITING_PART = 0.15
#: Into so many equal times a job is cut whose progress is uneven.
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
        account: Whose job it is.
        key_tail: The last four characters of the key that made it.
        model: The requested model.
        request: The request body.
        request_sha256: Of the body in canonical JSON.
        prompt: Its prompt.
        action: Anyfast's word for the input mode; empty for Jimmy AI.
        created_at: Unix seconds.
        run_seconds: From acceptance to the end; None never ends.
        failure: Why it fails in the end; None when it succeeds.
        clip: What it delivers.
        tokens: What Anyfast reports as usage; None for Jimmy AI.
        charge: What it costs.
        refunds: Whether a failure gives the money back.
        link_seconds: How long a result link lives.
        effects: Names of what goes wrong with its result (see `Faults`).
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
        """Return when it ends, in Unix seconds; None if never."""
        return None if self.run_seconds is None else self.created_at + self.run_seconds

    def phase(self, now: float) -> Phase:
        """Return where the job stands."""
        if self.run_seconds is None:
            return "waiting" if now - self.created_at < 1 else "running"
        if now >= self.created_at + self.run_seconds:
            return "failed" if self.failure else "succeeded"
        return "waiting" if self.part_done(now) < WAITING_PART else "running"

    def part_done(self, now: float) -> float:
        """Return the honest part of the way behind it, 0 to 1; an endless job creeps up to 0.9 and stays there."""
        if self.run_seconds is None:
            return min(0.9, max(0.0, now - self.created_at) / 100)
        if self.run_seconds <= 0:
            return 1.0
        return min(1.0, max(0.0, (now - self.created_at) / self.run_seconds))

    def part_told(self, now: float, way: Progress) -> float:
        """Return the progress that the provider tells, 0 to 1.

        Uneven, each eighth of the time brings an amount of its own, between half and one and a half of the mean: honest
        in that it never goes back and is through at the end, and yet nothing to reckon with as it stands.
        """
        done = self.part_done(now)
        if way != "uneven":
            return done
        amounts = [0.5 + chance(0, "uneven", self.request_sha256, part) for part in range(UNEVEN_PARTS)]
        whole, rest = divmod(done * UNEVEN_PARTS, 1)
        under_way = rest * amounts[int(whole)] if whole < UNEVEN_PARTS else 0.0
        return (sum(amounts[: int(whole)]) + under_way) / sum(amounts)

    def bill_line(self, now: float, currency: str) -> BillLine:
        """Return its line of the bill as of now."""
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
        """Return the job as text for the store."""
        return json.dumps(asdict(self), default=str, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Read a job back from the store."""
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
