"""Whether a video or audio file is complete, by its outermost structure only: no table is read."""

from __future__ import annotations

import struct

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.inputs.sources import ByteSource
from prefect_seedance.messages import message

_MOST_BOXES = 100_000
# Some programs count a padding byte, or the eight bytes of the header, in addition.
_RIFF_SLACK = 8
_RIFF_OPEN = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_MP4 = ("mp4", "mov", "m4v", "m4a", "3gp")


def check_whole(source: ByteSource, format_name: str) -> bool:
    """Refuse a truncated file.

    Args:
        source: The file; all of it is available.
        format_name: Its format.

    Returns:
        True if the file is fragmented: then its length is the sum of all fragments.

    Raises:
        InvalidMedia: If it is truncated.
    """
    size = source.size or 0
    try:
        if format_name in _MP4:
            return _walk_boxes(source, size)
        if format_name in ("wav", "avi"):
            stated = int.from_bytes(source.read_at(4, 4), "little")
            if stated not in _RIFF_OPEN and stated > size + _RIFF_SLACK:
                raise _short(stated - size)
        elif format_name in ("webm", "mkv"):
            _check_segment(source, size)
    except (struct.error, IndexError):
        raise InvalidMedia(message("media.cut_short")) from None
    return False


def _walk_boxes(source: ByteSource, size: int) -> bool:
    offset, fragments = 0, False
    for _ in range(_MOST_BOXES):
        head = source.read_at(offset, 16)
        if len(head) < 8:
            break
        length, kind = struct.unpack(">I4s", head[:8])
        if length == 1:
            (length,) = struct.unpack(">Q", head[8:])
        elif length == 0:
            break  # up to the end of the file
        if length < 8:
            raise InvalidMedia(message("media.cut_short"))
        fragments = fragments or kind == b"moof"
        if offset + length > size:
            raise _short(offset + length - size)
        offset += length
    return fragments


def _check_segment(source: ByteSource, size: int) -> None:
    # RFC 8794, section 4: after the file's head comes one segment with all content.
    offset = 4
    length, offset = _number(source, offset)
    offset += length
    if source.read_at(offset, 4) != b"\x18\x53\x80\x67":
        raise InvalidMedia(message("media.cut_short"))
    first = source.read_at(offset + 4, 1)[0]
    length, offset = _number(source, offset + 4)
    open_end = length == (1 << 7 * (9 - first.bit_length())) - 1
    if not open_end and offset + length > size:
        raise _short(offset + length - size)


def _number(source: ByteSource, offset: int) -> tuple[int, int]:
    first = source.read_at(offset, 1)[0]
    width = 9 - first.bit_length()
    if width > 8:
        raise InvalidMedia(message("media.cut_short"))
    value = int.from_bytes(source.read_at(offset, width)) & (1 << 7 * width) - 1
    return value, offset + width


def _short(missing: int) -> InvalidMedia:
    return InvalidMedia(message("media.bytes_missing", missing=missing))
