"""Reference media for examples and tests: images, videos and audio of any size and length, made on request.

`/_media/cat.png?w=640&h=360`, `/_media/dance.mp4?w=1280&h=720&seconds=3`, `/_media/rain.wav?seconds=4`. The name
decides the content. Further parameters change the answer: `ranges=0` (ignores Range), `head=0` (refuses HEAD),
`delay=2` (waits so many seconds), `status=404` (answers with an error), `type=text/html` (sends another Content-Type),
`to=https://…` (redirects), `pad=31457280` (adds so many bytes to the file).
"""

from __future__ import annotations

import hashlib
import io
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import PurePosixPath

import av
import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.http.calls import state_of, wait
from prefect_seedance.sandbox.http.files import slice_body
from prefect_seedance.sandbox.media.video import SOUND_RATE, sound_frames, video_bytes
from prefect_seedance.sandbox.world.reference import media_padding, media_seconds, media_size
from prefect_seedance.sandbox.world.state import State

#: MIME type by extension.
TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
}
#: Encoder and pixel format by extension.
_PICTURES = {
    ".png": ("png", "rgb24"),
    ".jpg": ("mjpeg", "yuvj420p"),
    ".jpeg": ("mjpeg", "yuvj420p"),
    ".webp": ("libwebp", "yuv420p"),
    ".gif": ("gif", "rgb8"),
    ".bmp": ("bmp", "bgr24"),
    ".tif": ("tiff", "rgb24"),
    ".tiff": ("tiff", "rgb24"),
}


def media_bytes(name: str, *, width: int, height: int, seconds: Decimal) -> bytes:
    """Return a medium; the extension of its name decides the format.

    Raises:
        ValueError: The extension is none of `TYPES`.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _PICTURES:
        return _picture(name, suffix, width, height)
    if suffix in {".mp4", ".mov"}:
        return video_bytes(
            name, width=width, height=height, seconds=seconds, has_audio=True, container=suffix.removeprefix(".")
        )
    if suffix in {".wav", ".mp3"}:
        return _sound(name, suffix, seconds)
    raise ValueError(f"the sandbox makes {', '.join(TYPES)}, not {suffix or name!r}")


@lru_cache(maxsize=64)
def _picture(name: str, suffix: str, width: int, height: int) -> bytes:
    digest = hashlib.sha256(name.encode()).digest()
    across, down = np.linspace(0, 1, width), np.linspace(0, 1, height)[:, np.newaxis]
    channels = [
        np.clip(digest[index] * (1 - across) + digest[index + 3] * across + 60 * (down - 0.5), 0, 255)
        for index in range(3)
    ]
    pixels = np.ascontiguousarray(np.stack(channels, axis=-1).astype(np.uint8))
    codec, pixel_format = _PICTURES[suffix]
    encoder = av.CodecContext.create(codec, "w")
    if not isinstance(encoder, av.VideoCodecContext):  # cannot happen: all are image codecs
        raise TypeError(codec)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
    encoder.framerate = Fraction(1)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
    frame.pts = 0
    if suffix == ".gif":
        return _gif(frame)
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


def _gif(frame: av.VideoFrame) -> bytes:
    """Mux a picture into a GIF file; the codec alone does not make a complete one."""
    target = io.BytesIO()
    with av.open(target, "w", format="gif") as out:
        stream = out.add_stream("gif", rate=1)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "rgb8"
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target.getvalue()


def _padded(suffix: str, body: bytes, padding: int) -> bytes:
    """Make a file larger: with a `free` box in MP4 and MOV, with trailing zeros in others."""
    if suffix in {".mp4", ".mov"} and padding >= 8:
        return body + padding.to_bytes(4) + b"free" + bytes(padding - 8)
    return body + bytes(padding)


def _pitch(name: str) -> float:
    return 12 * int.from_bytes(hashlib.sha256(name.encode()).digest()[:2]) / 2**16


@lru_cache(maxsize=64)
def _sound(name: str, suffix: str, seconds: Decimal) -> bytes:
    kind, layout = ("wav", "s16p") if suffix == ".wav" else ("mp3", "fltp")
    target = io.BytesIO()
    with av.open(target, "w", format=kind) as out:
        stream = out.add_stream("pcm_s16le" if kind == "wav" else "mp3", rate=SOUND_RATE, layout="mono")
        for chunk in sound_frames(seconds, _pitch(name), layout=layout):
            out.mux(stream.encode(chunk))
        out.mux(stream.encode(None))
    return target.getvalue()


async def media(request: Request) -> Response:
    """GET a medium, with ranges."""
    state = state_of(request)
    state.count("media")
    name, query = request.path_params["name"], dict(request.query_params)
    suffix = PurePosixPath(name).suffix.lower()
    try:
        (width, height), seconds, padding = media_size(query), media_seconds(query), media_padding(query)
        requested = await _requested_answer(request, state, query)
        if requested is not None:
            return requested
        body = await run_in_threadpool(media_bytes, name, width=width, height=height, seconds=seconds)
        body = _padded(suffix, body, padding)
    except ValueError as error:
        return PlainTextResponse(str(error), status_code=404)
    status, piece, headers = slice_body(request, body, with_ranges=query.get("ranges") != "0")
    state.count("media.bytes", 0 if request.method == "HEAD" else len(piece))
    headers["Content-Type"] = query.get("type", TYPES[suffix])
    return Response(piece, status_code=status, headers=headers)


async def _requested_answer(request: Request, state: State, query: dict[str, str]) -> Response | None:
    """Return the answer that the parameters ask for; None for the medium itself."""
    delay, status = float(query.get("delay", 0)), int(query.get("status", 200))
    if not (0 <= delay <= 60 and 200 <= status <= 599):
        raise ValueError("delay must be from 0 to 60, status from 200 to 599")
    if delay:
        await wait(state, delay)
    if request.method == "HEAD" and query.get("head") == "0":
        return PlainTextResponse("HEAD is not allowed", status_code=405)
    if "to" in query:
        return RedirectResponse(query["to"], status_code=302)
    return None if status == 200 else PlainTextResponse(f"status {status} was requested", status_code=status)


ROUTES = [Route("/_media/{name}", media, methods=["GET"])]
