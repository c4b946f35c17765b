"""Anyfast's models as data: a new model is one entry here, written from its OpenAPI page."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Rules:
    """The limits and the price of one model.

    Attributes:
        price: Price of a million tokens.
        upstream: The upstream provider's name of the model.
        resolutions: The allowed resolutions.
        shortest: Minimum duration in seconds.
        longest: Maximum duration in seconds.
    """

    price: Decimal
    upstream: str
    resolutions: tuple[str, ...] = ("480p", "720p")
    shortest: int = 4
    longest: int = 15


#: Every model, by its name. The price is the upstream list price.
RULES: dict[str, Rules] = {
    "seedance-2.0-mini": Rules(price=Decimal(23), upstream="doubao-seedance-2-0-mini-260615"),
}
