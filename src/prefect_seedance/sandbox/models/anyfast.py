"""Anyfast's models as data: a new model is one entry here, after its own OpenAPI page."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Rules:
    """The limits of one model, and what it costs.

    Attributes:
        price: For a million tokens.
        upstream: What the upstream provider calls the model.
        resolutions: What may be asked for.
        shortest: Seconds.
        longest: Seconds.
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
