"""One frame of a video as a picture of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

__all__ = ["SMOOTH", "jpeg", "mean_brightness", "scaled"]

FAST = "FAST_BILINEAR"
SMOOTH = "AREA"
"""Names of FFmpeg's ways to scale. This one is the mean of what a pixel covers: the finest when making smaller, and its
set-up costs less than half of the usual way's."""

TELLS_THREADS = 17
"""From this version on PyAV starts threads of its own to scale a picture, unless it is told not to: that takes longer
than the scaling."""


def scaled(
    frame: VideoFrame, width: int, height: int, pixels: str, way: str, scaler: VideoReformatter | None = None
) -> VideoFrame:
    """A frame in another size and format of pixels; `scaler` does many frames of one kind without a new set-up."""
    import av  # noqa: PLC0415 - loading the codecs takes time, and most callers never decode
    from av.video.reformatter import VideoReformatter  # noqa: PLC0415

    alone = {"threads": 1} if int(av.__version__.partition(".")[0]) >= TELLS_THREADS else {}
    scaler = scaler or VideoReformatter()
    return scaler.reformat(frame, width, height, pixels, interpolation=way, **alone)


def mean_brightness(frame: VideoFrame) -> float:
    """How bright a frame is, from 0 to 255."""
    plane = scaled(frame, 32, 32, "gray", FAST).planes[0]
    rows = bytes(plane)
    return sum(sum(rows[line : line + 32]) for line in range(0, 32 * plane.line_size, plane.line_size)) / 1024


def jpeg(frame: VideoFrame, width: int) -> bytes:
    """A frame as a JPEG of this width in pixels; a smaller one is not enlarged."""
    import av  # noqa: PLC0415 - as above

    width = max(2, min(width, frame.width) // 2 * 2)
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101 - for the type checker
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.thread_count = 1  # starting threads takes longer than the picture
    encoder.qmin = encoder.qmax = 4
    still = frame
    if (frame.width, frame.height, frame.format.name) != (width, height, "yuvj420p"):
        still = scaled(frame, width, height, "yuvj420p", SMOOTH)
    still.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(still), *encoder.encode(None)))
