from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import json
import logging
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_seedance.errors import InputError, InvalidResponse, InvalidVideo, NotFound, Unreachable
from prefect_seedance.media import Downloader, discard, inspect_video, place
from prefect_seedance.media.storage import part as storage_part
from prefect_seedance.media.videos import download as module
from tests.patience import eventually_async, patience, skip


@pytest.fixture
async def fetch(server, tmp_path):
    """Fetch the server's film into a part file; the provider is said to be on loopback."""
    async with Downloader(read_seconds=patience()) as loader:

        async def run(url=None, part=tmp_path / "film.part", **more):
            return await loader.fetch(url or server.url, part, provider_url=server.url, **more)

        run.part = tmp_path / "film.part"
        yield run


def note_of(part: Path) -> dict:
    return json.loads(part.with_name(f"{part.name}.json").read_text())


async def test_a_whole_download_is_proven_and_placed(server, fetch, mp4, tmp_path):
    seen = []
    got = await fetch(on_bytes=lambda done, total: seen.append((done, total)))
    assert (got.bytes, got.resumed, got.announced, got.digest) == (len(mp4), False, len(mp4), None)
    assert seen[-1] == (len(mp4), len(mp4))
    assert seen == sorted(seen)
    assert inspect_video(fetch.part, announced=got.announced).sha256 == hashlib.sha256(mp4).hexdigest()
    place(fetch.part, tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


async def test_nothing_secret_is_sent_logged_or_stored(server, fetch, caplog):
    caplog.set_level(logging.DEBUG)
    server.headers["Set-Cookie"] = "track=me"
    await fetch()
    discard(fetch.part)
    await fetch()
    for path, headers in server.requests:
        assert path == "/film.mp4?sig=secret"
        assert set(headers) == {"host", "user-agent", "accept", "accept-encoding"}
        assert headers["host"] == f"127.0.0.1:{server.port}"
    assert "secret" not in caplog.text
    assert "secret" not in fetch.part.with_name("film.part.json").read_text()


async def test_a_finished_part_needs_no_second_request(server, fetch, mp4):
    await fetch()
    server.status = 403
    got = await fetch()
    assert (got.bytes, got.resumed) == (len(mp4), True)
    assert len(server.requests) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ranges=st.booleans(),
    length=st.sampled_from(["told", "chunked"]),
    cuts=st.lists(st.floats(0, 1, exclude_max=True), max_size=5),
)
async def test_any_series_of_cuts_ends_in_the_same_bytes(server, tmp_path, ranges, length, cuts):
    mp4 = server.data
    server.ranges, server.length = ranges, length
    server.cut_at[:] = [int(cut * len(mp4)) for cut in cuts]
    part = tmp_path / "cut.part"
    discard(part)
    async with Downloader() as loader:
        for _ in cuts:
            before = part.stat().st_size if part.exists() and server.ranges else 0
            try:
                await loader.fetch(server.url, part, provider_url=server.url)
                break
            except Unreachable:
                assert part.read_bytes() == mp4[: part.stat().st_size] if part.exists() else True
                assert not part.exists() or part.stat().st_size >= before
        server.cut_at.clear()
        got = await loader.fetch(server.url, part, provider_url=server.url)
    assert part.read_bytes() == mp4
    assert got.bytes == len(mp4)


async def test_a_resume_asks_for_the_rest_alone_and_names_what_it_has(server, fetch, mp4):
    server.cut_at = [1000]
    with pytest.raises(Unreachable):
        await fetch()
    assert fetch.part.stat().st_size == 1000
    got = await fetch(server.url.replace("sig=secret", "sig=fresh"))
    assert got.resumed
    assert fetch.part.read_bytes() == mp4
    assert server.requests[1][1]["range"] == "bytes=1000-"
    assert server.requests[1][1]["if-range"] == '"v1"'


async def test_a_range_that_is_shorter_than_asked_for_is_gone_on_with(server, fetch, mp4):
    server.cut_at, server.longest_range = [1000], 500
    with pytest.raises(Unreachable):
        await fetch()
    with pytest.raises(Unreachable, match=f"1500 of {len(mp4)} bytes"):
        await fetch()
    server.longest_range = None
    assert (await fetch()).resumed
    assert fetch.part.read_bytes() == mp4


async def changed(server):
    server.etag = '"v2"'


