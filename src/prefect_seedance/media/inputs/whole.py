"""Whether a video, sound or HEIF picture is complete, by its outermost structure only: no table is read."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.inputs.sources import ByteSource
from prefect_seedance.messages import message

_MOST_BOXES = 100_000
# Some programs count a padding byte, or the eight bytes of the header, in addition.
_RIFF_SLACK = 8
_RIFF_OPEN = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_MP4 = ("mp4", "mov", "m4v", "m4a", "3gp", "heic", "avif")
# The boxes without which a picture or a video is not complete.
_CONTENT = (b"ftyp", b"meta", b"pitm", b"iloc", b"iprp", b"idat", b"mini", b"moov", b"moof", b"mdat")


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
            return any(kind == b"moof" for kind, _, _ in list(top_boxes(source)))
        if format_name in ("wav", "avi"):
            stated = int.from_bytes(source.read_at(4, 4), "little")
            if stated not in _RIFF_OPEN and stated > size + _RIFF_SLACK:
                raise _short(stated - size)
        elif format_name in ("webm", "mkv"):
            _check_segment(source, size)
    except (struct.error, IndexError):
        raise InvalidMedia(message("media.cut_short")) from None
    return False


def top_boxes(source: ByteSource, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Return the boxes of an MP4 or HEIF file, or of one of its boxes: name, start and end of the content.

    What follows the last box is not part of the file: phones append short films and notes of their own.

    Args:
        source: The file.
        start: Offset of the first box.
        end: Offset at which the last box ends; None if that is the end of the file.

    Raises:
        InvalidMedia: If a box of the file runs past its end.
    """
    end = source.size if end is None else end
    for _ in range(_MOST_BOXES):
        head = source.read_at(start, 16 if end is None else min(16, end - start))
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head[:8])
        inner = start + 8
        if length == 1:
            length, inner = int.from_bytes(head[8:]), start + 16
        elif length == 0 and end is not None:  # up to the end
            length = end - start
        missing = start + length - end if end is not None else 0
        if length < inner - start or missing > 0:
            if kind in _CONTENT:
                raise _short(missing) if missing > 0 else InvalidMedia(message("media.cut_short"))
            return
        yield kind, inner, start + length
        start += length


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
