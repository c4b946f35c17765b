"""A create request that has been read, checked and priced, and is not accepted yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect_seedance.sandbox.world.job import Clip
from prefect_seedance.sandbox.world.prices import Charge


@dataclass(frozen=True)
class Draft:
    """A valid create request.

    Attributes:
        model: The requested model.
        request: The request body.
        prompt: Its prompt, or an empty text.
        clip: The video to make.
        charge: Its cost.
        refunds: Whether a failed job is refunded.
        action: Anyfast's word for the input mode.
        tokens: The usage that Anyfast reports.
        failure: Why the job will fail; None if it is not known to.
    """

    model: str
    request: dict[str, Any]
    prompt: str
    clip: Clip
    charge: Charge
    refunds: bool
    action: str = ""
    tokens: int | None = None
    failure: str | None = None


class Refusal(Exception):
    """A request that the provider's documents do not allow.

    Attributes:
        field: The invalid field.
        message: What is allowed.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
