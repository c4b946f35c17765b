"""The pixel size of a TIFF file."""

from __future__ import annotations

import struct

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.inputs.sources import ByteSource
from prefect_seedance.messages import message

_MOST_ENTRIES = 20_000
_MOST_STRIPS = 1 << 20
_CUT = message("media.cut_short")
_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}


def tiff_size(source: ByteSource) -> tuple[int, int]:
    """Read width and height (TIFF 6.0, section 2; BigTIFF has 43 instead of 42, and wider numbers).

    Raises:
        InvalidMedia: If the file is truncated or damaged.
        struct.error: Likewise.
    """
    head = source.read_at(0, 16)
    order = "<" if head[:2] == b"II" else ">"
    wide = struct.unpack(f"{order}H", head[2:4])[0] == 43
    count_form, entry_form, offset_form = ("Q", "HHQ", "Q") if wide else ("H", "HHI", "I")
    (offset,) = struct.unpack(order + offset_form, head[8:16] if wide else head[4:8])
    (count,) = struct.unpack(order + count_form, source.read_at(offset, struct.calcsize(count_form)))
    offset += struct.calcsize(count_form)
    row, inline_bytes = (20, 8) if wide else (12, 4)
    data = source.read_at(offset, row * min(count, _MOST_ENTRIES))
    if len(data) < row * count:
        raise InvalidMedia(_CUT)
    found: dict[int, tuple[int, ...]] = {}
    for at in range(0, len(data) - row + 1, row):
        tag, kind, number = struct.unpack_from(order + entry_form, data, at)
        if tag not in (256, 257, 273, 279, 324, 325) or kind not in _TIFF_TYPES or not 0 < number <= _MOST_STRIPS:
            continue
        form = f"{order}{number}{_TIFF_TYPES[kind]}"
        value, length = data[at + row - inline_bytes : at + row], struct.calcsize(form)
        if length > inline_bytes:
            if tag > 257 and not source.whole:
                continue
            value = source.read_at(struct.unpack(order + offset_form, value)[0], length)
        found[tag] = struct.unpack(form, value[:length])
    if 256 not in found or 257 not in found:
        raise InvalidMedia(_CUT)
    for starts, lengths in ((273, 279), (324, 325)):
        ends = [start + length for start, length in zip(found.get(starts, ()), found.get(lengths, ()), strict=False)]
        if source.size is not None and ends and max(ends) > source.size:
            raise InvalidMedia(_CUT)
    return found[256][0], found[257][0]
