"""A create request that was read, checked and priced, and is not yet accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect_seedance.sandbox.world.job import Clip
from prefect_seedance.sandbox.world.prices import Charge


@dataclass(frozen=True)
class Draft:
    """What a valid request asks for.

    Attributes:
        model: The requested model.
        request: The body as sent.
        prompt: Its prompt, or nothing.
        clip: The video to be made.
        charge: What it will cost.
        refunds: Whether a failure gives the money back.
        action: Anyfast's word for the input mode.
        tokens: Anyfast's usage.
        failure: Why the job will fail, where that is settled already.
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
        field: The field at fault.
        message: What is allowed.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