async def changed_and_lying(server):
    server.etag, server.ignore_if_range = '"v2"', True


async def shifted(server):
    server.shift_range = 7


async def no_ranges(server):
    server.ranges = False


async def grown(server):
    server.data, server.ignore_if_range = server.data + b"\0\0\0\x08free", True


async def shrunk(server):
    server.data, server.ignore_if_range = server.data[:900], True


@pytest.mark.parametrize("fault", [changed, changed_and_lying, shifted, no_ranges, grown, shrunk])
async def test_what_does_not_continue_starts_anew(server, fetch, fault):
    server.cut_at = [1000]
    with pytest.raises(Unreachable):
        await fetch()
    await fault(server)
    got = await fetch()
    assert not got.resumed
    assert fetch.part.read_bytes() == server.data


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
async def test_without_a_strong_tag_nothing_is_resumed(server, fetch, mp4, etag):
    server.etag = etag
    server.cut_at = [1000]
    with pytest.raises(Unreachable):
        await fetch()
    assert not (await fetch()).resumed
    assert "range" not in server.requests[1][1]
    assert fetch.part.read_bytes() == mp4


async def test_an_old_date_serves_where_there_is_no_tag(server, fetch):
    server.etag = None
    server.headers = {"Last-Modified": "Mon, 01 Jan 2024 10:00:00 GMT", "Date": "Mon, 01 Jan 2024 12:00:00 GMT"}
    server.cut_at = [1000]
    with pytest.raises(Unreachable):
        await fetch()
    server.ignore_if_range = True
    assert (await fetch()).resumed
    assert server.requests[1][1]["if-range"] == "Mon, 01 Jan 2024 10:00:00 GMT"


@pytest.mark.parametrize("torn", ["", "[]", "{", '{"source": 1}', '{"source": "x", "validator": "a\\nb"}', "null"])
async def test_a_torn_note_starts_anew(server, fetch, mp4, torn):
    fetch.part.write_bytes(b"junk")
    fetch.part.with_name("film.part.json").write_text(torn)
    assert not (await fetch()).resumed
    assert fetch.part.read_bytes() == mp4


async def test_a_part_of_another_link_is_not_gone_on_with(server, fetch, mp4):
    server.cut_at = [1000]
    with pytest.raises(Unreachable):
        await fetch(server.url.replace("film", "other"))
    assert not (await fetch()).resumed
    assert fetch.part.read_bytes() == mp4


@pytest.mark.parametrize(("etag", "ranges"), [('"v1"', True), ('"v1"', False), (None, True)])
async def test_a_length_that_is_too_long_is_a_remark_where_the_file_is_whole(server, fetch, mp4, etag, ranges):
    server.etag, server.ranges, server.told_length = etag, ranges, len(mp4) + 10
    server.ignore_if_range = True
    got = await fetch()
    assert fetch.part.read_bytes() == mp4
    assert (got.bytes, got.announced, [each.slug for each in got.remarks]) == (
        len(mp4),
        None,
        ["download.other_length"],
    )
    assert len(server.requests) > 1, "it is believed only where a second request brings no more"
    inspect_video(fetch.part, announced=got.announced)


async def test_a_length_that_is_too_long_is_a_cut_where_the_file_is_not_whole(server, fetch, mp4):
    server.data, server.told_length = mp4[:-10], len(mp4)
    with pytest.raises(Unreachable):
        await fetch()
    assert fetch.part.read_bytes() == mp4[:-10]


async def test_a_file_that_seems_whole_at_a_cut_is_asked_for_once_more(server, fetch, mp4):
    """What is missing here is a box behind the video, which no table of the video mentions."""
    server.data = mp4 + b"\0\0\0\x10free" + bytes(8)
    server.cut_at = [len(mp4)]
    got = await fetch()
    assert (got.bytes, got.announced, got.remarks) == (len(server.data), len(server.data), ())


async def test_a_length_that_is_too_short_does_not_get_past_the_inspection(server, fetch, mp4):
    server.told_length = len(mp4) - 10
    got = await fetch()
    with pytest.raises(InvalidVideo):
        inspect_video(fetch.part, announced=got.announced)


