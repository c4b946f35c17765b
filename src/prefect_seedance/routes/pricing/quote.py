"""The quote: what a row will cost, from low to high, computed before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.price import Prices
from prefect_seedance.routes.pricing.units import units
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import Route, Unit

QuoteKind = Literal["exact", "range", "open", "unknown price"]

FALLBACK = message("quote.length_may_stay_unknown")
UNMEASURED = message("quote.length_unknown")
UNSTATED = message("quote.input_undocumented")
MINIMUM = message("quote.minimum_charge")
NO_FORMULA = message("quote.no_frame_size")
ADAPTIVE = message("quote.adaptive_ratio")


@dataclass(frozen=True, slots=True)
class Quote:
    """What one row will cost.

    Attributes:
        billing_model: The price line.
        unit: The unit that is billed.
        units_low: Lower bound of the units.
        units_high: Upper bound of the units; None: open.
        unit_price: Price of one unit; None: not given by the user.
        currency: Currency of the amounts; None without a price.
        low: Lower bound of the cost; None without a price.
        high: Upper bound of the cost; None without a price, or where it is open.
        notes: What a person should know about these numbers.
    """

    billing_model: str
    unit: Unit
    units_low: Decimal
    units_high: Decimal | None
    unit_price: Decimal | None = None
    currency: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    notes: tuple[Message | str, ...] = ()

    @property
    def kind(self) -> QuoteKind:
        """How certain the cost is; without a price it is unknown, even where the units are exact."""
        if self.low is None:
            return "unknown price"
        if self.high is None:
            return "open"
        return "exact" if self.low == self.high else "range"


def billing_model(route: Route, request: VideoRequest) -> str:
    """Return the price line of a request. An unset resolution counts as the route's default."""
    template = route.billing_model
    if request.reference_videos and route.billing_model_with_video is not None:
        template = route.billing_model_with_video
    return template.format(resolution=request.resolution or route.resolution.default)


def quote(
    route: Route, request: VideoRequest, prices: Prices | None, *, reference_seconds: Decimal | None = None
) -> Quote:
    """Quote a resolved request, without I/O.

    Args:
        route: The route that the request will be sent on.
        request: The resolved request.
        prices: The user's prices. Without them, or without the billing model, the cost is unknown, not zero.
        reference_seconds: Length of the reference videos, as for `units`.

    Raises:
        InputError: The price is for another unit than the route bills by, or the reference seconds are invalid.
    """
    line = billing_model(route, request)
    count = units(route, request, reference_seconds=reference_seconds)
    notes = _notes(route, request, count.high, known=reference_seconds is not None)
    price = prices.prices.get(line) if prices is not None else None
    if prices is None or price is None:
        unpriced = message(
            "quote.no_price" if route.billing_documented else "quote.no_price_under_our_name", billing_model=line
        )
        notes = (*notes, unpriced)
        return Quote(line, count.unit, count.low, count.high, notes=notes)
    if price.unit is not None and price.unit != count.unit:
        raise InputError(
            message("quote.other_unit", billing_model=line, unit=price.unit, route=route.name, billed=count.unit)
        )
    return Quote(
        billing_model=line,
        unit=count.unit,
        units_low=count.low,
        units_high=count.high,
        unit_price=price.amount,
        currency=prices.currency,
        low=decimals.multiply(price.amount, count.low),
        high=None if count.high is None else decimals.multiply(price.amount, count.high),
        notes=notes,
    )


def _notes(route: Route, request: VideoRequest, high: Decimal | None, *, known: bool) -> tuple[Message | str, ...]:
    notes: list[Message | str] = [route.billing_doubt] if route.billing_doubt else []
    if route.unit == "second" and request.reference_videos:
        notes += _input_notes(route, known=known)
    if route.unit == "million_tokens":
        notes += _token_notes(route, request, high)
    return tuple(notes)


def _input_notes(route: Route, *, known: bool) -> list[Message]:
    if route.input_seconds == "free":
        return []
    if route.input_seconds == "unstated":
        return [UNSTATED]
    notes = [] if known else [UNMEASURED]
    return [*notes, FALLBACK] if route.input_seconds == "first" else notes


def _token_notes(route: Route, request: VideoRequest, high: Decimal | None) -> list[Message]:
    if request.reference_videos:
        return [MINIMUM]
    if high is None:
        return [NO_FORMULA]
    ratio = request.ratio or route.ratio.default
    return [ADAPTIVE] if ratio is None or ratio.casefold() == "adaptive" else []


def cost(low: Decimal, high: Decimal | None, currency: str | None) -> Message:
    """Return a cost as a text: an amount, a range, or a lower bound."""
    if high is None:
        return message("sum.open", low=decimals.plain(low), currency=currency)
    if low == high:
        return message("sum.exact", amount=decimals.plain(low), currency=currency)
    return message("sum.range", low=decimals.plain(low), high=decimals.plain(high), currency=currency)
