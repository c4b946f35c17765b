"""Sizes of frames by resolution and ratio, as the Seedance 2.0 family delivers them."""

from __future__ import annotations

import math

#: Output pixels (upstream manual; the 2k row is not published and scales the 1080p one).
SIZES: dict[str, dict[str, tuple[int, int]]] = {
    "480p": {"16:9": (864, 496), "4:3": (752, 560), "1:1": (640, 640), "21:9": (992, 432)},
    "720p": {"16:9": (1280, 720), "4:3": (1112, 834), "1:1": (960, 960), "21:9": (1470, 630)},
    "1080p": {"16:9": (1920, 1080), "4:3": (1664, 1248), "1:1": (1440, 1440), "21:9": (2206, 946)},
    "2k": {"16:9": (2560, 1440), "4:3": (2218, 1664), "1:1": (1920, 1920), "21:9": (2940, 1260)},
    "4k": {"16:9": (3840, 2160), "4:3": (3326, 2494), "1:1": (2880, 2880), "21:9": (4398, 1886)},
}
RATIOS: tuple[str, ...] = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")


def frame_size(resolution: str, ratio: str) -> tuple[int, int]:
    """Return width and height of a clip.

    A ratio outside the published table gets the area of the square one, in even numbers.
    """
    row = SIZES[resolution]
    if ratio in row:
        return row[ratio]
    left, right = (int(side) for side in ratio.split(":"))
    turned = row.get(f"{right}:{left}")
    if turned:
        return turned[1], turned[0]
    area = row["1:1"][0] ** 2
    width = math.sqrt(area * left / right)
    return max(2, round(width / 2) * 2), max(2, round(area / width / 2) * 2)


def nearest_ratio(width: int, height: int) -> str:
    """Return the published ratio closest to a picture, as `adaptive` would choose it."""

    def distance(ratio: str) -> float:
        left, right = (int(side) for side in ratio.split(":"))
        return abs(math.log(width / height) - math.log(left / right))

    return min(RATIOS, key=distance)
