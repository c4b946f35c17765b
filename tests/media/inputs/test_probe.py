from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import socket
import struct
import zlib
from decimal import Decimal
from pathlib import Path

import fsspec
import httpx
import pytest

from prefect_seedance.errors import InputError, UnsafeLink
from prefect_seedance.media import MediaAccess, Prober
from prefect_seedance.media.inputs.sources import BLOCK, MOST_REMOTE
from prefect_seedance.media.links import Zone, endpoints
from prefect_seedance.routes.rules.material import MediaFacts
from tests.media.heif_files import box
from tests.media.samples import all_samples, picture, stream
from tests.patience import eventually_async

SAMPLES = all_samples()
LOOPBACK = MediaAccess(loopback=True)


class HeadServer:
    """Serves bytes and counts those that it sends; every fault of a server is a switch."""

    def __init__(self):
        self.data = b""
        self.ranges = True
        self.length = True
        self.status = None
        self.redirect = None
        self.silent = False
        self.most = None  # bytes of one answer, where a server sends less than asked for
        self.changes = False
        self.pace = 0.0
        self.gather = 0  # how many must have been asked at once before the first is answered
        self.sent = 0
        self.asked = []
        self.at_once = self.most_at_once = 0
        self.tasks = set()

    async def handle(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            wanted = head.partition("range: bytes=")[2].partition("\r\n")[0]
            self.asked.append(wanted)
            if self.silent:
                await asyncio.Event().wait()
            if self.gather:
                await eventually_async(lambda: self.most_at_once >= self.gather, "so many at once")
            await asyncio.sleep(self.pace)
            await self.answer(wanted, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.at_once -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def answer(self, wanted, writer):
        status, body, headers = self.status or 200, self.data, {"ETag": f'"{len(self.asked) if self.changes else 0}"'}
        if self.redirect:
            status, headers["Location"] = 302, self.redirect
        elif self.ranges and wanted and not self.status:
            first, last = (int(end) for end in wanted.split("-"))
            if first >= len(self.data):
                status, body, headers["Content-Range"] = 416, b"", f"bytes */{len(self.data)}"
            else:
                body = body[first : min(last + 1, first + (self.most or len(body)))]
                status, headers["Content-Range"] = 206, f"bytes {first}-{first + len(body) - 1}/{len(self.data)}"
        if self.length:
            headers["Content-Length"] = len(body)
        lines = [f"HTTP/1.1 {status} X", "Connection: close", *(f"{key}: {value}" for key, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        for place in range(0, len(body), 1 << 16):
            writer.write(body[place : place + (1 << 16)])
            await writer.drain()
            self.sent += len(body[place : place + (1 << 16)])


@pytest.fixture
async def server():
    served = HeadServer()
    listening = socket.create_server(("127.0.0.1", 0))
    # Else the operating system takes megabytes off the server's hands before anybody reads them.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
    listener = await asyncio.start_server(served.handle, sock=listening)
    served.url = f"http://127.0.0.1:{listening.getsockname()[1]}/a%20b.png?sig=secret"
    yield served
    listener.close()
    for task in served.tasks:
        task.cancel()
    await asyncio.gather(*served.tasks, return_exceptions=True)
    await listener.wait_closed()


async def look(address, places=LOOPBACK, **settings):
    async with Prober(places, **settings) as prober:
        return await prober.probe(address)


def data_uri(mime, data):
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_medium_is_known_by_its_bytes_wherever_it_lies(name, tmp_path, server):
    data, kind, form, size = SAMPLES[name]
    (tmp_path / "wrong name.txt").write_bytes(data)
    local = (await look("wrong name.txt", MediaAccess(tmp_path))).facts
    assert (local.kind, local.format, local.bytes) == (kind, form, len(data))
    assert (local.width, local.height) == (size or (None, None))
    server.data = data
    with fsspec.open("memory://probe/x", "wb") as file:
        file.write(data)
    for address in (server.url, "memory://probe/x", data_uri("image/png", data)):
        probed = await look(address)
        assert probed.facts.format == form
        assert (probed.facts.width, probed.facts.height, probed.facts.bytes) == (local.width, local.height, len(data))
        assert probed.warning is None or (address.startswith("data:") and form != "png")
        if kind != "image":
            assert abs(probed.facts.seconds - local.seconds) < Decimal("0.2")
    if kind != "image":
        assert abs(local.seconds - 2) < Decimal("0.2")
        assert local.has_audio == (kind == "audio" or name not in {"silent mp4", "turned mov", "fragments", "3gp"})
    assert local.fps == (12 if kind == "video" else None)


async def test_the_sandboxes_media_are_exactly_as_long_as_asked_for(sandbox):
    async with Prober(LOOPBACK) as prober:
        film = await prober.probe(f"{sandbox.url}/_media/dance.mp4?w=640&h=360&seconds=3")
        assert film.facts == MediaFacts("video", "mp4", film.facts.bytes, 640, 360, Decimal(3), Decimal(24), True)
        for name in ("rain.mp3", "rain.wav"):
            assert (await prober.probe(f"{sandbox.url}/_media/{name}?seconds=4")).facts.seconds == 4
        assert (await prober.probe(f"{sandbox.url}/_media/cat.webp?w=640&h=360")).facts.width == 640


async def test_of_a_large_picture_one_block_is_asked_for(server):
    server.data = picture("mjpeg", "yuvj420p") + bytes(40 << 20)
    probed = await look(server.url)
    assert (probed.facts.width, probed.facts.bytes, probed.warning) == (40, len(server.data), None)
    assert server.asked == [f"0-{BLOCK - 1}"]
    assert server.sent == BLOCK


async def test_the_tables_at_the_end_of_a_large_film_are_sought(server):
    film = SAMPLES["turned mp4"][0]
    place = film.index(b"moov") - 4
    server.data = film[:place] + box(b"free", bytes(40 << 20)) + film[place:]
    server.most = 100_000
    probed = await look(server.url)
    facts = MediaFacts("video", "mp4", len(server.data), 48, 64, Decimal(2), Decimal(12), True)
    assert (probed.facts, probed.warning) == (facts, None)
    assert server.sent <= 4 * BLOCK


@pytest.mark.parametrize("length", [True, False])
async def test_a_server_without_ranges_is_cut_off(server, length):
    server.ranges, server.length = False, length
    server.data = picture("png", "rgb24") + bytes(40 << 20)
    probed = await look(server.url)
    assert (probed.facts.width, probed.facts.bytes) == (40, len(server.data) if length else None)
    assert server.sent < 8 << 20
    server.data = (film := SAMPLES["mp4"][0]) and film[: film.index(b"moov") - 4] + box(b"free", bytes(40 << 20)) + film
    probed = await look(server.url)
    assert (probed.facts.format, probed.facts.width) == ("mp4", None)
    assert "not checked before spending" in str(probed.warning)
    assert "secret" not in str(probed.warning)
    server.data = film
    assert (await look(server.url)).facts.seconds in ({2} if length else {2, None})


async def test_no_more_than_the_cap_is_read_of_any_file(server):
    film = SAMPLES["fragments"][0]
    start, end = film.index(b"moof") - 4, film.index(b"mfra") - 4
    head, pieces = film[:start], film[start:end]
    server.data = head + b"".join(pieces + box(b"free", bytes(1 << 19)) for _ in range(40)) + film[end:]
    probed = await look(server.url)
    assert (probed.facts.format, probed.facts.seconds) == ("mp4", None)
    assert "first 8 MB" in str(probed.warning)
    assert server.sent <= MOST_REMOTE


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429, 500, 503, 999])
async def test_a_server_that_refuses_is_a_warning(server, status):
    server.status = status
    probed = await look(server.url)
    assert probed.facts is None
    assert f"answers {status}" in str(probed.warning)
    assert "secret" not in str(probed.warning)


async def test_no_server_and_a_silent_one_are_warnings(server):
    server.silent = True
    assert (await look(server.url, probe_seconds=0.3)).warning.slug == "media.look_took_long"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused = (await look(f"http://127.0.0.1:{port}/a.png?sig=secret")).warning
    assert "did not answer (ConnectError)" in str(refused)
    assert "secret" not in str(refused)
    assert "does not resolve" in str((await look("https://no-such-host.invalid/a.png")).warning)


async def test_a_file_that_changes_while_it_is_read_is_a_warning(server):
    server.changes = True
    film = SAMPLES["mp4"][0]
    place = film.index(b"moov") - 4
    server.data = film[:place] + box(b"free", bytes(1 << 20)) + film[place:]
    assert "changed while" in str((await look(server.url)).warning)


@pytest.mark.parametrize(
    "address",
    ["https://10.0.0.1/a.png?sig=secret", "https://[fd00::1]/a.png", "https://169.254.169.254/a.png?sig=secret"],
)
async def test_a_private_address_is_refused_also_behind_a_redirect(server, address, sandbox):
    server.redirect = address
    for asked in (address, server.url):
        with pytest.raises(InputError, match="private address") as caught:
            await look(asked)
        assert "secret" not in str(caught.value)
    server.redirect = "http://93.184.216.34/a.png"
    with pytest.raises(InputError, match="not encrypted"):
        await look(server.url)
    server.redirect = "file:///etc/passwd"
    with pytest.raises(InputError, match="not an https link"):
        await look(server.url)
    server.redirect = f"{sandbox.url}/_media/cat.png?w=400&h=300"
    assert (await look(server.url)).facts.width == 400


async def test_loopback_and_private_hosts_must_be_allowed(server):
    server.data = SAMPLES["png"][0]
    with pytest.raises(InputError, match="loopback address"):
        await look(server.url, MediaAccess())
    with pytest.raises(InputError, match="loopback address"):
        await look(server.url, MediaAccess(hosts=frozenset({"127.0.0.1"})))
    public = frozenset({Zone.PUBLIC})
    assert await endpoints(httpx.URL("https://10.0.0.1/a.png"), public, frozenset({"10.0.0.1"}))
    for address in ("https://10.0.0.2/a.png", "https://127.0.0.1/a.png", "http://10.0.0.1/a.png"):
        with pytest.raises(UnsafeLink):
            await endpoints(httpx.URL(address), public, frozenset({"10.0.0.1"}))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b"Dear provider,\n\xe5\x88\x86\xe9\x95\x9c", "content is text"),
        (b"<!DOCTYPE html><html>Sign in <svg></svg></html>", "a web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML or HTML"),
        (b'{"error": 1}', "JSON"),
        (b"%PDF-1.7\n\x80", "content is PDF"),
        (b"PK\x03\x04\0\0", "ZIP"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS"),
        ("id,prompt\n".encode("utf-16"), "content is text"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "content is text"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "content is text"),
    ],
)
async def test_what_is_no_medium_is_refused_whatever_its_name(data, words, tmp_path, server):
    (tmp_path / "logo.png").write_bytes(data)
    server.data = data
    for address, places in (("logo.png", MediaAccess(tmp_path)), (server.url, LOOPBACK)):
        with pytest.raises(InputError, match=words):
            await look(address, places)


