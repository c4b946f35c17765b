"""One frame of a video as a picture of its own."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

__all__ = ["jpeg", "mean_brightness"]


def mean_brightness(frame: VideoFrame) -> float:
    """How bright a frame is, from 0 to 255."""
    plane = frame.reformat(width=32, height=32, format="gray").planes[0]
    rows = bytes(plane)
    return sum(sum(rows[line : line + 32]) for line in range(0, 32 * plane.line_size, plane.line_size)) / 1024


def jpeg(frame: VideoFrame, width: int) -> bytes:
    """A frame as a JPEG of this width in pixels; a smaller one is not enlarged."""
    import av  # noqa: PLC0415 - loading the codecs takes time, and most callers never decode

    width = max(2, min(width, frame.width) // 2 * 2)
    height = max(2, round(frame.height * width / frame.width / 2) * 2)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)  # noqa: S101 - for the type checker
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = 4
    still = frame.reformat(width=width, height=height, format="yuvj420p")
    still.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(still), *encoder.encode(None)))
