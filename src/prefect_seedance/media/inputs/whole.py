"""Whether a film or sound is there to its end, as far as its outermost frame tells: no table is read."""

from __future__ import annotations

import struct

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.inputs.sources import ByteSource
from prefect_seedance.messages import message

_MOST_BOXES = 100_000
# Some programs count a padding byte, or the frame's own eight, once too often.
_RIFF_SLACK = 8
_RIFF_OPEN = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_MP4 = ("mp4", "mov", "m4v", "m4a", "3gp")


def check_whole(source: ByteSource, format_name: str) -> bool:
    """Refuse a file that lacks its end.

    Args:
        source: The file, whole at hand.
        format_name: Its format.

    Returns:
        True if the file is made of fragments, whose sum only a walk through all of them tells.

    Raises:
        InvalidMedia: If it was cut short.
    """
    size = source.size or 0
    try:
        if format_name in _MP4:
            return _walk_boxes(source, size)
        if format_name in ("wav", "avi"):
            text = int.from_bytes(source.read_at(4, 4), "little")
            if text not in _RIFF_OPEN and text > size + _RIFF_SLACK:
                raise _short(text - size)
        elif format_name in ("webm", "mkv"):
            _check_segment(source, size)
    except (struct.error, IndexError):
        raise InvalidMedia(message("media.cut_short")) from None
    return False


def _walk_boxes(source: ByteSource, size: int) -> bool:
    place, fragments = 0, False
    for _ in range(_MOST_BOXES):
        head = source.read_at(place, 16)
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
        if place + length > size:
            raise _short(place + length - size)
        place += length
    return fragments


def _check_segment(source: ByteSource, size: int) -> None:
    # RFC 8794, section 4: after the file's head comes one segment that holds everything.
    place = 4
    length, place = _number(source, place)
    place += length
    if source.read_at(place, 4) != b"\x18\x53\x80\x67":
        raise InvalidMedia(message("media.cut_short"))
    first = source.read_at(place + 4, 1)[0]
    length, place = _number(source, place + 4)
    open_end = length == (1 << 7 * (9 - first.bit_length())) - 1
    if not open_end and place + length > size:
        raise _short(place + length - size)


def _number(source: ByteSource, place: int) -> tuple[int, int]:
    first = source.read_at(place, 1)[0]
    width = 9 - first.bit_length()
    if width > 8:
        raise InvalidMedia(message("media.cut_short"))
    value = int.from_bytes(source.read_at(place, width)) & (1 << 7 * width) - 1
    return value, place + width


def _short(missing: int) -> InvalidMedia:
    return InvalidMedia(message("media.bytes_missing", missing=missing))
