"""What the sandbox charges: billing model names, units, and invented prices.

Names and units follow the providers' documents. The documents publish no prices, save 0.05 yuan a second for
`seedance2.0-mini-720p` (an assumption of Jimmy AI's Mini page). For Anyfast the upstream list price of the mini model
is taken; all other figures are made up so that a bill can be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

Unit = Literal["second", "job", "million_tokens", "request"]

MANXUE_SIZES = ("720p", "1080p", "2k", "4k")
SP_MODELS = ("seedance2.0-sp", "seedance2.0-fast-sp", "seedance2.0-of-sp", "seedance2.0-of-fast-sp")
MINI_MODELS = ("seedance2.0-mini", "seedance2.0-mini-video")
MD_MODELS = ("seedance2.0-md", "seedance2.0-fast-md")


def manxue_models() -> Iterator[str]:
    """Yield the twelve Full (Manxue) models of the create page's schema."""
    for series in ("", "video_"):
        yield from (f"sd2_mx_{series}{size}" for size in MANXUE_SIZES)
        yield from (f"sd2_mx_{series}fast_{size}" for size in ("720p", "1080p"))


JIMMY_MODELS: tuple[str, ...] = (
    *manxue_models(),
    *SP_MODELS,
    *MINI_MODELS,
    "seedance2.0-mini-sp",
    *MD_MODELS,
    "seedance2.0-fast-i2v",
    "seedance2.0-std",
)
ANYFAST_MODELS: tuple[str, ...] = ("seedance-2.0-mini",)


def _price_list() -> dict[str, Decimal]:
    by_size = {"480p": Decimal("0.03"), "720p": Decimal("0.05"), "1080p": Decimal("0.11")}
    prices: dict[str, Decimal] = {}
    for size, price in by_size.items():
        prices[f"seedance2.0-mini-{size}"] = price
        prices[f"seedance2.0-mini-{size}-video"] = price
        for factor, model in enumerate(SP_MODELS, start=3):
            prices[f"{model}-{size}"] = price * factor
    per_second = dict(
        zip(MANXUE_SIZES, (Decimal("0.40"), Decimal("0.80"), Decimal("1.20"), Decimal("2.40")), strict=True)
    )
    for model in manxue_models():
        discount = Decimal("0.75") if "_fast_" in model else Decimal(1)
        prices[model] = per_second[model.rpartition("_")[2]] * discount
    prices |= {
        "seedance2.0-mini-sp-480p": Decimal("0.20"),
        "seedance2.0-mini-sp-720p": Decimal("0.30"),
        "seedance2.0-md": Decimal("0.90"),
        "seedance2.0-fast-md": Decimal("0.60"),
        "seedance2.0-fast-i2v": Decimal("0.50"),
        "seedance2.0-std": Decimal("1.00"),
        "seedance-2.0-mini": Decimal(23),
        "volc-asset": Decimal("0.01"),
        "volc-asset-video": Decimal("0.05"),
        "volc-asset-audio": Decimal("0.02"),
    }
    return prices


PRICES: Mapping[str, Decimal] = _price_list()


@dataclass(frozen=True)
class Charge:
    """What one job costs: `units` of `unit` under the name `billing_model`, at `unit_price`."""

    billing_model: str
    unit: Unit
    units: Decimal
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """Return the cost, not rounded."""
        return self.units * self.unit_price


def jimmy_charge(
    model: str,
    *,
    duration: int,
    resolution: str,
    reference_seconds: Decimal | None,
    prices: Mapping[str, Decimal],
) -> Charge:
    """Price a Jimmy AI job.

    Args:
        model: The requested model.
        duration: The requested length in seconds.
        resolution: The resolution, with the default filled in.
        reference_seconds: Length of the first reference video; None where it cannot be learned.
        prices: Unit price by billing model name.

    Returns:
        The charge. Only `seedance2.0-mini-video` adds input seconds: the first reference video, rounded to the
        nearest whole second (Mini page, billing seconds); without a length it falls back to `duration` alone.
    """
    unit: Unit = "second"
    units = Decimal(duration)
    name = model
    if model == "seedance2.0-mini":
        name = f"{model}-{resolution}"
    elif model == "seedance2.0-mini-video":
        name = f"seedance2.0-mini-{resolution}-video"
        if reference_seconds is not None:
            units += reference_seconds.quantize(Decimal(1), ROUND_HALF_UP)
    elif model in SP_MODELS:
        name = f"{model}-{resolution}"
    elif not model.startswith("sd2_mx_"):
        unit, units = "job", Decimal(1)
        if model == "seedance2.0-mini-sp":
            name = f"{model}-{resolution}"
    return Charge(name, unit, units, prices.get(name, Decimal(0)))


def asset_charge(billing_model: str, *, prices: Mapping[str, Decimal]) -> Charge:
    """Price the making of one Anyfast asset or group: it is billed for each request."""
    return Charge(billing_model, "request", Decimal(1), prices.get(billing_model, Decimal(0)))


def video_tokens(*, seconds: int, width: int, height: int, input_seconds: Decimal = Decimal(0)) -> int:
    """Return the tokens of a clip: 24 frames for each second of output and input, and one more, times w × h / 1024.

    The formula was checked by the fact sheet against Anyfast's own example (108,900 for 5 s of 720p). How
    fractions are rounded is not documented; here they are rounded half up.
    """
    frames = 24 * (seconds + input_seconds) + 1
    return int((frames * width * height / 1024).quantize(Decimal(1), ROUND_HALF_UP))


def anyfast_charge(model: str, *, tokens: int, prices: Mapping[str, Decimal]) -> Charge:
    """Price an Anyfast job by its tokens."""
    return Charge(model, "million_tokens", Decimal(tokens) / 1_000_000, prices.get(model, Decimal(0)))
