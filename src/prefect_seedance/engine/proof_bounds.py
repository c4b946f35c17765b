"""How large a video of a route may be before its proof is given up."""

from __future__ import annotations

from prefect_seedance.media import WIDEST, Bounds
from prefect_seedance.routes import Route, VideoRequest
from prefect_seedance.routes.pricing.pixels import areas

__all__ = ["proof_bounds"]

MARGIN = 2

GIFT = Bounds(frame_pixels=4096 * 2304, seconds=30)
"""Always within the bounds: a video that is larger or longer than what was ordered is paid for, and stored with a
remark."""


def proof_bounds(route: Route, request: VideoRequest) -> Bounds:
    """Twice the largest frame and twice the longest video that the route sells, and at least `GIFT`.

    What is not known of a route has the bounds of `WIDEST`.
    """
    sold = [areas(resolution, None) for resolution in {*route.resolution.allowed, request.resolution} - {None}]
    known = [int(most) for _, most in filter(None, sold)]
    pixels = WIDEST.frame_pixels
    if route.resolution.allowed and len(known) == len(sold):
        pixels = max(MARGIN * max(known), GIFT.frame_pixels)
    longest = WIDEST if route.duration.maximum is None else GIFT
    seconds = MARGIN * max(route.duration.maximum or 0, request.duration or 0)
    return Bounds(frame_pixels=pixels, seconds=max(longest.seconds, seconds))
