"""The pixels of a finished video by resolution and ratio. Tokens are computed from them.

Source: Volcengine Ark, Seedance 2.0 manual. The files have 24 frames per second.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

FRAMES_PER_SECOND = 24

_SIZES: dict[str, dict[str, tuple[int, int]]] = {
    "480p": {
        "16:9": (864, 496),
        "4:3": (752, 560),
        "1:1": (640, 640),
        "3:4": (560, 752),
        "9:16": (496, 864),
        "21:9": (992, 432),
    },
    "720p": {
        "16:9": (1280, 720),
        "4:3": (1112, 834),
        "1:1": (960, 960),
        "3:4": (834, 1112),
        "9:16": (720, 1280),
        "21:9": (1470, 630),
    },
    "1080p": {
        "16:9": (1920, 1080),
        "4:3": (1664, 1248),
        "1:1": (1440, 1440),
        "3:4": (1248, 1664),
        "9:16": (1080, 1920),
        "21:9": (2206, 946),
    },
    "4k": {
        "16:9": (3840, 2160),
        "4:3": (3326, 2494),
        "1:1": (2880, 2880),
        "3:4": (2494, 3326),
        "9:16": (2160, 3840),
        "21:9": (4398, 1886),
    },
}


def sizes(resolution: str | None) -> Mapping[str, tuple[int, int]]:
    """Return width and height of a video by ratio, from the manual; empty where it lacks the resolution."""
    return _SIZES.get(resolution or "", {})


def areas(resolution: str | None, ratio: str | None) -> tuple[Decimal, Decimal] | None:
    """Return the smallest and the largest possible frame of a video, in pixels.

    Args:
        resolution: Such as `720p`.
        ratio: Such as `16:9`. None or `adaptive` may become any of the known ratios.

    Returns:
        Both areas, equal where the ratio is fixed; None where resolution or ratio is not in the manual.
    """
    known = _SIZES.get(resolution or "")
    if known is None:
        return None
    if ratio is None or ratio.casefold() == "adaptive":
        pixels = [Decimal(width * height) for width, height in known.values()]
        return min(pixels), max(pixels)
    size = known.get(ratio)
    if size is None:
        return None
    return Decimal(size[0] * size[1]), Decimal(size[0] * size[1])
