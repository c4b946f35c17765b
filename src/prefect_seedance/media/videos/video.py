"""Proof that a file is a whole, playable video.

Three things are asked, from cheap to dear: that the boxes and tables of the file fit together and reach its end; that
every packet can be read; that every frame can be decoded and comes out where the tables say.

What this can find, and what it cannot:

- A file that was cut anywhere is found. A file of fragments that was cut between two of them is found by its end mark;
  one without an end mark passes only if the length that the server told is given.
- A damaged table is found, unless neither picture, sound nor timing change by it, or timing by no more than a quarter
  second: names, dates and colour tags have no double in the file. A few bits of the decoder's set-up record (such as a
  colour offset) change the picture, and cannot be found by anything in the file.
- Damage to the compressed picture is found where the decoder stumbles over it. Measured on H.264 at three bit rates,
  200 times each: blanked blocks of 64 bytes and more always; blocks of 4 KiB overwritten with noise 98 to 100 of 100,
  of 512 bytes 78 to 98; single flipped bits 60 to 80. AAC sound has no checksum: most single flipped bits in it stay
  unfound. Only a digest told by the server proves more: see `Downloader`.
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
from prefect_seedance.media.videos.decoding import decode
from prefect_seedance.media.videos.stills import Stills
from prefect_seedance.media.videos.structure import read_structure
from prefect_seedance.messages import message


@dataclass(frozen=True)
class VideoFacts:
    """What a whole video file is.

    Attributes:
        width: Width in pixels, as decoded.
        height: Height in pixels, as decoded.
        seconds: From the first frame to the end of the last one, to the millisecond.
        fps: Frames per second on average, to three places.
        has_audio: True if there is a sound track.
        bytes: Length of the file.
        sha256: Hash of the file, in hexadecimal.
    """

    width: int
    height: int
    seconds: Decimal
    fps: Decimal
    has_audio: bool
    bytes: int
    sha256: str


def inspect_video(path: Path, *, announced: int | None = None, stills: Stills | None = None) -> VideoFacts:
    """Prove that a file is a whole, playable video, and say what it is.

    Blocks while it reads and decodes (about a second for 15 s of 1080p): call it in a thread.

    Args:
        path: The file.
        announced: Its length in bytes as the server told it, if it did (`Fetched.announced`).
        stills: Picks pictures for a preview while the frames go by anyway.

    Raises:
        InvalidVideo: If it is truncated, damaged, or no MP4 video at all.
        InputError: If the file cannot be read.
    """
    with _told_of(path):
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
        )


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    try:
        yield
    except InvalidMedia as flaw:
        raise InvalidVideo(message("video.not_whole", file=path.name, reason=flaw.text), code="broken_video") from None
    except OSError as error:
        raise InputError(message("video.unreadable", file=str(path), reason=error.strerror or str(error))) from error


def _thousandths(value: Fraction) -> Decimal:
    return Decimal(round(value * 1000)).scaleb(-3)
