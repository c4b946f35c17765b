"""Small files that would take much memory or time."""

from __future__ import annotations

import struct
import zlib

from PIL import Image

from tests.media.heif_files import box, heic, natural
from tests.media.picture_files import WIDE, chunk, turned
from tests.media.samples import png_claiming, saved

GIF, BMP = saved(natural(*WIDE), "gif"), saved(natural(*WIDE), "bmp")


def hostile_files():
    """Name to a function that makes the file."""
    return {
        "a small whole picture": lambda: saved(natural(*WIDE), "png"),
        "png of 60,000 x 60,000": lambda: png_claiming(60_000, 60_000),
        "png of 16,000 x 16,000": lambda: flat_png(16_000, 16_000),
        "png of 6,000 x 6,000": lambda: flat_png(6_000, 6_000),
        "png of 6,300 x 6,300": lambda: flat_png(6_300, 6_300),
        "png with a profile of 1 GB": lambda: with_chunk(b"iCCP", b"x\0\0" + bomb(1 << 30)),
        "png with 60 texts of 1 MB": lambda: with_chunk(*((b"zTXt", b"x\0\0" + bomb(1 << 20)),) * 60),
        "png with a text of 1 GB": lambda: with_chunk(b"zTXt", b"x\0\0" + bomb(1 << 30)),
        "jpeg of 65,500 x 65,500": lambda: restated(saved(natural(*WIDE), "jpeg"), 65_500, 65_500),
        "jpeg of 7,000 x 7,000 in 90 passes": lambda: progressive(7_000, 90),
        "jpeg of 7,000 x 7,000 in 5,000 passes": lambda: progressive(7_000, 5_000),
        "webp of 16,383 x 16,383": lambda: restated_webp(16_383, 16_383),
        "webp of 4,500 x 4,500": lambda: saved(Image.new("RGBA", (4_500, 4_500)), "webp", lossless=True, method=0),
        "avif of 4,500 x 4,500": lambda: saved(Image.new("RGBA", (4_500, 4_500)), "avif", speed=10),
        "tiff of 6,000 x 6,000, turned": flat_tiff,
        "tiff of 900,000 strips": lambda: striped(900_000),
        "gif of 65,535 x 65,535": lambda: GIF[:6] + b"\xff\xff\xff\xff" + GIF[10:],
        "gif of 2 MB in blocks of a byte": lambda: GIF[:-1] + b"!\xfe" + b"\1x" * 1_000_000 + b"\0;",
        "bmp of 2,147,483,647 x 1": lambda: BMP[:18] + struct.pack("<ii", 2**31 - 1, 1) + BMP[26:],
        "tiff of 16 bytes": lambda: b"MM\0+\0\x08\0\0\xff\xff\xff\xff\xff\xff\xff\xf0",
        "heic of 2^32 x 2^32": lambda: heic().replace(struct.pack(">II", 320, 256), b"\xff" * 8),
        "heic with a meta of 64 MB": lambda: heic()[:28] + box(b"meta", bytes(64 << 20)),
        "heic with a table of items without end": endless_items,
        "heic of a million boxes": lambda: heic()[:24] + box(b"free", b"") * 1_000_000,
    }


def flat_tiff() -> bytes:
    return saved(Image.new("CMYK", (6_000, 6_000)), "tiff", compression="tiff_deflate", exif=turned(6))


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(size >> 20)), packer.flush()])


def with_chunk(*parts) -> bytes:
    chunks = parts if isinstance(parts[0], tuple) else [parts]
    plain = saved(natural(*WIDE), "png")
    start = plain.index(b"IDAT") - 4
    return plain[:start] + b"".join(chunk(*each) for each in chunks) + plain[start:]


def flat_png(width: int, height: int) -> bytes:
    packer = zlib.compressobj(1)
    rows = b"".join([*(packer.compress(bytes(1 + width * 8)) for _ in range(height)), packer.flush()])
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def endless_items() -> bytes:
    """Extents that take no bytes, four milliards of them."""
    data = heic(iloc=2)
    at = data.index(b"iloc")
    return data[: at + 8] + b"\0\0\xff\xff\xff\xff" + b"\0\0\0\1\0\0\0\0\xff\xff" + data[at + 24 :]


def restated(data: bytes, width: int, height: int) -> bytes:
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def restated_webp(width: int, height: int) -> bytes:
    data = saved(Image.new("RGB", (64, 64)), "webp", lossless=True)
    return data[:21] + struct.pack("<I", width - 1 | height - 1 << 14) + data[25:]


def progressive(side: int, passes: int) -> bytes:
    """A progressive picture whose last pass is there many times: each takes a few bytes, and all of the time."""
    data = saved(Image.new("L", (side, side), 128), "jpeg", progressive=True)
    last = data.rindex(b"\xff\xda")
    tables = data.rindex(b"\xff\xc4", 0, last)
    scan = data[tables:-2]
    return data[:-2] + scan * (passes - data.count(b"\xff\xda")) + b"\xff\xd9"


def striped(count: int) -> bytes:
    """A picture of one column, with a strip for each row, all of them the same byte."""
    at = 8 + 12 * 10 + 6
    fields = [
        (256, 1, 1),
        (257, 1, count),
        (258, 1, 8),
        (259, 1, 1),
        (262, 1, 1),
        (273, count, at),
        (277, 1, 1),
        (278, 1, 1),
        (279, count, at + 4 * count),
    ]
    rows = b"".join(struct.pack("<HHII", tag, 4, number, value) for tag, number, value in fields)
    head = b"II*\0" + struct.pack("<IH", 8, len(fields)) + rows + bytes(4)
    return head.ljust(at, b"\0") + struct.pack("<I", 8) * count + struct.pack("<I", 1) * count
