"""Result files: real videos behind signed links, with ranges, and with everything that can be wrong."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import av
import httpx
import pytest

from prefect_seedance.sandbox.media.video import video_bytes


def link_of(client, *effects, **fields):
    client.server.faults.queue("create", *effects or ("ok",))
    job = client.jimmy_job(**fields)
    client.finish()
    return client.jimmy_view(job)["result"]["video_url"]


def read_into(got, answer):
    for piece in answer.iter_bytes():
        got += piece


def frames(content):
    with av.open(io.BytesIO(content)) as video:
        return sum(1 for _ in video.decode(video=0))


@pytest.mark.parametrize(
    ("model", "fields", "size", "sound"),
    [
        ("seedance2.0-mini", {"resolution": "480p", "ratio": "3:4"}, (560, 752), True),
        ("seedance2.0-mini", {"ratio": "21:9"}, (1470, 630), True),
        ("seedance2.0-of-sp", {"resolution": "1080p", "ratio": "1:1"}, (1440, 1440), True),
        ("seedance2.0-md", {"ratio": "9:16"}, (720, 1280), False),
    ],
)
def test_videos_are_what_was_asked_for(client, model, fields, size, sound):
    content = httpx.get(link_of(client, model=model, duration=4, **fields)).content
    with av.open(io.BytesIO(content)) as video:
        stream = video.streams.video[0]
        assert (stream.width, stream.height) == size
        assert bool(video.streams.audio) is sound
        assert Decimal(video.duration) / av.time_base == 4
    assert frames(content) == 96
    assert content.index(b"moov") < content.index(b"mdat")


def test_no_two_files_are_equal_and_each_stays_the_same():
    shape = {"width": 640, "height": 640, "seconds": 4, "has_audio": False}
    files = {name: video_bytes(name, **shape) for name in map(str, range(30))}
    assert len(set(files.values())) == 30
    assert all(video_bytes(name, **shape) == content for name, content in files.items())
    assert video_bytes("1", **shape, version=1) != files["1"]
    assert len(video_bytes("1", **shape, version=1)) == len(files["1"])


def test_many_may_ask_at_once(client):
    link = link_of(client)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: httpx.get(link).content, range(16)))) == 1


def test_links_are_signed_and_end(client):
    link = link_of(client)
    assert httpx.get(link).status_code == 200
    address, _, query = link.partition("?")
    signature, expires = query.split("&")
    for wrong in (address, f"{address}?{signature}", f"{address}?sig=0&{expires}", link + "0"):
        assert httpx.get(wrong).status_code == 403, wrong
    assert httpx.get(link.replace("vid_", "vid_0")).status_code == 404
    client.clock.now += 3 * 86_400 - 120
    assert httpx.get(link).status_code == 200
    client.clock.now += 240
    assert httpx.get(link).status_code == 403


def test_anyfast_links_live_for_a_day(client):
    job = client.anyfast_job()
    client.finish()
    link = client.anyfast_view(job)["data"]["result_url"]
    client.clock.now += 86_400
    assert httpx.get(link).status_code == 403


def test_an_unfinished_job_has_no_file(client):
    job = client.jimmy_job()
    assert httpx.get(f"{client.server.url}/_files/{job}.mp4?sig=x&expires=1").status_code == 404


def test_expired_links_stay_expired_and_stale_ones_are_renewed(client):
    expired = link_of(client, "expired_link")
    assert httpx.get(expired).status_code == 403
    client.server.faults.queue("create", "stale_link")
    job = client.jimmy_job()
    client.finish()
    first, second = (client.jimmy_view(job)["result"]["video_url"] for _ in range(2))
    assert [httpx.get(link).status_code for link in (first, second)] == [403, 200]


def test_ranges(client):
    link = link_of(client)
    whole = httpx.get(link)
    size, etag = len(whole.content), whole.headers["etag"]

    def get(wanted, **headers):
        return httpx.get(link, headers={"Range": wanted, **headers})

    for wanted, first, last in (
        ("bytes=0-99", 0, 99),
        (f"bytes={size - 10}-", size - 10, size - 1),
        ("bytes=-10", size - 10, size - 1),
        (f"bytes=5-{size * 2}", 5, size - 1),
    ):
        answer = get(wanted)
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {first}-{last}/{size}"
        assert answer.content == whole.content[first : last + 1]
    assert get("bytes=0-9", **{"If-Range": etag}).status_code == 206
    changed = get("bytes=0-9", **{"If-Range": '"other"'})
    assert (changed.status_code, changed.content) == (200, whole.content)
    for beyond in (f"bytes={size}-", "bytes=-0", "bytes=9-5"):
        answer = get(beyond)
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}")
    assert get("lines=1-2").status_code == 200
    head = httpx.head(link)
    assert (head.headers["content-length"], head.headers["etag"]) == (str(size), etag)


def test_a_cut_download_can_be_resumed(client):
    link = link_of(client)
    whole = httpx.get(link).content
    client.server.faults.queue("download", "download_cut", "download_error")
    got = bytearray()
    with httpx.stream("GET", link) as answer:
        assert answer.headers["content-length"] == str(len(whole))
        with pytest.raises(httpx.RemoteProtocolError):
            read_into(got, answer)
    assert 0 < len(got) < len(whole)
    assert httpx.get(link).status_code == 503
    rest = httpx.get(link, headers={"Range": f"bytes={len(got)}-"}).content
    assert bytes(got) + rest == whole


def test_servers_without_ranges_and_with_changing_files(client):
    plain = httpx.get(link_of(client, "no_ranges"), headers={"Range": "bytes=0-9"})
    assert (plain.status_code, plain.headers["accept-ranges"]) == (200, "none")
    changing = link_of(client, "changing_etag")
    first, second = httpx.get(changing), httpx.get(changing)
    assert first.headers["etag"] != second.headers["etag"]
    assert first.content != second.content
    assert len(first.content) == len(second.content)
    assert frames(second.content) == 96


def test_truncated_corrupt_and_foreign_bodies(client):
    whole = len(httpx.get(link_of(client)).content)
    truncated = httpx.get(link_of(client, "truncated_result"))
    assert int(truncated.headers["content-length"]) == len(truncated.content) < whole
    corrupt = httpx.get(link_of(client, "corrupt_result")).content
    with pytest.raises(av.error.FFmpegError):
        frames(corrupt)
    html = httpx.get(link_of(client, "html_result"))
    assert (html.status_code, html.headers["content-type"].partition(";")[0]) == (200, "text/html")


def test_odd_headers_take_nothing_from_the_video(client):
    def served(kind):
        """The bytes and headers as they are sent, unread."""
        with httpx.stream("GET", link_of(client, f"odd_headers={kind}")) as answer:
            return b"".join(answer.iter_raw()), answer.headers

    for kind in ("text_plain", "json", "aws_chunked", "utf8", "wrong_md5", "gzip_unpacked"):
        assert frames(served(kind)[0]) == 96
    assert served("text_plain")[1]["content-type"] == "text/plain; charset=utf-8"
    assert served("json")[1]["content-type"] == "application/json"
    assert [served(kind)[1]["content-encoding"] for kind in ("aws_chunked", "utf8")] == ["aws-chunked", "utf-8"]
    body, headers = served("wrong_md5")
    assert headers["content-md5"] != base64.b64encode(hashlib.md5(body).digest()).decode()
    for kind, said in (("gzip", "gzip"), ("gzip_unsaid", None)):
        body, headers = served(kind)
        assert headers.get("content-encoding") == said
        assert frames(gzip.decompress(body)) == 96
    assert served("no_ftyp")[0][4:8] == b"free"
    got = bytearray()
    with httpx.stream("GET", link_of(client, "odd_headers=wrong_length")) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            read_into(got, answer)
        assert int(answer.headers["content-length"]) == len(got) + 100
    assert frames(bytes(got)) == 96


def test_which_headers_are_odd_depends_on_the_job(client):
    link = link_of(client, "odd_headers")
    with pytest.raises(ValueError, match="cannot be queued"):
        client.server.faults.queue("create", "odd_headers=nothing")
    etags = set()
    for _ in range(2):
        with httpx.stream("GET", link) as answer:  # its body may be shorter than it says
            etags.add(answer.headers["etag"])
    assert len(etags) == 1


def test_a_keyed_link_wants_the_key_of_its_own_account(client):
    link = link_of(client, "keyed_link")
    assert httpx.get(link).status_code == 401
    statuses = [
        httpx.get(link, headers={"Authorization": f"Bearer {key}"}).status_code
        for key in ("sk_wrong", "sk-sandbox", "sk_sandbox")
    ]
    assert statuses == [401, 401, 200]


def test_the_file_server_notices_a_leaked_key(client):
    link = link_of(client)
    httpx.get(link)
    assert client.server.state.calls["files.with_authorization"] == 0
    httpx.get(link, headers={"Authorization": "Bearer sk_sandbox"})
    assert client.server.state.calls["files.with_authorization"] == 1


def test_a_file_of_the_users_own_is_served_in_place_of_a_video(client, tmp_path):
    state = client.server.state
    (tmp_path / "own.mp4").write_bytes(b"own bytes")
    assert frames(httpx.get(link_of(client, "given_result=own.mp4")).content) == 96, "no folder is set"
    state.settings = replace(state.settings, results=tmp_path)
    for fault in ("given_result=own.mp4", "given_result"):
        assert httpx.get(link_of(client, fault)).content == b"own bytes"


def test_a_redirected_link_leads_to_another_signed_link(client):
    answer = httpx.get(link_of(client, "redirected_link"))
    assert (answer.status_code, "ticket=" in answer.headers["location"]) == (302, True)
    assert httpx.get(answer.headers["location"]).content.startswith(b"\0\0\0")
