"""Converts one frame of a video into a picture."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

__all__ = ["SMOOTH", "jpeg", "mean_brightness", "scaled"]

FAST = "FAST_BILINEAR"
SMOOTH = "AREA"
"""Names of FFmpeg's scaling algorithms. `AREA` averages the area of each pixel: it is the best one for a smaller size,
and its set-up takes less than half the time of the default."""

PYAV_WITH_THREADS = 17
"""From this version on, PyAV starts threads to scale a picture unless `threads=1` is set. Starting them takes longer
than scaling."""


def scaled(
    frame: VideoFrame, width: int, height: int, pixels: str, algorithm: str, scaler: VideoReformatter | None = None
) -> VideoFrame:
    """Return a frame in another size and pixel format. A `scaler` that is reused needs one set-up for many frames."""
    import av  # noqa: PLC0415 - loading the codecs takes time, and most callers never decode
    from av.video.reformatter import VideoReformatter  # noqa: PLC0415

    options = {"threads": 1} if int(av.__version__.partition(".")[0]) >= PYAV_WITH_THREADS else {}
    scaler = scaler or VideoReformatter()
    return scaler.reformat(frame, width, height, pixels, interpolation=algorithm, **options)


def mean_brightness(frame: VideoFrame) -> float:
    """The mean brightness of a frame, from 0 to 255."""
    plane = scaled(frame, 32, 32, "gray", FAST).planes[0]
    rows = bytes(plane)
    return sum(sum(rows[line : line + 32]) for line in range(0, 32 * plane.line_size, plane.line_size)) / 1024


def jpeg(frame: VideoFrame, width: int) -> bytes:
    """Return a frame as a JPEG of this width in pixels; a smaller frame is not enlarged."""
    import av  # noqa: PLC0415 - as above

    width = max(2, min(width, frame.width) // 2 * 2)
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101 - for the type checker
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1  # starting threads takes longer than encoding
    encoder.qmin = encoder.qmax = 4
    still = frame
    if (frame.width, frame.height, frame.format.name) != (width, height, "yuvj420p"):
        still = scaled(frame, width, height, "yuvj420p", SMOOTH)
    still.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(still), *encoder.encode(None)))
