"""The pixel size of a picture in a HEIF file (HEIC, AVIF), read from its item tables. No picture is decoded.

Pillow does not read HEIC, and the decoders that do are under the GPL.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.inputs.sources import ByteSource
from prefect_seedance.media.inputs.whole import top_boxes
from prefect_seedance.messages import message

Size = tuple[int, int]
_Box = tuple[bytes, bytes]

_DAMAGED = message("media.damaged_header")
_WANTED = (b"pitm", b"iprp", b"iloc")
_MOST_TABLE = 8 << 20  # colour profiles stand among the properties, and take megabytes


def heif_size(source: ByteSource) -> Size | None:
    """Read width and height of the main item as it is shown: cropped (`clap`) and turned (`irot`).

    ISO/IEC 23008-12, sections 6.5 and 9.3. An Exif orientation has no effect in HEIF (annex A.2).

    Returns:
        The size; None if the file has no items, as an image sequence, or does not state it.

    Raises:
        InvalidMedia: If the file is truncated or damaged.
        struct.error: Likewise.
        IndexError: Likewise.
    """
    for kind, start, end in top_boxes(source):
        if kind == b"meta":
            return _main_item_size(_tables(source, start + 4, end), source.size)
    return None


def _tables(source: ByteSource, start: int, end: int) -> dict[bytes, bytes]:
    tables = {}
    for kind, first, last in top_boxes(source, start, end):
        if kind in _WANTED:
            if last - first > _MOST_TABLE:
                raise InvalidMedia(_DAMAGED)
            tables[kind] = source.read_at(first, last - first)
    return tables


def _main_item_size(boxes: dict[bytes, bytes], file_size: int | None) -> Size | None:
    if file_size is not None and _end_of_items(boxes.get(b"iloc", b"")) > file_size:
        raise InvalidMedia(message("media.cut_short"))
    main, properties = boxes.get(b"pitm"), list(_boxes(boxes.get(b"iprp", b"")))
    if main is None:
        return None
    item = int.from_bytes(main[4 : 8 if main[0] else 6])
    store = [box for kind, content in properties if kind == b"ipco" for box in _boxes(content)]
    size: Size | None = None
    turns: list[_Box] = []
    for number in _properties_of([content for kind, content in properties if kind == b"ipma"], item):
        kind, content = store[number - 1] if 0 < number <= len(store) else (b"", b"")
        if kind == b"ispe":
            size = struct.unpack_from(">II", content, 4)
        elif kind in (b"clap", b"irot"):
            turns.append((kind, content))
    return _shown(size, turns) if size is not None else None


def _shown(size: Size, turns: list[_Box]) -> Size:
    width, height = size
    for kind, content in turns:  # in the order in which they apply
        if kind == b"irot" and content[0] & 1:
            width, height = height, width
        elif kind == b"clap":
            parts = struct.unpack_from(">IIII", content)
            if parts[1] and parts[3]:
                cropped = round(Fraction(parts[0], parts[1])), round(Fraction(parts[2], parts[3]))
                width, height = min(width, cropped[0]), min(height, cropped[1])
    return width, height


def _properties_of(tables: list[bytes], item: int) -> list[int]:
    for table in tables:
        id_bytes, step = (4 if table[0] else 2), (2 if table[3] & 1 else 1)
        mask = 0x7FFF if step == 2 else 0x7F
        offset = 8
        while offset + id_bytes < len(table):
            this, number = int.from_bytes(table[offset : offset + id_bytes]), table[offset + id_bytes]
            offset += id_bytes + 1
            if this == item:
                ends = range(offset, offset + number * step, step)
                return [int.from_bytes(table[at : at + step]) & mask for at in ends]
            offset += number * step
    return []


def _end_of_items(table: bytes) -> int:
    """Return where the last item ends in the file (ISO/IEC 14496-12, section 8.11.3)."""
    if not table:
        return 0
    at, end = 6, 0
    id_bytes, method_bytes = (4 if table[0] == 2 else 2), (2 if table[0] else 0)
    offset_bytes, length_bytes, base_bytes = table[4] >> 4, table[4] & 15, table[5] >> 4
    index_bytes = table[5] & 15 if table[0] else 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return int.from_bytes(table[at - count : at])

    for _ in range(take(id_bytes)):
        if at >= len(table):
            raise InvalidMedia(_DAMAGED)
        take(id_bytes)
        method, elsewhere = take(method_bytes) & 15, take(2)
        base = take(base_bytes)
        for _ in range(take(2) if index_bytes + offset_bytes + length_bytes else 0):
            take(index_bytes)
            last = base + take(offset_bytes) + take(length_bytes)
            end = max(end, last if not (method or elsewhere) else 0)
    return end


def _boxes(data: bytes) -> Iterator[_Box]:
    offset = 0
    while offset + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, offset)
        start = 8
        if length == 1:
            (length,), start = struct.unpack_from(">Q", data, offset + 8), 16
        elif length == 0:
            length = len(data) - offset
        if length < start or offset + length > len(data):
            raise InvalidMedia(_DAMAGED)
        yield kind, data[offset + start : offset + length]
        offset += length
