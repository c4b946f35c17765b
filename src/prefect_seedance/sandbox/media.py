"""Reference media for examples and tests: pictures, clips and sounds of any size and length, made when asked for.

`/_media/cat.png?w=640&h=360`, `/_media/dance.mp4?w=1280&h=720&seconds=3`, `/_media/rain.wav?seconds=4`. The name
decides what it looks and sounds like.
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
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.calls import state_of
from prefect_seedance.sandbox.files import slice_body
from prefect_seedance.sandbox.reference import media_seconds, media_size
from prefect_seedance.sandbox.video import SOUND_RATE, sound_frames, video_bytes

#: Mime type by ending.
TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
}
#: Encoder and pixel format by ending.
_PICTURES = {
    ".png": ("png", "rgb24"),
    ".jpg": ("mjpeg", "yuvj420p"),
    ".jpeg": ("mjpeg", "yuvj420p"),
    ".webp": ("libwebp", "yuv420p"),
}


def media_bytes(name: str, *, width: int, height: int, seconds: Decimal) -> bytes:
    """Return a medium; the ending of its name decides the format.

    Raises:
        ValueError: The ending is none of `TYPES`.
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
    if not isinstance(encoder, av.VideoCodecContext):  # never so: both are picture codecs
        raise TypeError(codec)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, pixel_format
    encoder.framerate = Fraction(1)
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


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
    state_of(request).count("media")
    name, query = request.path_params["name"], dict(request.query_params)
    try:
        (width, height), seconds = media_size(query), media_seconds(query)
        body = await run_in_threadpool(media_bytes, name, width=width, height=height, seconds=seconds)
    except ValueError as error:
        return PlainTextResponse(str(error), status_code=404)
    status, piece, headers = slice_body(request, body)
    headers["Content-Type"] = TYPES[PurePosixPath(name).suffix.lower()]
    return Response(piece, status_code=status, headers=headers)


ROUTES = [Route("/_media/{name}", media, methods=["GET"])]
