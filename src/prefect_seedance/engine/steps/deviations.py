"""Compares a video with its request; where they differ, the user may claim a refund."""

from __future__ import annotations

from decimal import Decimal

from prefect_seedance.media import VideoFacts
from prefect_seedance.messages import Message, message
from prefect_seedance.routes import Route, VideoRequest
from prefect_seedance.routes.pricing.pixels import sizes

__all__ = ["remarks"]

SECONDS = Decimal("0.5")
"""Seconds, plus one frame, that a video may be shorter or longer than requested: encoders round."""

SHARE = Decimal("0.03")
"""Relative tolerance of width, height and ratio: frames are rounded to whole blocks of pixels."""

LINES = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
"""The short side in pixels that each resolution is named after."""


def remarks(route: Route, request: VideoRequest, facts: VideoFacts) -> tuple[Message, ...]:
    """What differs from the request; empty where nothing does.

    Only what the request sets is compared, and only as far as the documents define it: some providers publish the
    pixels of each resolution and ratio; sound counts only where the route offers it as a setting.
    """
    found = [
        _seconds(request, facts),
        _size(route, request, facts),
        _ratio(request, facts),
        _sound(route, request, facts),
    ]
    return tuple(remark for remark in found if remark)


def _seconds(request: VideoRequest, facts: VideoFacts) -> Message | None:
    if request.duration is None:
        return None
    frame = 1 / facts.fps if facts.fps else Decimal(0)
    if abs(facts.seconds - request.duration) <= SECONDS + frame:
        return None
    return message("deviation.duration", seconds=f"{facts.seconds.normalize():f}", requested=request.duration)


def _size(route: Route, request: VideoRequest, facts: VideoFacts) -> Message | None:
    known = sizes(request.resolution)
    if not known:
        return None
    named = known.get(request.ratio or "")
    allowed = [named] if named else list(known.values())
    if any(_near(facts.width, width) and _near(facts.height, height) for width, height in allowed):
        return None
    # On other routes a resolution may also mean the short side alone.
    if not route.capabilities.exact_sizes and _near(min(facts.width, facts.height), LINES[request.resolution or ""]):
        return None
    requested: Message | str | None = request.resolution
    if named:
        requested = message(
            "deviation.size_requested",
            resolution=request.resolution,
            ratio=request.ratio,
            width=named[0],
            height=named[1],
        )
    return message("deviation.size", width=facts.width, height=facts.height, requested=requested)


def _ratio(request: VideoRequest, facts: VideoFacts) -> Message | None:
    left, _, right = (request.ratio or "").partition(":")
    if left.isdigit() and right.isdigit() and int(left) and int(right):
        if _near(Decimal(facts.width) / facts.height, Decimal(left) / Decimal(right)):
            return None
        return message("deviation.ratio", width=facts.width, height=facts.height, requested=request.ratio)
    turned = {"landscape": facts.width < facts.height, "portrait": facts.width > facts.height}
    if request.ratio is None and request.orientation and turned[request.orientation]:
        return message("deviation.size", width=facts.width, height=facts.height, requested=request.orientation)
    return None


def _sound(route: Route, request: VideoRequest, facts: VideoFacts) -> Message | None:
    if "generate_audio" not in route.capabilities.fields or request.generate_audio in {None, facts.has_audio}:
        return None
    return message("deviation.no_sound" if request.generate_audio else "deviation.sound")


def _near(found: Decimal | int, wanted: Decimal | int) -> bool:
    return abs(Decimal(found) - wanted) <= SHARE * wanted
