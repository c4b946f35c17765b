"""The pixel size of a picture, read from its header. Nothing is decoded, so a hostile file cannot exhaust memory.

A file that is available as a whole is also read to its end, which detects a truncated file.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.inputs.heif import heif_size
from prefect_seedance.media.inputs.sources import ByteSource
from prefect_seedance.media.inputs.tiff import tiff_size
from prefect_seedance.messages import message

Size = tuple[int, int]

# Markers of a JPEG file (ITU-T T.81, table B.1) that contain the size, and those without a length.
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_MARK = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
_MOST_SEGMENTS = 20_000
_MOST_CHECKED = 64 << 20
_CUT = message("media.cut_short")


def picture_size(source: ByteSource, format_name: str) -> Size | None:
    """Return width and height in pixels by the header; None for a format without pixels (`svg`).

    Args:
        source: The picture.
        format_name: Its format (`format_from`).

    Raises:
        InvalidMedia: If it is damaged or truncated.
        BeyondPrefix: If its header is longer than the bytes that may be read.
    """
    read = _READERS.get(format_name)
    if read is None:
        return None
    try:
        width, height = read(source)
    except (struct.error, IndexError, zlib.error):
        raise InvalidMedia(_CUT) from None
    if width < 1 or height < 1:
        raise InvalidMedia(message("media.impossible_size", width=width, height=height))
    return width, height


def _png(source: ByteSource) -> Size:
    # ISO/IEC 15948, section 5.
    head = source.read_at(0, 33)
    if len(head) < 33 or head[12:16] != b"IHDR":
        raise InvalidMedia(_CUT)
    if source.whole:
        _walk_png(source)
    elif zlib.crc32(head[12:29]) != int.from_bytes(head[29:33]):
        raise InvalidMedia(message("media.damaged_header"))
    return struct.unpack(">II", head[16:24])


def _walk_png(source: ByteSource) -> None:
    offset, seen = 8, set()
    for _ in range(_MOST_SEGMENTS):
        length, kind = struct.unpack(">I4s", source.read_at(offset, 8))
        if offset + 12 + length > (source.size or 0):
            raise InvalidMedia(_CUT)
        if length <= _MOST_CHECKED:
            body = source.read_at(offset + 4, length + 8)
            if zlib.crc32(body[:-4]) != int.from_bytes(body[-4:]):
                raise InvalidMedia(message("media.damaged_chunk", chunk=kind.decode("latin-1")))
        seen.add(kind)
        if kind == b"IEND":
            if b"IDAT" not in seen:
                raise InvalidMedia(message("media.no_picture"))
            return
        offset += 12 + length


def _jpeg(source: ByteSource) -> Size:
    offset, size = 2, None
    for _ in range(_MOST_SEGMENTS):
        mark = source.read_at(offset, 2)
        if len(mark) < 2 or mark[0] != 0xFF:
            raise InvalidMedia(_CUT)
        if mark[1] == 0xFF or mark[1] in _JPEG_ALONE:
            offset += 1 if mark[1] == 0xFF else 2
            continue
        if mark[1] == 0xD9:
            break
        (length,) = struct.unpack(">H", source.read_at(offset + 2, 2))
        if mark[1] in _JPEG_SIZES:
            height, width = struct.unpack(">HH", source.read_at(offset + 5, 4))
            size = (width, height)
        offset += 2 + length
        if size is not None and not source.whole:
            break
        if mark[1] == 0xDA:
            if size is None:
                break
            offset = _after_scan(source, offset)
    if size is None:
        raise InvalidMedia(message("media.no_picture"))
    return size


def _after_scan(source: ByteSource, offset: int) -> int:
    """Return the offset of the marker that ends the compressed data. In it, FF precedes only 00 or a restart marker."""
    step, tail = 1 << 20, b""
    while True:
        data = source.read_at(offset, step)
        if not data:
            raise InvalidMedia(_CUT)
        found = _JPEG_MARK.search(tail + data)
        if found is not None:
            return offset - len(tail) + found.end() - 2
        tail = b"\xff" if data[-1] == 0xFF else b""
        offset += len(data)


def _gif(source: ByteSource) -> Size:
    width, height = struct.unpack("<HH", source.read_at(6, 4))
    if source.whole:
        packed = source.read_at(10, 1)[0]
        _walk_gif(source, 13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0))
    return width, height


def _walk_gif(source: ByteSource, offset: int) -> None:
    pictures = 0
    for _ in range(_MOST_SEGMENTS * 10):
        kind = source.read_at(offset, 1)[0]
        if kind == 0x3B:
            if not pictures:
                raise InvalidMedia(message("media.no_picture"))
            return
        if kind == 0x2C:
            packed = source.read_at(offset + 9, 1)[0]
            offset += 11 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
            pictures += 1
        elif kind == 0x21:
            offset += 2
        else:
            raise InvalidMedia(_CUT)
        while length := source.read_at(offset, 1)[0]:
            offset += 1 + length
        offset += 1


def _bmp(source: ByteSource) -> Size:
    head = source.read_at(0, 34)
    start, form = struct.unpack("<II", head[10:18])
    if form == 12:
        width, height, _planes, bits = struct.unpack("<HHHH", head[18:26])
        packed = 0
    else:
        width, height, _planes, bits, packed = struct.unpack("<iiHHI", head[18:34])
        height = abs(height)  # negative: from the top
    if packed in (0, 3, 6) and source.size is not None and start + (width * bits + 31) // 32 * 4 * height > source.size:
        raise InvalidMedia(_CUT)
    return width, height


def _webp(source: ByteSource) -> Size:
    # RFC 9649.
    head = source.read_at(0, 30)
    length, kind = int.from_bytes(head[4:8], "little"), head[12:16]
    if source.size is not None and length + 8 > source.size:
        raise InvalidMedia(_CUT)
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise InvalidMedia(message("media.no_picture"))


_READERS: dict[str, Callable[[ByteSource], Size]] = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "bmp": _bmp,
    "webp": _webp,
    "tiff": tiff_size,
    "heic": heif_size,
    "avif": heif_size,
}
