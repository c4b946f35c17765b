"""Answers that are no video: refusals, texts, web pages."""

from __future__ import annotations

import gzip

import pytest
from pydantic import SecretStr

from prefect_seedance.errors import InvalidResponse, InvalidVideo, NotFound, Unreachable
from prefect_seedance.media import Downloader, inspect_video
from prefect_seedance.media.videos import download as module


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
