"""Every route over HTTP, in each media mode that its document allows, and one request per rule that it must refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from prefect_seedance.errors import InputError, InvalidRows, Refused
from prefect_seedance.providers import ProviderClient
from prefect_seedance.routes import CATALOGUE, Route, VideoRequest, check
from tests.patience import patience

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patience(1800))]


def media(url: str, name: str, **query: object) -> str:
    return f"{url}/_media/{name}?" + "&".join(f"{key}={value}" for key, value in query.items())


def modes(url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every way in which media can be combined, far beyond what any one route takes."""
    pictures = [media(url, f"scene-{number}.png", w=640, h=640) for number in range(10)]
    first, last = (media(url, f"{name}.jpg", w=1280, h=720) for name in ("first", "last"))
    clips = [media(url, f"clip-{number}.mp4", w=1280, h=720, seconds=3) for number in range(4)]
    sounds = [media(url, f"sound-{number}.mp3", seconds=3) for number in range(4)]
    yield "text", {}
    for count in (1, 4, 5, 9, 10):
        yield f"{count} images", {"images": pictures[:count]}
    yield "first", {"first_image": first}
    yield "last", {"last_image": last}
    yield "frames", {"first_image": first, "last_image": last}
    for count in (1, 3, 4):
        yield f"{count} videos", {"reference_videos": clips[:count]}
    for count in (1, 3, 4):
        yield f"image and {count} audios", {"images": pictures[:1], "reference_audios": sounds[:count]}
    yield "image and video", {"images": pictures[:1], "reference_videos": clips[:1]}
    yield "video and audio", {"reference_videos": clips[:1], "reference_audios": sounds[:1]}
    yield "all three", {"images": pictures[:1], "reference_videos": clips[:1], "reference_audios": sounds[:1]}
    yield "frames and audio", {"first_image": first, "last_image": last, "reference_audios": sounds[:1]}
    yield "frames and video", {"first_image": first, "last_image": last, "reference_videos": clips[:1]}
    yield "audio alone", {"reference_audios": sounds[:1]}
    yield "images and first", {"images": pictures[:1], "first_image": first}
    yield "gif", {"images": [media(url, "moving.gif", w=320, h=320)]}


def settings(route: Route) -> Iterator[tuple[str, dict[str, Any]]]:
    """Settings at the edges of the route's rules and beyond, without media."""
    for seconds in (0, 1, 3, 4, 12, 13, 15, 16):
        yield f"{seconds} s", {"duration": seconds}
    for resolution in ("480p", "720p", "1080p", "2k"):
        yield resolution, {"resolution": resolution}
    for ratio in ("16:9", "9:16", "21:9", "7:5", "adaptive"):
        yield ratio, {"ratio": ratio}
    for switch in ("watermark", "generate_audio", "web_search"):
        yield switch, {switch: True}
    yield "orientation", {"orientation": "portrait"}
    yield "prompt of 5001", {"prompt": "x" * 5001}


def expressions(route: Route, url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that is tried on one route, each as the fields of a request."""
    needed: dict[str, Any] = {}
    if route.expectation.parts == ("reference_videos",):
        needed = {"reference_videos": [media(url, "clip-0.mp4", w=1280, h=720, seconds=3)]}
    for name, fields in modes(url):
        yield name, {"prompt": f"{route.model}: {name}", **fields}
    for name, fields in settings(route):
        yield name, {"prompt": f"{route.model}: {name}", **({} if "web_search" in fields else needed), **fields}


def request(fields: dict[str, Any]) -> VideoRequest:
    return VideoRequest(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


async def test_what_the_documents_allow_is_made_and_what_they_forbid_is_refused_by_both(route_to, sandbox, make):
    good, bad, doubtful = [], [], set()
    blocks = [
        route_to(route.model, experimental=route.library == "audit", duration=None, max_in_flight=200)
        for route in CATALOGUE
    ]
    for block, route in zip(blocks, CATALOGUE, strict=True):
        for name, fields in expressions(route, sandbox.url):
            row = {"id": f"{route.model}/{name}", "model": route.model, "provider": route.provider, **fields}
            problems = check(route, request(fields), experimental=True)
            if any(problem.is_error for problem in problems):
                bad.append((block, route, row, fields))
                continue
            good.append(row)
            if problems:
                doubtful.add(row["id"])

    result = await _made(make, good, blocks)
    ran = Counter(row.route for row in result if row.status == "stored")
    refused_after = [row for row in result if row.status != "stored"]
    # Where the documents contradict each other or are silent, the row was warned about before it was sent.
    unwarned = [row for row in refused_after if row.row not in doubtful]
    assert not unwarned, [(row.row, row.status, row.error_message) for row in unwarned][:10]
    assert set(ran) == {route.model for route in CATALOGUE}

    before = len(sandbox.state.bill())
    with pytest.raises(InvalidRows) as caught:
        await _made(make, [row for _, _, row, _ in bad], blocks, batch="bad")
    assert {row.key for row in caught.value.invalid} == {row["id"] for _, _, row, _ in bad}
    assert len(sandbox.state.bill()) == before

    agreed = await _asked(bad)
    # These routes have one resolution and drop the wish for another: they would bill for what was not asked for.
    ignored = {row["id"] for _, route, row, fields in bad if "resolution" in fields and route.library != "volc"}
    assert set(agreed["made"]) <= ignored, set(agreed["made"]) - ignored
    figures = {
        "routes": len(ran),
        "requests made": len(good),
        "of them with a warning": len(doubtful),
        "refused before spending": len(bad),
        "of them refused by the sandbox too": len(agreed["refused"]),
        "of them that the provider has no words for": len(agreed["unsendable"]),
        "of them that the provider would make otherwise than asked": len(agreed["made"]),
        "refused by the sandbox after": len(refused_after),
    }
    print(figures)  # noqa: T201 - shown by `pytest -rP`: they stand in the closing note


async def _made(make: Any, rows: list[dict[str, Any]], blocks: list[Any], batch: str = "all") -> Any:
    import asyncio

    return await asyncio.to_thread(make, rows, route=blocks, batch=batch)


async def _asked(bad: list[Any]) -> dict[str, list[str]]:
    """What the sandbox, which was written from the documents by itself, says to what we refuse."""
    facts: dict[str, list[str]] = {"refused": [], "made": [], "unsendable": []}
    clients: dict[str, ProviderClient] = {}
    for block, route, row, fields in bad:
        client = clients.setdefault(route.provider, ProviderClient(block.credentials.to_account()))
        asked = request({"duration": 5, **fields} if fields.get("duration") is None else fields)
        try:
            await client.create(route.model, asked)
        except Refused:
            facts["refused"].append(row["id"])
        except InputError:
            facts["unsendable"].append(row["id"])
        else:
            facts["made"].append(row["id"])
    for client in clients.values():
        await client.aclose()
    return facts
