"""Whether an MP4 file has all its bytes, by its outer boxes and without decoding. What they contain, FFmpeg judges."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.boxes import Box, box_at, inner_boxes
from prefect_seedance.media.documents import text_format
from prefect_seedance.media.videos.unpacking import compression_of
from prefect_seedance.messages import Message, message

__all__ = ["Structure", "is_whole", "read_structure"]

# The description of a video of several hours takes a few MiB.
_MOST_DESCRIPTION = 64 << 20
# The first box of an MP4 file names its brands: the specifications that it conforms to.
_BRANDS = (b"iso", b"mp4", b"avc", b"M4V", b"qt  ", b"dash", b"cmf", b"msd", b"3gp", b"3g2", b"f4v", b"hvc", b"av01")
# The outer boxes of video files. Any other name is legal too, but may also be bytes that are no box at all.
_OUTER = frozenset(
    b"ftyp styp moov moof mdat mfra free skip wide uuid udta meta sidx ssix emsg prft pdin pnot imda".split()
)


@dataclass(frozen=True)
class Structure:
    """What the outer boxes of a whole file say.

    Attributes:
        fragmented: Whether its tables are spread over fragments.
        lacks_numbers: Whether the numbers of its fragments have a gap.
        stated: The length in seconds that the video must have if its last fragment is there; None where the bytes
            themselves prove it.
        media_bytes: Length of its media data: pictures and sound.
        codecs: The four letters of each track's format, where they can be read.
        oddities: What is unusual about the file and takes nothing from the video.
    """

    fragmented: bool
    lacks_numbers: bool
    stated: Fraction | None
    media_bytes: int
    codecs: tuple[str, ...]
    oddities: tuple[Message, ...]


def read_structure(path: Path, announced: int | None = None) -> Structure:
    """Walk over the outer boxes of a video file, and check that its end is there.

    Args:
        path: The file.
        announced: Its length in bytes as the server stated it, where known. It proves that a fragmented file without an
            end mark is complete.

    Raises:
        InvalidMedia: If the file is not an MP4 file or is truncated.
    """
    size = path.stat().st_size
    if announced is not None and size != announced:
        raise InvalidMedia(message("video.truncated", size=size, announced=announced))
    with path.open("rb") as file:
        _refuse_other_kinds(file.read(512))
        boxes, surplus = _outer_boxes(file, size)
        oddities = _opening(file, boxes[0])
        if surplus:
            oddities += (message("video.surplus", bytes=surplus),)
        movie = _content(file, next(box for box in boxes if box.kind == b"moov"))
        parts = _children(movie, Box(b"moov", 0, len(movie)))
        mvex = next((box for box in parts if box.kind == b"mvex"), None)
        stated = None
        if mvex is not None and announced is None and not _has_end_mark(file, boxes[-1]):
            stated = _stated_seconds(movie, parts, mvex)
            if stated is None:
                raise InvalidMedia(message("video.fragment_end"))
        numbers = _fragment_numbers(file, boxes)
    return Structure(
        fragmented=mvex is not None,
        lacks_numbers=any(other - one > 1 for one, other in pairwise(numbers)),
        stated=stated,
        media_bytes=sum(box.end - box.start for box in boxes if box.kind == b"mdat"),
        codecs=_codecs(movie, parts),
        oddities=oddities,
    )


def is_whole(path: Path) -> bool:
    """Return whether a file has its end by its own marks, whatever length was announced for it.

    Raises:
        OSError: If it cannot be read.
    """
    try:
        found = read_structure(path)
    except InvalidMedia:
        return False
    return found.stated is None and not any(each.slug == "video.surplus" for each in found.oddities)


def _refuse_other_kinds(head: bytes) -> None:
    if not head:
        raise InvalidMedia(message("media.empty"))
    kind = text_format(head) or compression_of(head)
    if kind is not None:
        raise InvalidMedia(message("media.other_format", format=kind))


def _outer_boxes(file: BinaryIO, size: int) -> tuple[list[Box], int]:
    """The boxes, and the number of bytes behind the last one."""
    boxes: list[Box] = []
    position = 0
    while position < size:
        file.seek(position)
        box = box_at(file.read(16), position, size)
        if box is None or box.end > size:
            if not boxes and (box is None or box.kind not in _OUTER):
                raise InvalidMedia(message("video.not_mp4"))
            if box is not None and box.kind in _OUTER:
                missing = box.end - size
                raise InvalidMedia(message("video.box_truncated", box=box.name, parent="the file", missing=missing))
            break
        boxes.append(box)
        position = box.end
    for kind in (b"moov", b"mdat"):
        if not any(box.kind == kind for box in boxes):
            raise InvalidMedia(message("video.box_missing", parent="the file", box=kind.decode()))
    return boxes, size - position


def _opening(file: BinaryIO, first: Box) -> tuple[Message, ...]:
    """What the opening says in an unusual way. Players do not need it, and damage elsewhere is found elsewhere."""
    if first.kind != b"ftyp":
        return (message("video.odd_opening", box=first.name),)
    data = _content(file, first)
    brands = [data[:4], *(data[offset : offset + 4] for offset in range(8, len(data), 4))]
    if len(data) < 8 or not any(brand.startswith(_BRANDS) for brand in brands):
        return (message("video.odd_brand"),)
    return ()


def _content(file: BinaryIO, box: Box) -> bytes:
    if box.end - box.start > _MOST_DESCRIPTION:
        raise InvalidMedia(message("video.box_too_large", box=box.name))
    file.seek(box.start)
    return file.read(box.end - box.start)


def _children(data: bytes, box: Box) -> list[Box]:
    with suppress(InvalidMedia):  # FFmpeg decides what a damaged list still gives
        return inner_boxes(data, box.start, box.end, box.name)
    return []


def _has_end_mark(file: BinaryIO, last: Box) -> bool:
    # A fragmented file may end with an index; its last four bytes are the size of the index.
    if last.kind != b"mfra" or last.end - last.start < 16:
        return False
    file.seek(last.end - 16)
    length, kind, _version, whole = struct.unpack(">I4sII", file.read(16))
    return bool(length == 16 and kind == b"mfro" and whole == last.end - last.start + 8)


def _stated_seconds(movie: bytes, parts: Sequence[Box], mvex: Box) -> Fraction | None:
    scale = _clock(movie, parts, b"mvhd", (12, 20), (4, 4))
    length = _clock(movie, _children(movie, mvex), b"mehd", (4, 4), (4, 8))
    return Fraction(length, scale) if scale and length else None


def _clock(data: bytes, boxes: Sequence[Box], kind: bytes, offsets: tuple[int, int], sizes: tuple[int, int]) -> int:
    """A number of a box whose place depends on the box's version, 0 or 1."""
    for box in boxes:
        if box.kind == kind and box.start < box.end:
            version = min(data[box.start], 1)
            start = box.start + offsets[version]
            return int.from_bytes(data[start : min(start + sizes[version], box.end)])
    return 0


def _fragment_numbers(file: BinaryIO, boxes: Sequence[Box]) -> list[int]:
    numbers: list[int] = []
    for box in boxes:
        if box.kind == b"moof" and box.end - box.start >= 16:
            file.seek(box.start)
            _size, kind, _version, number = struct.unpack(">I4sII", file.read(16))
            if kind == b"mfhd":
                numbers.append(number)
    return numbers


def _codecs(movie: bytes, parts: Sequence[Box]) -> tuple[str, ...]:
    found: list[str] = []
    for trak in (box for box in parts if box.kind == b"trak"):
        boxes = _children(movie, trak)
        for kind in (b"mdia", b"minf", b"stbl"):
            boxes = [inner for box in boxes if box.kind == kind for inner in _children(movie, box)]
        entries = (movie[box.start + 12 : box.start + 16] for box in boxes if box.kind == b"stsd")
        found += [entry.decode("latin-1") for entry in entries]
    return tuple(found)
