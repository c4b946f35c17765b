"""A still picture that stands for a video in a contact sheet."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from prefect_seedance.errors import BrokenVideo

from .folders import disk_trouble

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# Films often fade in: look this far for a picture, and call it black below this mean brightness (of 255).
_SECONDS = 3
_BLACK = 24


def poster(path: Path, target_jpeg: Path, width: int = 480) -> None:
    """Write a JPEG of a video's first frame that is not black.

    If the first three seconds are black throughout, the brightest frame of them is taken. Blocks: call it in a thread.

    Args:
        path: A video that `inspect_video` has passed.
        target_jpeg: Where to write; replaced at once when the picture is whole.
        width: Width in pixels; a smaller video is not enlarged.

    Raises:
        BrokenVideo: If no frame can be decoded.
        UserMistake: If the picture cannot be written.
    """
    import av  # noqa: PLC0415 - loading the codecs takes time, and most callers never decode

    try:
        image = _jpeg(_first_bright(path), width)
    except (av.error.FFmpegError, ValueError) as error:
        raise BrokenVideo(f"No picture can be made of {path.name}: {error}.") from error
    unfinished = target_jpeg.with_name(f"{target_jpeg.name}.part")
    try:
        unfinished.write_bytes(image)
        os.replace(unfinished, target_jpeg)  # noqa: PTH105 - says what it does
    except OSError as error:
        raise disk_trouble(error, target_jpeg) from error


def _first_bright(path: Path) -> VideoFrame:
    import av  # noqa: PLC0415

    best: tuple[float, VideoFrame] | None = None
    with av.open(str(path)) as container:
        start: float | None = None
        for frame in container.decode(video=0):
            brightness = _brightness(frame)
            if best is None or brightness > best[0]:
                best = (brightness, frame)
            start = frame.time if start is None else start
            if brightness >= _BLACK or (frame.time or 0) - (start or 0) > _SECONDS:
                break
    if best is None:
        raise BrokenVideo(f"{path.name} shows no picture.")
    return best[1]


def _brightness(frame: VideoFrame) -> float:
    plane = frame.reformat(width=32, height=32, format="gray").planes[0]
    rows = bytes(plane)
    return sum(sum(rows[line : line + 32]) for line in range(0, 32 * plane.line_size, plane.line_size)) / 1024


def _jpeg(frame: VideoFrame, width: int) -> bytes:
    import av  # noqa: PLC0415

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
