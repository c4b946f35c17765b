"""The limit: the span that one figure of a medium keeps to, with the document that says so."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prefect_seedance.messages import message

Measure = Literal["bytes", "total_bytes", "seconds", "total_seconds", "side", "one_side", "aspect", "fps"]
"""What is measured: bytes and seconds of each medium or of all in one field together; `side`: both sides of a picture
in pixels; `one_side`: pixels of a side where the document does not say which; `aspect`: width by height; `fps`."""

MEBIBYTE = 1024 * 1024
MEGABYTES = "the document does not say whether a megabyte has 1,000,000 bytes or 1,048,576"

ROUNDED = "no document says how the provider rounds what it measures"


class Data(BaseModel):
    """Plain data of the catalogue: frozen, JSON-able, and no field that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(Data):
    """Data that comes from a document."""

    doubt: str = Field(default="", description="What the documents leave open; shown with a warning.")
    source: str = Field(default="", description="The document that the rule comes from.")


class Limit(Rule):
    """A span, bounds included. Outside of it a request is refused; outside the sure bounds only the provider knows."""

    measure: Measure
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    sure_minimum: Decimal | None = None
    sure_maximum: Decimal | None = None

    @model_validator(mode="after")
    def _doubts_are_told(self) -> Self:
        if not self.doubt and (self.sure_minimum is not None or self.sure_maximum is not None):
            raise ValueError(message("route.sure_bounds_without_doubt", measure=self.measure))
        return self


def megabytes(number: int, source: str, measure: Measure = "bytes") -> Limit:
    """A size limit as documents write it; what only one reading of "MB" allows is doubtful."""
    return Limit(
        measure=measure,
        maximum=Decimal(number * MEBIBYTE),
        sure_maximum=Decimal(number * 1_000_000),
        doubt=MEGABYTES,
        source=source,
    )


def nearly(measure: Measure, minimum: str | int | None, maximum: str | int | None, slack: str, source: str) -> Limit:
    """A hard limit on a figure that is measured: what misses it by no more than the slack is doubtful."""
    low, high = (None if bound is None else Decimal(bound) for bound in (minimum, maximum))
    return Limit(
        measure=measure,
        minimum=None if low is None else low - Decimal(slack),
        maximum=None if high is None else high + Decimal(slack),
        sure_minimum=low,
        sure_maximum=high,
        doubt=ROUNDED,
        source=source,
    )


def span(measure: Measure, minimum: str | int | None, maximum: str | int | None, source: str) -> Limit:
    """A hard limit."""
    low = None if minimum is None else Decimal(minimum)
    high = None if maximum is None else Decimal(maximum)
    return Limit(measure=measure, minimum=low, maximum=high, source=source)
