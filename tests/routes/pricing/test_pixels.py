"""The frame sizes as the upstream manual has them, written out once more: what is billed by tokens is computed here."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prefect_seedance.routes.pricing.pixels import areas, sizes

RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
SIZES = {
    "480p": "864×496 752×560 640×640 560×752 496×864 992×432",
    "720p": "1280×720 1112×834 960×960 834×1112 720×1280 1470×630",
    "1080p": "1920×1080 1664×1248 1440×1440 1248×1664 1080×1920 2206×946",
    "4k": "3840×2160 3326×2494 2880×2880 2494×3326 2160×3840 4398×1886",
}


def pairs(resolution: str) -> list[tuple[int, int]]:
    return [(int(width), int(height)) for width, height in (size.split("×") for size in SIZES[resolution].split())]


@pytest.mark.parametrize("resolution", SIZES)
def test_the_sizes_of_the_manual(resolution: str) -> None:
    assert dict(sizes(resolution)) == dict(zip(RATIOS, pairs(resolution), strict=True))


@pytest.mark.parametrize("resolution", SIZES)
def test_the_smallest_and_the_largest_frame(resolution: str) -> None:
    every = [Decimal(width * height) for width, height in pairs(resolution)]
    assert [areas(resolution, ratio) for ratio in RATIOS] == [(area, area) for area in every]
    for ratio in (None, "adaptive", "Adaptive"):
        assert areas(resolution, ratio) == (min(every), max(every))


def test_what_the_manual_lacks_has_no_size() -> None:
    assert dict(sizes("2k")) == dict(sizes(None)) == {}
    assert areas("2k", "16:9") is areas(None, None) is areas("720p", "5:4") is None
