"""Reads the boxes that MP4 and HEIF files are made of (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.messages import message


class Box(NamedTuple):
    """A box: its name, and the offsets of the start and the end of its content in the data that it was read from."""

    kind: bytes
    start: int
    end: int

    @property
    def name(self) -> str:
        """The four letters, for messages."""
        return self.kind.decode("latin-1")


def box_at(head: bytes, position: int, limit: int) -> Box | None:
    """Read the header of a box.

    Args:
        head: The bytes at the position; 16 are enough.
        position: Offset of the box.
        limit: Offset at which its parent ends: the end of a box that says "up to the end".

    Returns:
        The box, which may end beyond the limit; None if there is no box.
    """
    if len(head) < 8 or position + 8 > limit:
        return None
    size, kind = struct.unpack(">I4s", head[:8])
    start = position + 8
    if size == 1 and len(head) >= 16:
        size, start = struct.unpack(">Q", head[8:16])[0], position + 16
    elif size == 0:
        size = limit - position
    if size < start - position or not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind):
        return None
    return Box(kind, start, position + size)


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
        box = box_at(data[position : position + 16], position, end)
        if box is None:
            raise InvalidMedia(message("video.no_box", position=position, parent=where))
        if box.end > end:
            raise InvalidMedia(message("video.box_truncated", box=box.name, parent=where, missing=box.end - end))
        boxes.append(box)
        position = box.end
    return boxes
