"""Reads the boxes of an MP4 file strictly (ISO/IEC 14496-12, section 4.2).

Video libraries skip boxes that they do not understand, to show at least something. Here the checks are strict: boxes
must fill their parent to the byte, and a name that differs in one bit from a required name is damage.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.messages import message

# Boxes without which a video is lost, misplaced or mistimed.
_VITAL = frozenset(
    b"moov mvhd trak tkhd edts elst mdia mdhd hdlr minf vmhd smhd dinf dref stbl stsd stts stss ctts stsc stsz stz2 "
    b"stco co64 avc1 avc3 avcC hvc1 hev1 hvcC av01 av1C mp4a esds pasp mvex mehd trex moof mfhd traf tfhd tfdt trun "
    b"mdat".split()
)
# Valid names that are similar to a vital one.
_OTHERS = frozenset(
    b"ftyp styp free skip wide udta meta iods uuid sgpd sbgp sdtp cslg btrt colr fiel gama clap nmhd gmhd hmhd sthd "
    b"tref load wave chan sidx ssix emsg mfra tfra mfro pdin prft subs saiz saio senc padb stdp stsh tapt trgr elng "
    b"kind tsel strk stps url  urn  alis avc2 avc4 dvc1 dvh1 hvc2 lhvC vvcC vvc1".split(b" ")
)


class Box(NamedTuple):
    """A box: its name, and the offsets of the start and the end of its content in the data that it was read from."""

    kind: bytes
    start: int
    end: int

    @property
    def name(self) -> str:
        """The four letters, for messages."""
        return self.kind.decode("latin-1")


def is_known(kind: bytes) -> bool:
    """Return whether four bytes are the name of a box that is known here."""
    return kind in _VITAL or kind in _OTHERS


def top_boxes(file: BinaryIO, size: int) -> list[Box]:
    """Read the boxes of a whole file without their contents.

    Args:
        file: A seekable binary file.
        size: Its length in bytes.

    Returns:
        The boxes in order; together they cover the file from its first to its last byte.

    Raises:
        InvalidMedia: If a box runs past the end (a truncated file) or is no box at all.
    """
    boxes: list[Box] = []
    position = 0
    while position < size:
        file.seek(position)
        box = _header(file.read(16), position, size, where="the file")
        boxes.append(box)
        position = box.end
    refuse_near_names(boxes)
    return boxes


def inner_boxes(data: bytes, start: int, end: int, where: str) -> list[Box]:
    """Read the boxes between two offsets of `data`; they must fill that space.

    Args:
        data: The bytes of a file's description.
        start: Offset of the first box.
        end: Offset at which the last box must end.
        where: The parent's name, for messages.

    Raises:
        InvalidMedia: If they do not fit.
    """
    boxes: list[Box] = []
    position = start
    while position < end:
        if end - position < 8 and not any(data[position:end]):
            break  # QuickTime ends some lists with four zero bytes
        box = _header(data[position : position + 16], position, end, where)
        boxes.append(box)
        position = box.end
    refuse_near_names(boxes)
    return boxes


def _header(head: bytes, position: int, limit: int, where: str) -> Box:
    if len(head) < 8 or position + 8 > limit:
        raise InvalidMedia(message("video.cut_header", parent=where, position=position))
    size, kind = struct.unpack(">I4s", head[:8])
    start = position + 8
    if size == 1 and len(head) == 16:
        size, start = struct.unpack(">Q", head[8:])[0], position + 16
    elif size == 0 and kind == b"mdat" and where == "the file":
        size = limit - position  # "up to the end of the file", which only the last box may say
    if not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind):
        raise InvalidMedia(message("video.no_box", position=position, parent=where))
    if size < start - position:
        raise InvalidMedia(message("video.box_size", box=kind.decode("latin-1"), parent=where, size=size))
    if position + size > limit:
        missing = position + size - limit
        raise InvalidMedia(message("video.box_truncated", box=kind.decode("latin-1"), parent=where, missing=missing))
    return Box(kind, start, position + size)


def refuse_near_names(boxes: Iterable[Box]) -> None:
    """Refuse boxes whose name differs in one bit from that of a vital box.

    Unknown boxes are legal, and manufacturers add their own, so they are not refused in general. But a track with a
    damaged name would otherwise be ignored silently.

    Raises:
        InvalidMedia: If there is one.
    """
    for box in boxes:
        if is_known(box.kind):
            continue
        for vital in _VITAL:
            if (int.from_bytes(box.kind) ^ int.from_bytes(vital)).bit_count() == 1:
                raise InvalidMedia(message("video.box_name", box=box.name, expected=vital.decode()))


def only(boxes: Iterable[Box], kind: bytes, where: str) -> Box:
    """Return the only box of that name.

    Raises:
        InvalidMedia: If there is none, or more than one.
    """
    found = maybe(boxes, kind, where)
    if found is None:
        raise InvalidMedia(message("video.box_missing", parent=where, box=kind.decode()))
    return found


def maybe(boxes: Iterable[Box], kind: bytes, where: str) -> Box | None:
    """Return the box of that name, or None.

    Raises:
        InvalidMedia: If there is more than one.
    """
    found = [box for box in boxes if box.kind == kind]
    if len(found) > 1:
        raise InvalidMedia(message("video.box_repeated", parent=where, count=len(found), box=kind.decode()))
    return found[0] if found else None


def fields(data: bytes, box: Box, layouts: tuple[str, ...]) -> tuple[int, ...]:
    """Unpack a box of fixed size whose layout depends on its version byte.

    Args:
        data: The bytes that the box's offsets refer to.
        box: The box.
        layouts: One `struct` layout for each version, in order; each starts with the 32 bits of version and flags.

    Returns:
        The values; the first one is version and flags.

    Raises:
        InvalidMedia: If the version is unknown or the size does not fit.
    """
    version = version_of(data, box, len(layouts))
    layout = ">" + layouts[version]
    if struct.calcsize(layout) != box.end - box.start:
        raise InvalidMedia(message("video.box_length", box=box.name))
    return struct.unpack(layout, data[box.start : box.end])


def table(data: bytes, box: Box, rows: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Unpack a box that holds a counted list of equal rows.

    Args:
        data: The bytes that the box's offsets refer to.
        box: The box.
        rows: The `struct` layout of one row for each version, in order.

    Raises:
        InvalidMedia: If the count and the size of the box disagree.
    """
    row = struct.Struct(">" + rows[version_of(data, box, len(rows))])
    body = data[box.start + 4 : box.end]
    count = int.from_bytes(body[:4])
    if len(body) != 4 + count * row.size:
        raise InvalidMedia(message("video.box_length", box=box.name))
    return list(row.iter_unpack(body[4:]))


def version_of(data: bytes, box: Box, known: int) -> int:
    """Return the version of a full box.

    Raises:
        InvalidMedia: If the version is not below `known`, or the box is too short.
    """
    if box.end - box.start < 8:
        raise InvalidMedia(message("video.box_length", box=box.name))
    version = data[box.start]
    if version >= known:
        raise InvalidMedia(message("video.box_version", box=box.name, version=version))
    return version