async def test_unknown_bytes_are_refused_here_and_a_warning_elsewhere(tmp_path, server):
    server.data = b"\x01\x02\x03\x04\x00" * 100
    (tmp_path / "a.png").write_bytes(server.data)
    with pytest.raises(InputError, match="unsupported media format"):
        await look("a.png", MediaAccess(tmp_path))
    assert (await look(server.url)).warning.slug == "media.look_unknown"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "is empty"),
        ("http://example.com/a.png?sig=secret", "plain http"),
        ("ftp://example.com/a.png", "not supported"),
        ("local:///etc/passwd", "not the address of a store"),
        ("sftp://example.com/a.png", "not supported"),
        ("github://a:b@/a.png", "not read|password"),
        ("dropbox://a/b.png", "not read"),
        ("simplecache::s3://a/b.png", "not read|store"),
        ("oss://bucket/a.png", "pip install ossfs"),
        ("gs://bucket/a.png?sig=secret", "pip install gcsfs"),
        ("memory://probe/none.png", "There is no file"),
        ("data:image/png;base64,AAA", "not Base64"),
        ("data:image/png,AAAA", "data URI"),
        ("/etc/passwd", "media_root"),
    ],
)
async def test_an_address_that_cannot_be_read_is_a_mistake(address, words):
    with pytest.raises(InputError, match=words) as caught:
        await look(address)
    assert "Nothing was spent" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_assets_are_not_looked_at():
    assert await look("asset://abc") == await look("asset://def")
    assert (await look("asset://abc")).facts is None


