"""What a server says of a film's form: its type, its compression, its digest."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib

import pytest

from prefect_seedance.errors import InvalidVideo, Unreachable
from prefect_seedance.media import Downloader, discard, inspect_video


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "text/html"},
        *({"Content-Encoding": name} for name in ("aws-chunked", "utf-8", "gzip", "br", "identity", "")),
    ],
)
async def test_headers_do_not_decide_what_is_a_video(server, fetch, mp4, headers):
    server.headers.update(headers)
    got = await fetch()
    assert (got.announced, got.remarks) == (len(mp4), ())
    assert inspect_video(fetch.part, announced=got.announced).sha256 == hashlib.sha256(mp4).hexdigest()


PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("said", [True, False])
@pytest.mark.parametrize("length", ["told", "chunked", "of the content"])
@pytest.mark.parametrize("way", PACKERS)
async def test_what_is_compressed_is_unpacked(server, fetch, mp4, way, said, length):
    server.data = PACKERS[way](mp4)
    if said:
        server.headers["Content-Encoding"] = way
    server.length = "chunked" if length == "chunked" else "told"
    if length == "of the content":
        server.told_length = len(mp4) + 1000  # of the file before a proxy compressed it
    got = await fetch()
    assert fetch.part.read_bytes() == mp4
    assert got.bytes == len(mp4)
    inspect_video(fetch.part, announced=got.announced)
    if length != "of the content":
        assert (got.announced, got.remarks) == (len(mp4), ())
        asked = len(server.requests)
        assert (await fetch()).bytes == len(mp4)
        assert len(server.requests) == asked, "it is not fetched again"


async def test_a_compressed_download_is_resumed_and_its_digest_may_be_of_either_form(server, fetch, mp4):
    packed = server.data = gzip.compress(mp4)
    for digest in (wrapped("md5", mp4), wrapped("md5", packed)):
        server.headers["Content-MD5"] = digest
        server.cut_at = [1000]
        with pytest.raises(Unreachable):
            await fetch()
        got = await fetch()
        assert (got.resumed, got.digest, got.remarks, fetch.part.read_bytes()) == (True, "md5", (), mp4)
        discard(fetch.part)


@pytest.mark.parametrize("way", PACKERS)
async def test_what_cannot_be_unpacked_is_left_as_it_came(server, fetch, mp4, way):
    packed = PACKERS[way](mp4)
    for broken in (packed[:-20], packed[:-6] + bytes(6)):
        server.data = broken
        await fetch()
        assert fetch.part.read_bytes() == broken
        assert sorted(path.name for path in fetch.part.parent.iterdir()) == ["film.part", "film.part.json"]
        with pytest.raises(InvalidVideo, match=f"its content is {way}"):
            inspect_video(fetch.part)
        discard(fetch.part)


async def test_a_small_file_that_unpacks_to_a_huge_one_is_left_packed(server, tmp_path, mp4):
    server.data = gzip.compress(mp4 + bytes(1 << 20))
    part = tmp_path / "film.part"
    async with Downloader(max_bytes=1 << 20) as loader:
        await loader.fetch(server.url, part, provider_url=server.url)
    assert part.read_bytes() == server.data
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.part", "film.part.json"]


def wrapped(name: str, data: bytes) -> str:
    return base64.b64encode(hashlib.new(name, data).digest()).decode()


@pytest.mark.parametrize("cut", [[], [1000]])
@pytest.mark.parametrize("header", ["Content-MD5", "Repr-Digest", "x-goog-hash"])
async def test_a_told_digest_is_checked_also_after_a_resume(server, fetch, mp4, cut, header):
    value = {
        "Content-MD5": wrapped("md5", mp4),
        "Repr-Digest": f"sha-256=:{wrapped('sha256', mp4)}:, sha-512=:bad:",
        "x-goog-hash": f"crc32c=AAAAAA==,md5={wrapped('md5', mp4)}",
    }[header]
    server.headers[header] = value
    server.cut_at = list(cut)
    if cut:
        with pytest.raises(Unreachable):
            await fetch()
    assert (await fetch()).digest in ("md5", "sha256")

    discard(fetch.part)
    server.cut_at = list(cut)
    flipped = bytearray(mp4)
    flipped[1500] ^= 1
    server.data = bytes(flipped)
    if cut:
        with pytest.raises(Unreachable):
            await fetch()
    asked = len(server.requests)
    got = await fetch()
    assert (got.digest, [each.slug for each in got.remarks]) == (None, ["download.other_digest"])
    assert fetch.part.read_bytes() == server.data, "whether it is a video, its bytes decide"
    assert (got.resumed, len(server.requests) - asked) == (False, 1 + len(cut)), "two parts that do not fit: once more"
