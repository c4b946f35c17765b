"""Charges of the sandbox: billing model names, units, and invented prices.

The prices of the models are in the tables of their rules. Those of assets are invented too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from prefect_seedance.sandbox.models import anyfast, jimmy

Unit = Literal["second", "job", "million_tokens", "request"]

_ASSETS = {"volc-asset": Decimal("0.01"), "volc-asset-video": Decimal("0.05"), "volc-asset-audio": Decimal("0.02")}


def price_list() -> dict[str, Decimal]:
    """Return the unit price by billing model, of all models and of Anyfast's assets."""
    prices = {line: price for rules in jimmy.RULES.values() for line, price in rules.prices.items()}
    return prices | {model: rules.price for model, rules in anyfast.RULES.items()} | _ASSETS


@dataclass(frozen=True)
class Charge:
    """The cost of one job: `units` of `unit` under the name `billing_model`, at `unit_price`."""

    billing_model: str
    unit: Unit
    units: Decimal
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Return the cost, not rounded."""
        return self.units * self.unit_price


def jimmy_charge(
    rules: jimmy.Rules,
    *,
    duration: int,
    resolution: str,
    reference_seconds: Decimal | None,
    prices: Mapping[str, Decimal],
) -> Charge:
    """Return the charge for a Jimmy AI job.

    Args:
        rules: The rules of the requested model.
        duration: The requested length in seconds.
        resolution: The resolution, or its default.
        reference_seconds: Length of the first reference video; None where it is unknown.
        prices: Unit price by billing model name.

    Returns:
        The charge. A route that bills its input adds the first reference video, rounded to the nearest whole second
        (Mini page, billing seconds); without a length only `duration` is billed.
    """
    units = Decimal(duration) if rules.unit == "second" else Decimal(1)
    if rules.bills_input and reference_seconds is not None:
        units += reference_seconds.quantize(Decimal(1), ROUND_HALF_UP)
    name = rules.line.format(resolution=resolution)
    return Charge(name, rules.unit, units, prices.get(name, Decimal(0)))


def asset_charge(billing_model: str, *, prices: Mapping[str, Decimal]) -> Charge:
    """Return the charge for one Anyfast asset or group, which is billed for each request."""
    return Charge(billing_model, "request", Decimal(1), prices.get(billing_model, Decimal(0)))


def video_tokens(*, seconds: int, width: int, height: int, input_seconds: Decimal = Decimal(0)) -> int:
    """Return the tokens of a clip: 24 frames for each second of output and input, and one more, times w × h / 1024.

    The formula agrees with Anyfast's own example (108,900 for 5 s of 720p). How fractions are rounded is not
    documented; here they are rounded half up.
    """
    frames = 24 * (seconds + input_seconds) + 1
    return int((frames * width * height / 1024).quantize(Decimal(1), ROUND_HALF_UP))


def anyfast_charge(model: str, *, tokens: int, prices: Mapping[str, Decimal]) -> Charge:
    """Return the charge for an Anyfast job by its tokens."""
    return Charge(model, "million_tokens", Decimal(tokens) / 1_000_000, prices.get(model, Decimal(0)))