async def test_each_address_is_asked_once_and_eight_at_a_time(server):
    server.data, server.pace, server.gather = SAMPLES["png"][0], 0.05, 8
    async with Prober(LOOPBACK) as prober:
        first = asyncio.create_task(prober.probe(server.url + "0"))
        await asyncio.sleep(0)
        first.cancel()
        addresses = [f"{server.url}{number % 20}" for number in range(1000)]
        probed = await asyncio.gather(*(prober.probe(address) for address in addresses))
    assert {one.facts.width for one in probed} == {40}
    assert len(server.asked) == 20
    assert server.most_at_once == 8
    server.status = 404
    async with Prober(LOOPBACK) as prober:
        with contextlib.suppress(InputError):
            await prober.probe("")
        with pytest.raises(InputError):
            await prober.probe("")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
async def test_a_vast_frame_in_a_small_film_is_not_decoded(tmp_path):
    film = stream("mov", "png", frames=1, pixels="rgb24")
    place = film.index(b"IHDR")
    text = b"IHDR" + struct.pack(">II", 12_000, 12_000) + film[place + 12 : place + 17]
    (tmp_path / "a.mov").write_bytes(film[:place] + text + struct.pack(">I", zlib.crc32(text)) + film[place + 21 :])
    # What was asked of the system, used or not: FFmpeg would ask for 423 MB for this frame.
    before = _most_memory()
    probed = await look("a.mov", MediaAccess(tmp_path))
    assert probed.facts.width is None
    assert probed.warning.slug == "media.look_unstated"
    assert _most_memory() - before < 200_000


