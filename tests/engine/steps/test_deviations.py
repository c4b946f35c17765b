"""What came held against what was asked for."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prefect_seedance.engine.steps.deviations import remarks
from prefect_seedance.media import VideoFacts
from prefect_seedance.routes import VideoRequest, find

ANYFAST, JIMMY = find("seedance-2.0-mini"), find("seedance2.0-mini")


def facts(width=1280, height=720, seconds="5.042", audio=True):
    return VideoFacts(width, height, Decimal(seconds), Decimal(24), audio, 1, "ab")


@pytest.mark.parametrize(
    ("route", "request_", "came"),
    [
        (JIMMY, {}, facts(64, 48, "1", audio=False)),
        (JIMMY, {"duration": 5, "resolution": "720p", "ratio": "16:9"}, facts()),
        (JIMMY, {"duration": 5}, facts(seconds="5.541")),
        (JIMMY, {"duration": 5}, facts(seconds="4.459")),
        (JIMMY, {"resolution": "480p", "ratio": "16:9"}, facts(854, 480)),
        (JIMMY, {"resolution": "480p", "ratio": "16:9"}, facts(864, 496)),
        (JIMMY, {"resolution": "720p", "ratio": "21:9"}, facts(1470, 630)),
        (JIMMY, {"resolution": "720p", "ratio": "adaptive"}, facts(834, 1112)),
        (JIMMY, {"resolution": "2k"}, facts()),
        (JIMMY, {"generate_audio": False}, facts()),
        (JIMMY, {"orientation": "portrait"}, facts(720, 1280)),
        (JIMMY, {"ratio": "16:9", "orientation": "portrait"}, facts()),
        (ANYFAST, {"resolution": "720p", "ratio": "4:3", "generate_audio": True}, facts(1112, 834)),
        (ANYFAST, {"resolution": "480p"}, facts(496, 864)),
        (ANYFAST, {"generate_audio": False}, facts(audio=False)),
    ],
)
def test_what_was_asked_for(route, request_, came):
    assert remarks(route, VideoRequest(**request_), came) == ()


@pytest.mark.parametrize(
    ("route", "request_", "came", "expected"),
    [
        (JIMMY, {"duration": 10}, facts(), ["the video lasts 5.042 s instead of 10 s"]),
        (JIMMY, {"resolution": "1080p"}, facts(), ["the video has 1280×720 pixels instead of 1080p"]),
        (
            ANYFAST,
            {"resolution": "720p", "ratio": "9:16", "generate_audio": True},
            facts(audio=False),
            [
                "the video has 1280×720 pixels instead of 720p at 9:16 (720×1280)",
                "the video's ratio is 1280:720 instead of 9:16",
                "the video has no sound, although sound was requested",
            ],
        ),
        (ANYFAST, {"generate_audio": False}, facts(), ["the video has sound, although none was requested"]),
        (
            JIMMY,
            {"orientation": "landscape"},
            facts(720, 1280),
            ["the video has 720×1280 pixels instead of landscape"],
        ),
    ],
)
def test_what_was_not_asked_for(route, request_, came, expected):
    assert list(map(str, remarks(route, VideoRequest(**request_), came))) == expected
