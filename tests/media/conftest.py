"""Real MP4 files, and a small HTTP server that misbehaves on request."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

MakeVideo = Callable[..., bytes]


def encode_video(
    path: Path,
    *,
    size=(64, 48),
    frames=24,
    fps=12,
    audio=True,
    movflags="",
    codec="libx264",
    black_frames=0,
    gop=250,
    noise=60,
) -> bytes:
    width, height = size
    rng = np.random.default_rng(7)
    with av.open(str(path), "w", format="mp4", options={"movflags": movflags} if movflags else {}) as out:
        video = out.add_stream(codec, rate=fps, options={"g": str(gop)})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        sound = out.add_stream("aac", rate=44100, layout="mono") if audio else None
        for number in range(frames):
            image = np.zeros((height, width, 3), np.uint8)
            if number >= black_frames:
                image[..., 0] = (np.arange(width) * 4 + number * 9) % 256
                image[..., 1] = (np.arange(height)[:, None] * 5) % 256
                image[..., 2] = rng.integers(0, noise, (height, width))
            out.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(video.encode(None))
        if sound is not None:
            samples = (np.sin(np.arange(44100 * frames // fps) * 0.06) * 0.3).astype(np.float32)[None]
            for start in range(0, samples.shape[1], 1024):
                piece = np.ascontiguousarray(samples[:, start : start + 1024])
                frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 44100, start, Fraction(1, 44100)
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path.read_bytes()


@pytest.fixture(scope="session")
def make_video(tmp_path_factory) -> MakeVideo:
    folder = tmp_path_factory.mktemp("made")
    numbers = itertools.count()
    return lambda **settings: encode_video(folder / f"{next(numbers)}.mp4", **settings)


@pytest.fixture(scope="session")
def mp4(make_video) -> bytes:
    """Two seconds of 64x48 with sound; its description lies at the end."""
    return make_video()


class FileServer:
    """Serves one file on 127.0.0.1, with the faults that are set. Speaks HTTP/1.1, one request a connection."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.etag: str | None = '"v1"'
        self.ranges = True
        self.content_type = "video/mp4"
        self.status: int | None = None
        self.refusal = b"no"  # the body of an answer that refuses
        self.key: str | None = None  # without it, every request is answered 401
        self.cut_at: list[int] = []  # for each request: body bytes to send before the cut
        self.told_length: int | None = None  # instead of the true one
        self.length = "told"  # told, chunked, none
        self.ignore_if_range = False
        self.shift_range = 0
        self.longest_range: int | None = None  # a server may send less than it is asked for
        self.stall_after: int | None = None
        self.redirects: dict[str, str] = {}
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.handlers: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/film.mp4?sig=secret"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handlers.add(asyncio.current_task())
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(":") for line in head[1:] if line)
            asked = {name.lower(): value.strip() for name, _, value in pairs}
            path = head[0].split(" ")[1]
            self.requests.append((path, asked))
            await self.answer(path.split("?")[0], asked, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def close(self) -> None:
        for handler in self.handlers:
            handler.cancel()
        await asyncio.gather(*self.handlers, return_exceptions=True)

    async def answer(self, path: str, asked: dict[str, str], writer: asyncio.StreamWriter) -> None:
        cut = self.cut_at.pop(0) if self.cut_at else None
        headers = {"Content-Type": self.content_type, "Connection": "close", **self.headers}
        if self.etag:
            headers["ETag"] = self.etag
        status, body = self.choose(path, asked, headers)
        if self.length == "told":
            headers["Content-Length"] = str(len(body) if self.told_length is None else self.told_length)
        elif self.length == "chunked":
            headers["Transfer-Encoding"] = "chunked"
            body = b"".join(
                b"%x\r\n%s\r\n" % (len(piece), piece)
                for piece in (body[at : at + 1000] for at in range(0, len(body), 1000))
            )
            body += b"0\r\n\r\n"
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        if cut is not None:
            body = body[:cut]
        if self.stall_after is not None:
            writer.write(body[: self.stall_after])
            await writer.drain()
            await asyncio.Event().wait()  # until `close`
        writer.write(body)
        await writer.drain()

    def choose(self, path: str, asked: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
        if self.key is not None and asked.get("authorization") != f"Bearer {self.key}":
            return 401, self.refusal
        if path in self.redirects:
            headers["Location"] = self.redirects[path]
            return 302, b""
        if self.status is not None:
            return self.status, self.refusal
        wanted = asked.get("range")
        if not wanted or not self.ranges or (asked.get("if-range") != self.etag and not self.ignore_if_range):
            return 200, self.data
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(self.data):
            headers["Content-Range"] = f"bytes */{len(self.data)}"
            return 416, b""
        start += self.shift_range
        piece = self.data[start:][: self.longest_range]
        headers["Content-Range"] = f"bytes {start}-{start + len(piece) - 1}/{len(self.data)}"
        return 206, piece


@contextlib.asynccontextmanager
async def serving(data: bytes) -> AsyncIterator[FileServer]:
    """A server of this file."""
    served = FileServer(data)
    listener = await asyncio.start_server(served.handle, "127.0.0.1", 0)
    served.port = listener.sockets[0].getsockname()[1]
    yield served
    listener.close()
    await served.close()
    await listener.wait_closed()


@pytest.fixture
async def server(mp4) -> AsyncIterator[FileServer]:
    async with serving(mp4) as served:
        yield served


@pytest.fixture
async def other(mp4) -> AsyncIterator[FileServer]:
    """A second server: the same host with another port is another origin."""
    async with serving(mp4) as served:
        yield served