def _most_memory():
    return int(Path("/proc/self/status").read_text().partition("VmPeak:")[2].split()[0])


@pytest.mark.parametrize(
    "name", ["png", "jpeg", "webp", "gif", "bmp", "tiff", "heic", "mp4", "m4a", "avi", "webm", "wav"]
)
async def test_a_file_cut_anywhere_is_told_to_be_cut(name, tmp_path):
    data = SAMPLES[name][0]
    places = MediaAccess(tmp_path)
    step = max(1, len(data) // 60)
    async with Prober(places) as prober:
        for cut in {*range(0, len(data) - 16, step), *range(min(64, len(data) - 16))}:
            (tmp_path / f"{cut}.bin").write_bytes(data[:cut])
            with pytest.raises(InputError):
                await prober.probe(f"{cut}.bin")


@pytest.mark.parametrize("name", SAMPLES)
async def test_damage_brings_nothing_but_words(name, tmp_path):
    data, dice = SAMPLES[name][0], random.Random(name)
    async with Prober(MediaAccess(tmp_path)) as prober:
        for number in range(25):
            damaged = bytearray(data[: dice.choice((len(data), dice.randrange(len(data))))])
            for _ in range(dice.choice((0, 1, 8))):
                if damaged:
                    damaged[dice.randrange(min(len(damaged), 600))] = dice.choice(
                        (0, 1, 0x7F, 0xFF, dice.randrange(256))
                    )
            (tmp_path / f"{number}.bin").write_bytes(damaged)
            with contextlib.suppress(InputError):
                probed = await prober.probe(f"{number}.bin")
                assert probed.facts is not None or probed.warning