async def test_without_any_length_nothing_is_announced(server, fetch, mp4):
    server.length = "none"
    got = await fetch()
    assert (got.bytes, got.announced) == (len(mp4), None)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, NotFound) for status in (400, 401, 402, 403, 404, 405, 409, 410, 416, 418, 422, 425, 451, 499)),
        *((status, Unreachable) for status in (408, 429, 500, 502, 503, 524)),
        *((status, InvalidResponse) for status in (204, 206)),
    ],
)
async def test_each_status_has_its_kind_and_the_link_is_cut(server, fetch, status, kind):
    server.status = status
    server.length = "none"
    with pytest.raises(kind, match=str(status)) as caught:
        await fetch()
    assert type(caught.value) is kind
    assert (caught.value.http_status, caught.value.code) == (status, f"http_{status}")
    assert "secret" not in str(caught.value)
    assert not fetch.part.exists()


async def test_a_link_that_expires_in_between_keeps_the_part(server, fetch):
    server.cut_at = [1000]
    with pytest.raises(Unreachable):
        await fetch()
    server.status = 403
    with pytest.raises(NotFound):
        await fetch()
    assert fetch.part.stat().st_size == 1000


SIGNED = b"<SignatureProvided>c2lnbmVk</SignatureProvided><StringToSign>GET /a?Signature=c2lnbmVk</StringToSign>"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            b'{"error": {"code": "video_not_ready", "message": "Try \\"later\\"", "param": null}}',
            'video_not_ready · Try "later"',
        ),
        (
            b'{"code":1,"msg":"\\u4efb\\u52a1\\u4e0d\\u5b58\\u5728","data":{"url":"https://a/b?sig=c2lnbmVk"}}',
            "1 · \u4efb\u52a1\u4e0d\u5b58\u5728",
        ),
        (
            b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Request has expired</Message>" + SIGNED,
            "AccessDenied · Request has expired",
        ),
        (
            b"<html><head><title>403\n  Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>",
            "403 Forbidden",
        ),
        (b"see https://a.test/x.mp4?sig=c2lnbmVk for more", "see https://a.test/x.mp4?… for more"),
        (b"you sent sk-very-secret, and that is wrong", "you sent ***, and that is wrong"),
        (b'{"message": "' + b"long " * 2000, None),
        (b"\0\1\2 no text", None),
        (b"", None),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
async def test_a_refusal_is_told_in_the_servers_words_and_without_its_secrets(server, fetch, body, says, packed):
    server.status, server.refusal = 400, gzip.compress(body) if packed else body
    with pytest.raises(NotFound) as caught:
        await fetch(api_key=SecretStr("sk-very-secret"))
    text = str(caught.value)
    assert text.endswith(f"film.mp4. It says: {says}" if says else "film.mp4.")
    assert "c2lnbmVk" not in text
    assert "very-secret" not in text


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=utf-8", b"<html>expired</html>"),
        ("video/mp4", b"<!DOCTYPE html><html>expired</html>"),
        ("application/octet-stream", b'{"code": 403}'),
        ("application/xml", b"<Error/>"),
        ("video/mp4", b"The file is being prepared."),
        ("video/mp4", b""),
    ],
)
@pytest.mark.parametrize("length", ["told", "chunked"])
@pytest.mark.parametrize("packed", [False, True])
async def test_a_text_is_no_video_and_is_not_kept(server, fetch, content_type, body, length, packed):
    server.data = gzip.compress(body) if packed and body else body
    server.content_type, server.length = content_type, length
    with pytest.raises(InvalidVideo):
        await fetch()
    assert not list(fetch.part.parent.iterdir())


async def test_a_text_that_is_cut_is_a_text_and_leaves_nothing_to_resume(server, fetch):
    server.data, server.told_length = b'{"code": "video_not_ready"', 100
    with pytest.raises(InvalidVideo, match="video_not_ready"):
        await fetch()
    assert not fetch.part.exists()


async def test_the_words_of_an_error_with_status_200_are_told(server, fetch):
    server.data = b'{"error":{"code":"video_not_ready","message":"The video is not ready."}}'
    with pytest.raises(InvalidVideo, match=r"JSON instead of a video.*video_not_ready · The video is not ready"):
        await fetch()


ENDLESS = b"<html><title>Gone</title>" + b"all work and no play " * 500_000


