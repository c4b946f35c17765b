"""Verifies that a file is a complete, playable video.

Three checks, from cheap to expensive: the boxes and tables of the file are consistent and reach its end; every packet
can be read; every frame can be decoded and has the time that the tables say.

What this detects, and what it does not:

- A truncated file is always detected. A fragmented file that was cut between two fragments is detected by its end mark;
  one without an end mark passes only if the length that the server stated is given.
- A damaged table is detected, unless it changes neither picture, audio nor timing, or timing by at most a quarter of a
  second: names, dates and colour tags occur only once in the file. A few bits of the decoder's set-up record (such as a
  colour offset) change the picture, and nothing in the file can reveal that.
- Damage to the compressed picture is detected where the decoder fails on it. Measured on H.264 at three bit rates, 200
  times each: zeroed blocks of 64 bytes and more always; blocks of 4 KiB overwritten with noise 98 to 100 of 100, of 512
  bytes 78 to 98; single flipped bits 60 to 80. AAC audio has no checksum: most single flipped bits in it are not
  detected. Only a digest from the server proves more: see `Downloader`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from prefect_seedance.errors import InputError, InvalidMedia, InvalidVideo
from prefect_seedance.media.videos.bounds import WIDEST, Bounds
from prefect_seedance.media.videos.decoding import decode
from prefect_seedance.media.videos.stills import Stills
from prefect_seedance.media.videos.structure import read_structure
from prefect_seedance.messages import Message, message


@dataclass(frozen=True)
class VideoFacts:
    """The facts about a complete video file.

    Attributes:
        width: Width in pixels, as decoded.
        height: Height in pixels, as decoded.
        seconds: Length from the first frame to the end of the last one, to the millisecond.
        fps: Frames per second on average, to three places.
        has_audio: True if there is an audio track.
        bytes: Length of the file in bytes.
        sha256: Hash of the file, in hexadecimal.
        oddities: What is unusual about the file and takes nothing from the video.
    """

    width: int
    height: int
    seconds: Decimal
    fps: Decimal
    has_audio: bool
    bytes: int
    sha256: str
    oddities: tuple[Message, ...] = ()


def inspect_video(
    path: Path,
    *,
    announced: int | None = None,
    stills: Stills | None = None,
    bounds: Bounds = WIDEST,  # noqa: ARG001 - the branch `proof` uses it
) -> VideoFacts:
    """Verify that a file is a complete, playable video, and return its facts.

    Blocks while it reads and decodes (about a second for 15 s of 1080p): call it in a thread.

    Args:
        path: The file.
        announced: Its length in bytes as the server stated it, if it did (`Fetched.announced`).
        stills: Selects frames for the previews while the video is decoded.
        bounds: The largest frame and the longest video to decode.

    Raises:
        InvalidVideo: If it is truncated, damaged, or not an MP4 video.
        InputError: If the file cannot be read.
    """
    with _video_errors(path):
        structure = read_structure(path, announced)
        if stills is not None:
            stills.begin(float(structure.video.times.seconds or 0))
        picture = decode(path, structure, None if stills is None else stills.look)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return VideoFacts(
            width=picture.width,
            height=picture.height,
            seconds=_thousandths(picture.seconds),
            fps=_thousandths(picture.fps),
            has_audio=bool(structure.sounds),
            bytes=path.stat().st_size,
            sha256=digest,
            oddities=structure.oddities,
        )


@contextmanager
def _video_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except InvalidMedia as error:
        raise InvalidVideo(message("video.not_whole", file=path.name, reason=error.text), code="broken_video") from None
    except OSError as error:
        raise InputError(message("video.unreadable", file=str(path), reason=error.strerror or str(error))) from error


def _thousandths(value: Fraction) -> Decimal:
    return Decimal(round(value * 1000)).scaleb(-3)
