"""The pixel size of a picture in a HEIF file (HEIC, AVIF)."""

from __future__ import annotations

import struct

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.boxes import inner_boxes
from prefect_seedance.media.inputs.sources import ByteSource
from prefect_seedance.messages import message

_MOST_BOXES = 20_000
_MOST_META = 1 << 20
_CUT = message("media.cut_short")


def heif_size(source: ByteSource) -> tuple[int, int]:
    """Read width and height of the main item (ISO/IEC 23008-12, sections 6.5.3 and 9.3); a quarter turn swaps them.

    Raises:
        InvalidMedia: If the file is cut short or damaged.
        struct.error: Likewise.
        IndexError: Likewise.
    """
    meta, data = b"", False
    offset = 0
    for _ in range(_MOST_BOXES):
        head = source.read_at(offset, 16)
        if not head:
            break
        length, kind = struct.unpack(">I4s", head[:8])
        start = 8
        if length == 1:
            (length,), start = struct.unpack(">Q", head[8:16]), 16
        elif length == 0:
            length = (source.size or offset + start) - offset
        if length < start or (source.size is not None and offset + length > source.size):
            raise InvalidMedia(_CUT)
        data = data or kind == b"mdat"
        if kind == b"meta":
            meta = source.read_at(offset + start + 4, min(length - start - 4, _MOST_META))
            if not source.whole:
                break
        offset += length
    if not meta or (source.whole and not data and b"idat" not in meta):
        raise InvalidMedia(message("media.no_picture"))
    return _item_size(meta)


def _item_size(meta: bytes) -> tuple[int, int]:
    boxes = {box.kind: box for box in inner_boxes(meta, 0, len(meta), "meta")}
    if b"pitm" not in boxes or b"iprp" not in boxes:
        raise InvalidMedia(message("media.no_size"))
    main = boxes[b"pitm"]
    item = int.from_bytes(meta[main.start + 4 : main.start + (8 if meta[main.start] else 6)])
    inner = inner_boxes(meta, boxes[b"iprp"].start, boxes[b"iprp"].end, "iprp")
    store = next((box for box in inner if box.kind == b"ipco"), None)
    if store is None:
        raise InvalidMedia(message("media.no_size"))
    properties = inner_boxes(meta, store.start, store.end, "ipco")
    size, turned = None, False
    for number in _properties_of(meta, [(box.start, box.end) for box in inner if box.kind == b"ipma"], item):
        box = properties[number - 1] if 0 < number <= len(properties) else None
        if box is not None and box.kind == b"ispe":
            size = struct.unpack(">II", meta[box.start + 4 : box.start + 12])
        elif box is not None and box.kind == b"irot":
            turned = bool(meta[box.start] & 1)
    if size is None:
        raise InvalidMedia(message("media.no_size"))
    return size[::-1] if turned else size


def _properties_of(meta: bytes, tables: list[tuple[int, int]], item: int) -> list[int]:
    for start, _end in tables:
        version, wide = meta[start], meta[start + 3] & 1
        (count,) = struct.unpack(">I", meta[start + 4 : start + 8])
        offset, id_bytes = start + 8, 4 if version else 2
        for _ in range(min(count, 65_536)):
            this = int.from_bytes(meta[offset : offset + id_bytes])
            number, offset = meta[offset + id_bytes], offset + id_bytes + 1
            step = 2 if wide else 1
            if this == item:
                mask = 0x7FFF if wide else 0x7F
                return [
                    int.from_bytes(meta[at : at + step]) & mask for at in range(offset, offset + number * step, step)
                ]
            offset += number * step
    return []