@pytest.mark.parametrize("length", ["told", "chunked"])
async def test_of_a_long_text_only_the_beginning_is_read(server, fetch, length):
    """It is refused by its first bytes, before the rest comes."""
    server.data, server.stall_after, server.length = ENDLESS, 20_000, length
    seen = [0]
    with pytest.raises(InvalidVideo, match="HTML"):
        await fetch(on_bytes=lambda done, total: seen.append(done))
    assert max(seen) < 512
    assert not fetch.part.exists()


async def test_of_a_long_refusal_only_the_beginning_is_read(server, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_DOCUMENT_SECONDS", None)
    server.status, server.refusal, server.stall_after = 404, ENDLESS, 20_000
    async with Downloader(read_seconds=1e9, total_seconds=1e9) as loader:
        with pytest.raises(NotFound, match="It says: Gone"):
            await loader.fetch(server.url, tmp_path / "film.part", provider_url=server.url)


async def test_what_is_neither_text_nor_a_known_video_is_left_for_a_look(server, fetch):
    server.data = b"\x1aE\xdf\xa3 another kind of video" * 40
    await fetch()
    with pytest.raises(InvalidVideo, match="not an MP4"):
        inspect_video(fetch.part)
    assert fetch.part.read_bytes() == server.data


async def test_a_web_page_on_the_way_does_not_spoil_an_older_part(server, fetch, mp4):
    server.cut_at = [1000]
    with pytest.raises(Unreachable):
        await fetch()
    server.data, server.etag = b"<html>We are updating our system</html>", None
    with pytest.raises(InvalidVideo):
        await fetch()
    server.data, server.etag = mp4, '"v1"'
    assert (await fetch()).resumed
    assert fetch.part.read_bytes() == mp4


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


@pytest.mark.parametrize("length", ["told", "chunked"])
async def test_no_file_beyond_the_cap(server, tmp_path, length):
    server.length = length
    async with Downloader(max_bytes=2000) as loader:
        with pytest.raises(InvalidVideo, match="larger than"):
            await loader.fetch(server.url, tmp_path / "film.part", provider_url=server.url)
    assert not (tmp_path / "film.part").exists()


@pytest.mark.parametrize(
    "waits", [{"read_seconds": 60, "total_seconds": 1e9}, {"read_seconds": 1e9, "total_seconds": 60}]
)
async def test_a_silent_server_and_a_slow_one_are_left_with_what_they_gave(server, tmp_path, waits):
    server.stall_after = 1500
    part, came = tmp_path / "film.part", []
    async with Downloader(**waits) as loader:
        fetching = asyncio.ensure_future(
            loader.fetch(server.url, part, provider_url=server.url, on_bytes=lambda done, total: came.append(done))
        )
        await eventually_async(lambda: 1500 in came, "all that the server gives")
        while not fetching.done():
            skip(100)
            await asyncio.sleep(0.01)
        with pytest.raises(Unreachable):
            await fetching
    assert part.stat().st_size == 1500


async def test_a_cancelled_fetch_keeps_its_bytes_and_closes_its_file(server, fetch, mp4):
    server.stall_after = 1500
    arrived = asyncio.Event()
    task = asyncio.ensure_future(fetch(on_bytes=lambda done, total: arrived.set()))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    server.stall_after = None
    assert (await fetch()).resumed
    assert fetch.part.read_bytes() == mp4


async def test_large_files_are_written_while_they_come(server, fetch, mp4):
    server.data = mp4 + bytes(5 << 20)
    sizes = []
    await fetch(on_bytes=lambda done, total: sizes.append(fetch.part.exists() and fetch.part.stat().st_size))
    assert max(sizes[:-1]) > 1 << 20
    assert fetch.part.read_bytes() == server.data


async def test_a_full_disk_is_said_so(server, fetch, tmp_path, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    # A link is the way to a full disk here; else none is followed.
    monkeypatch.setattr(storage_part, "_open_no_link", lambda path, flags: os.open(path, flags, 0o666))
    part = tmp_path / "full.part"
    part.symlink_to("/dev/full")
    with pytest.raises(InputError, match="disk is full"):
        await fetch(part=part)


async def test_a_missing_folder_and_a_dead_host_are_told(server, fetch, tmp_path, unused_tcp_port_factory):
    with pytest.raises(InputError, match="cannot be written"):
        await fetch(part=tmp_path / "none" / "film.part")
    with pytest.raises(Unreachable):
        await fetch(f"http://127.0.0.1:{unused_tcp_port_factory()}/film.mp4")


async def test_redirects_are_followed_a_few_times(server, fetch, mp4):
    server.redirects = {"/a": "/b", "/b": server.url}
    await fetch(f"http://127.0.0.1:{server.port}/a")
    assert fetch.part.read_bytes() == mp4
    discard(fetch.part)
    server.redirects["/b"] = "/a"
    with pytest.raises(InvalidResponse, match="more than 5 times"):
        await fetch(f"http://127.0.0.1:{server.port}/a?x=1")


async def test_one_downloader_serves_many_at_once(server, tmp_path, mp4):
    parts = [tmp_path / f"{number}.part" for number in range(40)]
    async with Downloader() as loader:
        await asyncio.gather(*(loader.fetch(server.url, part, provider_url=server.url) for part in parts))
    assert [part.read_bytes() == mp4 for part in parts] == [True] * 40


KEY = SecretStr("sk-very-secret")


async def test_a_link_of_the_provider_gets_the_key_where_it_wants_it(server, fetch, mp4, caplog):
    caplog.set_level(logging.DEBUG)
    server.key = KEY.get_secret_value()
    server.cut_at = [5, 1000]  # of the refusal, of the file
    with pytest.raises(Unreachable):
        await fetch(api_key=KEY)
    await fetch(api_key=KEY)
    assert fetch.part.read_bytes() == mp4
    sent = [("authorization" in headers, headers.get("range")) for _, headers in server.requests]
    assert sent == [(False, None), (True, None), (False, "bytes=1000-"), (True, "bytes=1000-")]
    assert "very-secret" not in caplog.text
    assert "very-secret" not in fetch.part.with_name("film.part.json").read_text()


async def test_a_wrong_key_is_a_refusal_like_any_other(server, fetch):
    server.key, server.refusal = "another", b'{"message": "no such key: sk-very-secret"}'
    with pytest.raises(NotFound, match=r"HTTP 401.*no such key: \*\*\*$") as caught:
        await fetch(api_key=KEY)
    assert caught.value.http_status == 401
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [None, 400, 404, 410, 425, 429, 500])
async def test_the_key_is_sent_only_where_it_is_asked_for(server, fetch, status):
    server.status = status
    with contextlib.suppress(NotFound, Unreachable):
        await fetch(api_key=KEY)
    assert ["authorization" in headers for _, headers in server.requests] == [False]


@pytest.mark.parametrize("status", [401, 403])
async def test_no_other_origin_gets_the_key(server, other, fetch, status):
    other.status = status
    for link in (other.url, f"http://localhost:{other.port}/film.mp4"):
        with pytest.raises(NotFound):
            await fetch(link, api_key=KEY)
    server.key = KEY.get_secret_value()
    with pytest.raises(NotFound):
        await fetch(f"http://localhost:{server.port}/film.mp4", api_key=KEY)
    assert len(other.requests) == 2
    assert not any("authorization" in headers for _, headers in (*other.requests, *server.requests))


async def test_a_link_elsewhere_that_leads_to_the_provider_gets_no_key(server, other, fetch):
    server.key = KEY.get_secret_value()
    other.redirects = {"/film.mp4": server.url}
    with pytest.raises(NotFound):
        await fetch(other.url, api_key=KEY)
    assert not any("authorization" in headers for _, headers in (*other.requests, *server.requests))


async def test_a_redirect_takes_the_key_along_within_its_origin_and_nowhere_else(server, other, fetch, mp4):
    server.key = KEY.get_secret_value()
    here, there = f"http://127.0.0.1:{server.port}", f"http://127.0.0.1:{other.port}"
    server.redirects = {"/content": "/moved", "/moved": f"{there}/film.mp4"}
    await fetch(f"{here}/content", api_key=KEY)
    assert fetch.part.read_bytes() == mp4
    sent = [(path, "authorization" in headers) for path, headers in server.requests]
    assert sent == [("/content", False), ("/content", True), ("/moved", True)]
    assert ["authorization" in headers for _, headers in other.requests] == [False]

    discard(fetch.part)
    server.requests.clear()
    other.redirects = {"/film.mp4": f"{here}/back"}
    with pytest.raises(NotFound):
        await fetch(f"{here}/content", api_key=KEY)
    assert server.requests[-1][0] == "/back"
    assert "authorization" not in server.requests[-1][1]
