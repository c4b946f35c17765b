"""HEIC files of every construction, built around one picture that libheif coded. libheif itself decodes them."""

from __future__ import annotations

import functools
import io
import struct

import numpy as np
import pillow_heif
from PIL import Image, ImageFilter


def box(kind, body):
    return struct.pack(">I", len(body) + 8) + kind + body


def full(kind, body, version=0, flags=0):
    return box(kind, struct.pack(">I", version << 24 | flags) + body)


@functools.cache
def natural(width, height, mode="RGB"):
    """A picture with soft areas, edges and grain, as a camera makes."""
    chance = np.random.default_rng(width * 7 + height)
    picture = np.zeros((height, width, 3))
    for cell, weight in ((64, 110), (16, 60), (4, 30), (1, 12)):
        rows, columns = height // cell + 2, width // cell + 2
        coarse = Image.fromarray((chance.random((rows, columns, 3)) * 255).astype(np.uint8))
        picture += np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), float) * weight / 212
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(ImageFilter.SHARPEN).convert(mode)


def libheif(picture, **settings):
    """A HEIC file as libheif writes it."""
    target = io.BytesIO()
    pillow_heif.from_pillow(picture).save(target, **settings)
    return target.getvalue()


def _inner(data, kind):
    at = data.index(kind)
    return data[at + 4 : at - 4 + struct.unpack_from(">I", data, at - 4)[0]]


def heic(
    size=(320, 256),
    *,
    shown=None,
    grid=None,
    turns=(),
    brand=b"heic",
    further=(b"mif1", b"heic"),
    pitm=0,
    iloc=1,
    ipma=0,
    wide=False,
    idat=False,
    meta_last=False,
    mdat="stated",
    tail=b"",
):
    """Build a file.

    Args:
        size: Size of the coded picture, or of each tile.
        shown: The `ispe` of the main item.
        grid: Rows and columns, where the main item is a grid of tiles, all alike.
        turns: Further properties of the main item, in order: pairs of name and content.
        pitm, iloc, ipma: Versions of the boxes.
        wide: 15-bit indexes in `ipma`.
        idat: The coded picture lies in `idat`.
        meta_last: `meta` stands after `mdat`.
        mdat: `stated`, `long` (64 bits) or `open` (to the end of the file).
        tail: Bytes behind the last box.
    """
    source = libheif(natural(*size), quality=50)
    coded, hvcc = _inner(source, b"mdat"), _inner(source, b"hvcC")
    ispe = lambda pair: full(b"ispe", struct.pack(">II", *pair))  # noqa: E731
    properties = [box(b"hvcC", hvcc), ispe(size)]
    tiles = list(range(1, (grid[0] * grid[1] if grid else 1) + 1))
    main = len(tiles) + 1 if grid else 1
    use = {tile: [1 | 128, 2] for tile in tiles}
    described = b""
    if grid:
        shown = shown or (size[0] * grid[1], size[1] * grid[0])
        properties.append(ispe(shown))
        use[main] = [3]
        described = bytes([0, 0, grid[0] - 1, grid[1] - 1]) + struct.pack(">HH", *shown)
    elif shown:
        properties.append(ispe(shown))
        use[main] = [1 | 128, 3]
    for kind, content in turns:
        properties.append(box(kind, content))
        use[main].append(len(properties) | 128)
    id_form = "I" if iloc == 2 else "H"
    ipma_body = struct.pack(">I", len(use))
    for item, numbers in use.items():
        ipma_body += struct.pack(">IB" if ipma else ">HB", item, len(numbers))
        ipma_body += b"".join(struct.pack(">H", (n & 127) | (n & 128) << 8) if wide else bytes([n]) for n in numbers)
    iprp = box(b"iprp", box(b"ipco", b"".join(properties)) + full(b"ipma", ipma_body, ipma, int(wide)))
    infe = lambda item, kind, hidden: full(b"infe", struct.pack(">HH4sB", item, 0, kind, 0), 2, hidden)  # noqa: E731
    items = [infe(tile, b"hvc1", int(tile != main)) for tile in tiles] + ([infe(main, b"grid", 0)] if grid else [])
    iinf = full(b"iinf", struct.pack(">H", len(items)) + b"".join(items))
    iref = full(b"iref", box(b"dimg", struct.pack(f">HH{len(tiles)}H", main, len(tiles), *tiles))) if grid else b""
    within = described + (coded if idat else b"")

    def meta(start):
        def entry(item):
            where, length = (
                (0, len(described)) if item not in tiles else (len(described) if idat else start, len(coded))
            )
            method = 1 if item not in tiles or idat else 0
            head = struct.pack(">" + id_form, item) + (struct.pack(">H", method) if iloc else b"")
            return head + struct.pack(">HHII", 0, 1, where, length)

        count = struct.pack(">" + id_form, len(use))
        table = full(b"iloc", b"\x44\x00" + count + b"".join(map(entry, use)), iloc)
        hdlr = full(b"hdlr", struct.pack(">I4s12xx", 0, b"pict"))
        primary = full(b"pitm", struct.pack(">I" if pitm else ">H", main), pitm)
        return full(b"meta", hdlr + primary + table + iinf + iref + iprp + (box(b"idat", within) if within else b""))

    ftyp = box(b"ftyp", brand + bytes(4) + b"".join(further))
    body = b"" if idat else coded
    head = {"stated": box(b"mdat", body)[:8], "long": struct.pack(">I4sQ", 1, b"mdat", len(body) + 16)}.get(
        mdat, struct.pack(">I4s", 0, b"mdat")
    )
    if meta_last:
        return ftyp + head + body + meta(len(ftyp) + len(head)) + tail
    return ftyp + meta(len(ftyp) + len(meta(0)) + len(head)) + (b"" if idat else head + body) + tail
