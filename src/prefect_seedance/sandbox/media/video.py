"""Real MP4 files: small, playable, of the requested size and length, and different for each job.

A video is encoded once for each size, length, sound and tint. The hash of the job's name then replaces a comment of
fixed length in the file's header. So a thousand jobs need only a few encodings, and no two files are equal.
"""

from __future__ import annotations

import colorsys
import hashlib
import tempfile
import threading
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FPS = 24
SOUND_RATE = 48_000
TINTS = 6
_MARK = b"sandbox-video-" + b"0" * 50
_encoding = threading.Lock()


def video_bytes(
    name: str,
    *,
    width: int,
    height: int,
    seconds: Decimal | int,
    has_audio: bool,
    version: int = 0,
    container: str = "mp4",
) -> bytes:
    """Return a video (H.264, 24 fps, index first) that is unique for a name and version.

    Args:
        name: The job's id or the file's name; decides tint and comment.
        width: In pixels, even.
        height: In pixels, even.
        seconds: The length.
        has_audio: Whether an AAC track is there.
        version: Another version has different bytes of the same length.
        container: `mp4` or `mov`.
    """
    digest = hashlib.sha256(f"{name}\0{version}".encode()).hexdigest()
    tint = hashlib.sha256(name.encode()).digest()[0] % TINTS
    with _encoding:  # two requests for the same video must not encode it twice
        plain = _encoded(width, height, Decimal(seconds), has_audio, tint, container)
    return plain.replace(_MARK, _MARK[:14] + digest[:50].encode(), 1)


@lru_cache(maxsize=128)
def _encoded(width: int, height: int, seconds: Decimal, has_audio: bool, tint: int, container: str) -> bytes:  # noqa: FBT001
    # "faststart" reads the file again while closing it, so a file on disk is needed.
    with tempfile.TemporaryDirectory(prefix="sandbox-video-") as folder:
        path = Path(folder) / f"clip.{container}"
        options = {"movflags": "+faststart", "fflags": "+bitexact"}
        with av.open(path, "w", format=container, options=options) as out:
            out.metadata["comment"] = _MARK.decode()
            picture = out.add_stream(
                "libx264",
                rate=FPS,
                options={"preset": "ultrafast", "tune": "zerolatency", "crf": "36", "threads": "1", "g": "48"},
            )
            picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
            sound = out.add_stream("aac", rate=SOUND_RATE, layout="mono") if has_audio else None
            for frame in _frames(width, height, max(1, round(seconds * FPS)), tint):
                out.mux(picture.encode(frame))
            out.mux(picture.encode())
            if sound is not None:
                for chunk in sound_frames(seconds, tint, layout="fltp"):
                    out.mux(sound.encode(chunk))
                out.mux(sound.encode())
        return path.read_bytes()


def _frames(width: int, height: int, count: int, tint: int) -> Iterator[av.VideoFrame]:
    """Yield a tinted gradient over which a light bar moves; only the bar's rows change, so encoding is cheap."""
    red, green, blue = colorsys.hsv_to_rgb(tint / TINTS, 0.8, 0.9)
    luma = np.add.outer(np.linspace(50, 130, height), np.linspace(0, 60, width)).astype(np.uint8)
    frame = av.VideoFrame(width, height, "yuv420p")
    _fill(frame.planes[1], _flat((height + 1) // 2, (width + 1) // 2, 128 + 100 * (blue - green)))
    _fill(frame.planes[2], _flat((height + 1) // 2, (width + 1) // 2, 128 + 100 * (red - green)))
    foot, bar = max(2, height // 20), max(2, width // 12)
    for index in range(count):
        start = (width - bar) * index // max(1, count - 1)
        moving = luma[-foot:].copy()
        moving[:, start : start + bar] = 235
        frame.make_writable()
        _fill(frame.planes[0], np.vstack((luma[:-foot], moving)))
        frame.pts = index
        yield frame


def _flat(rows: int, columns: int, value: float) -> NDArray[np.uint8]:
    return np.full((rows, columns), min(240, max(16, round(value))), np.uint8)


def _fill(plane: av.video.plane.VideoPlane, pixels: NDArray[np.uint8]) -> None:
    rows = np.zeros((plane.buffer_size // plane.line_size, plane.line_size), np.uint8)
    rows[: pixels.shape[0], : pixels.shape[1]] = pixels
    plane.update(rows.tobytes())


def sound_frames(seconds: Decimal, pitch: float, *, layout: str) -> Iterator[av.AudioFrame]:
    """Yield a quiet tone in chunks.

    Args:
        seconds: How long.
        pitch: Steps of a whole tone above 220 Hz.
        layout: The sample format that the encoder wants: `fltp` or `s16p`.
    """
    hertz, samples = 220 * 2 ** (pitch / 6), round(seconds * SOUND_RATE)
    for start in range(0, samples, 1024):
        moments = np.arange(start, min(start + 1024, samples)) / SOUND_RATE
        wave = 0.05 * np.sin(2 * np.pi * hertz * moments)
        scaled = wave.astype(np.float32) if layout == "fltp" else (wave * 32767).astype(np.int16)
        chunk = av.AudioFrame.from_ndarray(scaled[np.newaxis], format=layout, layout="mono")
        chunk.sample_rate, chunk.pts = SOUND_RATE, start
        yield chunk
