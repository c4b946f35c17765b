"""Verifies that a file is a complete, playable video.

FFmpeg decides: what it decodes strictly, without an error and without a missing frame, is a video. Four checks: the
outer boxes reach the end of the file; every packet can be read and decoded, and there are as many frames as the tables
list; the units in the packets of H.264 and H.265 are intact, where decoders are lenient; in a fragmented file, all
media data belong to a frame. What is odd and plays is a remark (`VideoFacts.oddities`).

What this detects and what it does not, measured by `benchmarks/proof.py` on files of x264, x265, MPEG-4 and SVT-AV1:

- Truncated files, of which no length was announced: 280 of 280. A fragmented file that was cut between two fragments is
  detected by its end mark or its stated length; without either it passes only with the length that the server stated.
- Blanked blocks of 64 bytes and of 4 KiB, in the picture and in the sound: 396 of 396.
- Noise in the picture: blocks of 64 bytes 97 of 108, of 512 bytes 96 of 108, of 4 KiB 103 of 108. In the sound (AAC)
  84 of 90, 90 of 90 and 90 of 90.
- Single flipped bits: in the picture 168 of 216; in the sound 57 of 180, since AAC has no checksum. In the tables 136
  of 432 are detected, 286 change nothing that a player shows, and 10 do, with or without a remark.

Of 786 whole files in 21 kinds of layouts, tags, tracks and times, none is refused. Only a digest from the server proves
more: see `Downloader`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from prefect_seedance.errors import InputError, InvalidMedia, InvalidVideo, UnverifiedVideo
from prefect_seedance.media.videos.bounds import WIDEST, Bounds
from prefect_seedance.media.videos.decoding import decode
from prefect_seedance.media.videos.stills import Stills
from prefect_seedance.media.videos.structure import read_structure
from prefect_seedance.messages import Message, message


@dataclass(frozen=True)
class VideoFacts:
    """The facts about a complete video file.

    Attributes:
        width: Width in pixels, as shown: turned where the file says so.
        height: Height in pixels, as shown.
        seconds: Length that is shown, to the millisecond: from the first frame to the end of the last one, less what an
            edit list hides.
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
    path: Path, *, announced: int | None = None, stills: Stills | None = None, bounds: Bounds = WIDEST
) -> VideoFacts:
    """Verify that a file is a complete, playable video, and return its facts.

    Blocks while it reads and decodes (about a second for 15 s of 1080p), and takes as much memory and time as the file
    makes FFmpeg take, within the bounds.

    Args:
        path: The file.
        announced: Its length in bytes as the server stated it, if it did (`Fetched.announced`).
        stills: Selects frames for the previews while the video is decoded.
        bounds: The largest frame and the longest video to decode.

    Raises:
        InvalidVideo: If it is truncated, damaged, or not an MP4 video.
        UnverifiedVideo: If it exceeds the bounds, or if FFmpeg cannot decode this kind of video.
        InputError: If the file cannot be read.
    """
    with _video_errors(path):
        structure = read_structure(path, announced)
        begin, look = (None, None) if stills is None else (stills.begin, stills.look)
        picture = decode(path, structure, bounds, begin, look)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return VideoFacts(
            width=picture.width,
            height=picture.height,
            seconds=_thousandths(picture.seconds),
            fps=_thousandths(picture.fps),
            has_audio=picture.has_audio,
            bytes=path.stat().st_size,
            sha256=digest,
            oddities=(*structure.oddities, *picture.oddities),
        )


@contextmanager
def _video_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except InvalidMedia as error:
        raise InvalidVideo(message("video.not_whole", file=path.name, reason=error.text), code="broken_video") from None
    except UnverifiedVideo as error:
        text = message("video.unverified", file=path.name, reason=error.text)
        raise UnverifiedVideo(text, code="unverified_video") from error.__cause__
    except OSError as error:
        raise InputError(message("video.unreadable", file=str(path), reason=error.strerror or str(error))) from error


def _thousandths(value: Fraction) -> Decimal:
    return Decimal(round(value * 1000)).scaleb(-3)
