"""The units that a job is billed by: the number expected before it, and the number billed after it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.pixels import FRAMES_PER_SECOND, areas
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.routes.route import Route, Unit

_HALF = Decimal("0.5")
_MILLION = Decimal(1_000_000)
_PIXELS_PER_MILLION_TOKENS = Decimal(1024 * 1_000_000)


@dataclass(frozen=True, slots=True)
class Units:
    """How many units a job will be billed.

    Attributes:
        low: Lower bound.
        high: Upper bound; None where none is known.
        unit: The unit. Tokens are counted in millions and never rounded.
    """

    low: Decimal
    high: Decimal | None
    unit: Unit


def units(route: Route, request: VideoRequest, *, reference_seconds: Decimal | None = None) -> Units:
    """Return the expected units of a job.

    Args:
        route: The route that bills.
        request: The resolved request; an unset duration counts as the route's default.
        reference_seconds: Length in seconds of the reference videos that the route bills: of the first one where
            `route.input_seconds` is `first`, else of all together. None: not known.

    Raises:
        InputError: The reference seconds are negative or not a number.
    """
    seconds = _duration(route, request)
    reference = _reference(request, reference_seconds)
    if route.unit == "job":
        return Units(Decimal(1), Decimal(1), "job")
    if route.unit == "second":
        billed = _billed_seconds(route, seconds, reference)
        if billed is None:
            return Units(seconds, None, "second")
        # No document says how half a second is rounded.
        half = reference is not None and reference % 1 == _HALF and route.input_seconds != "free"
        return Units(decimals.add((billed, Decimal(-1))) if half else billed, billed, "second")
    return _tokens(route, request, seconds, reference)


def settle_units(
    route: Route, request: VideoRequest, *, tokens: int | None, reference_seconds: Decimal | None = None
) -> Decimal | None:
    """Return the billed units of a job that succeeded.

    Args:
        route: The route that billed.
        request: The request as it was sent.
        tokens: The provider's own usage figure, where it gave one; 0 means that it does not know.
        reference_seconds: As for `units`.

    Returns:
        The units as billed; None where they are not certain: tokens without a usage figure, or input seconds that were
        not measured, that end on half a second, or of which the documents do not say whether they are billed.
    """
    if route.unit == "job":
        return Decimal(1)
    if route.unit == "second":
        reference = _reference(request, reference_seconds)
        if reference is not None and reference % 1 == _HALF and route.input_seconds != "free":
            return None  # no document says how half a second is rounded
        return _billed_seconds(route, _duration(route, request), reference)
    if tokens is None or tokens <= 0:
        return None  # a finished video has used tokens: a figure of 0 is an unknown one
    return decimals.divide(Decimal(tokens), _MILLION)


def _duration(route: Route, request: VideoRequest) -> Decimal:
    return Decimal(route.duration.default if request.duration is None else request.duration)


def _reference(request: VideoRequest, seconds: Decimal | None) -> Decimal | None:
    """Return the input seconds: zero without a reference video, None where its length is unknown."""
    if seconds is not None and (not seconds.is_finite() or seconds < 0):
        raise InputError(message("quote.reference_seconds", seconds=seconds))
    return seconds if request.reference_videos else Decimal(0)


def _billed_seconds(route: Route, seconds: Decimal, reference: Decimal | None) -> Decimal | None:
    if route.input_seconds == "free" or reference == 0:
        return seconds
    if reference is None or route.input_seconds == "unstated":
        return None
    return decimals.add((seconds, decimals.whole(reference)))


def _tokens(route: Route, request: VideoRequest, seconds: Decimal, reference: Decimal | None) -> Units:
    # (24·s + 1)·w·h / 1024, where s is output plus input seconds. Upstream's price page omits the extra frame, but
    # Anyfast's own example (5 s, 720p, 16:9: 108,900 tokens) includes it.
    found = areas(request.resolution or route.resolution.default, request.ratio or route.ratio.default)
    if found is None:
        return Units(Decimal(0), None, "million_tokens")
    low, high = (_million_tokens(seconds, reference or Decimal(0), area) for area in found)
    # With input video a minimum charge applies that no document quantifies, so there is no upper bound.
    return Units(low, None if request.reference_videos else high, "million_tokens")


def _million_tokens(seconds: Decimal, reference: Decimal, area: Decimal) -> Decimal:
    frames = decimals.add(
        (decimals.multiply(decimals.add((seconds, reference)), Decimal(FRAMES_PER_SECOND)), Decimal(1))
    )
    return decimals.divide(decimals.multiply(frames, area), _PIXELS_PER_MILLION_TOKENS)
