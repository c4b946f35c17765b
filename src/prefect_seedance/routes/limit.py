"""The limit: the allowed span of one measure of a medium, with its source document."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from prefect_seedance.messages import message

Measure = Literal["bytes", "total_bytes", "seconds", "total_seconds", "side", "one_side", "aspect", "fps"]
"""What is measured. Bytes and seconds: of each medium, or (`total_`) of all in one field. `side`: both sides of a
picture in pixels. `one_side`: one side in pixels, where the document does not say which. `aspect`: width divided by
height. `fps`: frames per second."""

MEBIBYTE = 1024 * 1024
MEGABYTE_DOUBT = "the document does not say whether a megabyte has 1,000,000 bytes or 1,048,576"

ROUNDING_DOUBT = "no document says how the provider rounds what it measures"


class Data(BaseModel):
    """Plain data of the catalogue: frozen and JSON-able; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rule(Data):
    """Data from a document."""

    doubt: str = Field(default="", description="What the documents leave open; shown with a warning.")
    source: str = Field(default="", description="The document that the rule comes from.")


class Limit(Rule):
    """A span, bounds included. Outside of it a request is refused; outside of the sure bounds there is a warning."""

    measure: Measure
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    sure_minimum: Decimal | None = None
    sure_maximum: Decimal | None = None

    @model_validator(mode="after")
    def _sure_bounds_have_a_doubt(self) -> Self:
        if not self.doubt and (self.sure_minimum is not None or self.sure_maximum is not None):
            raise ValueError(message("route.sure_bounds_without_doubt", measure=self.measure))
        return self


def megabytes(number: int, source: str, measure: Measure = "bytes") -> Limit:
    """A size limit in "MB". Sizes that only one of the two meanings of MB allows are doubtful."""
    return Limit(
        measure=measure,
        maximum=Decimal(number * MEBIBYTE),
        sure_maximum=Decimal(number * 1_000_000),
        doubt=MEGABYTE_DOUBT,
        source=source,
    )


def span_with_slack(
    measure: Measure, minimum: str | int | None, maximum: str | int | None, slack: str, source: str
) -> Limit:
    """A hard limit on a measured value. A value outside of it by no more than the slack is doubtful."""
    low, high = (None if bound is None else Decimal(bound) for bound in (minimum, maximum))
    return Limit(
        measure=measure,
        minimum=None if low is None else low - Decimal(slack),
        maximum=None if high is None else high + Decimal(slack),
        sure_minimum=low,
        sure_maximum=high,
        doubt=ROUNDING_DOUBT,
        source=source,
    )


def span(measure: Measure, minimum: str | int | None, maximum: str | int | None, source: str) -> Limit:
    """A hard limit."""
    low = None if minimum is None else Decimal(minimum)
    high = None if maximum is None else Decimal(maximum)
    return Limit(measure=measure, minimum=low, maximum=high, source=source)
