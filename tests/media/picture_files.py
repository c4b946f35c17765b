"""Pictures of every form that an encoder here makes, with their size as shown."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import pillow_heif
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from tests.media.heif_files import box, heic, libheif, natural
from tests.media.samples import saved

Size = tuple[int, int]
Made = tuple[str, str, bytes, Size]
WIDE, TALL = (203, 151), (151, 203)
MODES = {
    "jpeg": ("L", "RGB", "CMYK"),
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "gif": ("L", "P"),
    "bmp": ("1", "L", "P", "RGB", "RGBA"),
    "tiff": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "F"),
    "webp": ("L", "RGB", "RGBA"),
    "avif": ("L", "RGB", "RGBA"),
}
TIFF_FORMS = ("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "zstd", "lzma")


def in_mode(mode: str) -> Image.Image:
    picture = natural(*WIDE)
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L"), np.uint16) * 257)
    if mode == "LAB":
        change = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        return ImageCms.applyTransform(picture, change)
    return picture.convert("RGB").convert(mode)


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera"
    return exif.tobytes()


@functools.cache
def pictures() -> tuple[Made, ...]:
    """Name, class, bytes, size as shown."""
    return tuple(_pictures())


def cut_places(name: str, data: bytes, kind: str) -> tuple[int, int]:
    """The last offset at which a cut takes something of the picture, and the last that a random one may have."""
    # What stands behind the picture may go: a tail, a second picture, and padding (of a BMP's last row, of TIFF pages).
    end = int(len(data) * 0.24) if "tail" in name else len(data) - 16 * ("tiff pages" in name)
    return end - (4 if kind.startswith(("bmp", "jpeg")) else 1), end - 1


def _pictures() -> Iterator[Made]:
    for form, modes in MODES.items():
        for mode in modes:
            yield f"{form} {mode}", f"{form}, Pillow", saved(in_mode(mode), form), WIDE
    for form in ("jpeg", "png", "webp", "tiff", "avif"):
        for orientation in range(1, 9):
            data = saved(natural(*WIDE), form, exif=turned(orientation))
            yield f"{form} turned {orientation}", f"{form}, Pillow", data, TALL if orientation > 4 else WIDE
    for made in (jpegs, pngs, gifs, bmps, tiffs, webps, avifs, heics, by_ffmpeg):
        yield from made()


def jpegs() -> Iterator[Made]:
    picture = natural(*WIDE)
    forms = {
        "progressive": {"progressive": True}, "optimised": {"optimize": True, "quality": 20}, "444": {"subsampling": 0},
        "422": {"subsampling": 1}, "comment": {"comment": b"x" * 60_000}, "restarts": {"restart_marker_rows": 1},
        "profile": {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() * 100},
        "progressive restarts": {"progressive": True, "restart_marker_rows": 2}, "fine": {"quality": 100},
        "notes": {"xmp": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"},
    }  # fmt: skip
    for name, settings in forms.items():
        yield f"jpeg {name}", "jpeg, Pillow", saved(picture, "jpeg", **settings), WIDE
    yield "mpo tail", "jpeg, Pillow", saved(picture, "mpo", save_all=True, append_images=[picture]), WIDE
    plain = saved(picture, "jpeg", exif=turned(6))
    segments = plain.index(b"\xff\xdb")
    for name, stray in (("one", b"\0"), ("many", b"\0\x01\x02hello"), ("fill", b"\xff\xff\xff"), ("zeros", bytes(500))):
        yield f"jpeg stray {name}", "jpeg, by hand", plain[:segments] + stray + plain[segments:], TALL
    frame = plain.index(b"\xff\xc0")
    yield "jpeg stray before the frame", "jpeg, by hand", plain[:frame] + b"\x12\x34" + plain[frame:], TALL
    yield "jpeg with a tail", "jpeg, by hand", plain + b"MotionPhoto_Data" + bytes(len(plain)), TALL
    yield "jpeg with zeros behind as a tail", "jpeg, by hand", plain + bytes(len(plain)), TALL
    broken = b"\xff\xe1\0\x10Exif\0\0II*\0\xff\xff\xff\xff"
    yield "jpeg with broken notes", "jpeg, by hand", plain[:2] + broken + plain[plain.index(b"\xff\xdb") :], WIDE


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pngs() -> Iterator[Made]:
    picture = natural(*WIDE)
    plain = saved(picture, "png", optimize=True)
    start = plain.index(b"IDAT") - 4
    long_text = chunk(b"tEXt", b"workflow\0" + b"{}" * 1_500_000)
    yield "png with a long text", "png, by hand", plain[:start] + long_text + plain[start:], WIDE
    yield "png with a private chunk", "png, by hand", plain[:start] + chunk(b"prVt", b"x" * 99) + plain[start:], WIDE
    yield "png with a text behind", "png, by hand", plain[:-12] + chunk(b"tEXt", b"a\0b") + plain[-12:], WIDE
    yield "png with a tail", "png, by hand", plain + bytes(len(plain)), WIDE
    late = chunk(b"eXIf", turned(6).removeprefix(b"Exif\0\0"))
    yield "png turned behind", "png, by hand", plain[:-12] + late + plain[-12:], TALL
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "words", zip=True)
    info.add_itxt("Author", "分镜", "zh", "作者", zip=True)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "png texts", "png, Pillow", saved(picture, "png", pnginfo=info, icc_profile=profile, dpi=(72, 72)), WIDE
    frames = [picture.rotate(turn) for turn in range(0, 30, 10)]
    yield "apng", "png, Pillow", saved(frames[0], "png", save_all=True, append_images=frames[1:]), WIDE


def gifs() -> Iterator[Made]:
    frames = [natural(*WIDE).rotate(turn) for turn in range(0, 40, 10)]
    yield "gif frames", "gif, Pillow", saved(frames[0], "gif", save_all=True, append_images=frames[1:], loop=0), WIDE
    yield "gif interlaced", "gif, Pillow", saved(frames[0], "gif", interlace=True, comment=b"words"), WIDE
    clear = natural(*WIDE, "P")
    yield "gif transparent", "gif, Pillow", saved(clear, "gif", transparency=0), WIDE
    yield "gif with a tail", "gif, by hand", (plain := saved(clear, "gif")) + bytes(len(plain)), WIDE


def bmps() -> Iterator[Made]:
    width, height = WIDE
    stride = (width * 3 + 3) // 4 * 4
    pixels = b"".join(bytes(np.asarray(natural(*WIDE))[row]).ljust(stride, b"\0") for row in range(height))

    def whole(head: bytes) -> bytes:
        return b"BM" + struct.pack("<IHHI", 14 + len(head) + len(pixels), 0, 0, 14 + len(head)) + head + pixels

    core = struct.pack("<IHHHH", 12, width, height, 1, 24)
    yield "bmp core", "bmp, by hand", whole(core), WIDE
    top_down = struct.pack("<IiiHHIIiiII", 40, width, -height, 1, 24, 0, 0, 0, 0, 0, 0)
    yield "bmp from the top", "bmp, by hand", whole(top_down), WIDE
    yield (
        "bmp v5",
        "bmp, by hand",
        whole(struct.pack("<IiiHHIIiiII", 124, *WIDE, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(84)),
        WIDE,
    )
    gray = np.asarray(natural(*WIDE, "L")) // 32 * 32
    runs = b"".join(b"".join(bytes([1, value]) for value in row) + b"\0\0" for row in gray[::-1]) + b"\0\1"
    head = struct.pack("<IiiHHIIiiII", 40, *WIDE, 1, 8, 1, len(runs), 0, 0, 256, 0)
    palette = b"".join(bytes([value, value, value, 0]) for value in range(256))
    size = 54 + len(palette) + len(runs)
    data = b"BM" + struct.pack("<IHHI", size, 0, 0, 54 + len(palette)) + head + palette + runs
    yield "bmp packed", "bmp, by hand", data, WIDE


def tiffs() -> Iterator[Made]:
    for form in TIFF_FORMS:
        yield f"tiff {form}", "tiff, Pillow", saved(natural(*WIDE), "tiff", compression=form), WIDE
    yield "tiff fax", "tiff, Pillow", saved(natural(*WIDE, "1"), "tiff", compression="group4"), WIDE
    yield "tiff big", "tiff, Pillow", saved(natural(*WIDE), "tiff", big_tiff=True), WIDE
    pages = [natural(*WIDE), natural(*TALL)]
    yield "tiff pages", "tiff, Pillow", saved(pages[0], "tiff", save_all=True, append_images=pages[1:]), WIDE
    yield "tiff tiles", "tiff, Pillow", saved(natural(*WIDE), "tiff", tiffinfo={322: 128, 323: 128}), WIDE
    yield "tiff strips", "tiff, Pillow", saved(natural(*WIDE), "tiff", strip_size=4096, compression="tiff_lzw"), WIDE
    for order, wide in ((">", False), (">", True), ("<", True)):
        yield f"tiff {order} {wide}", "tiff, by hand", plain_tiff(order, wide), WIDE
        yield f"tiff {order} {wide} turned", "tiff, by hand", plain_tiff(order, wide, 8), TALL


def plain_tiff(order: str, wide: bool, orientation: int = 1) -> bytes:
    pixels = natural(*WIDE).tobytes()
    number, entry, start = ("Q", "HHQQ", 16) if wide else ("I", "HHII", 8)
    fields = {256: WIDE[0], 257: WIDE[1], 258: 8, 259: 1, 262: 2, 273: start, 274: orientation, 277: 3, 278: WIDE[1]}
    fields[279] = len(pixels)
    kind, end = (16 if wide else 4), start + len(pixels)
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if wide else 42)
    head += struct.pack(order + "HHQ", 8, 0, end) if wide else struct.pack(order + "I", end)
    rows = b"".join(struct.pack(order + entry, tag, kind, 1, value) for tag, value in fields.items())
    count = struct.pack(order + ("Q" if wide else "H"), len(fields))
    return head + pixels + count + rows + struct.pack(order + number, 0)


def webps() -> Iterator[Made]:
    picture = natural(*WIDE)
    yield "webp lossless", "webp, Pillow", saved(picture, "webp", lossless=True), WIDE
    yield "webp clear", "webp, Pillow", saved(natural(*WIDE, "RGBA"), "webp", lossless=True, exact=True), WIDE
    frames = [picture.rotate(turn) for turn in range(0, 40, 10)]
    yield "webp frames", "webp, Pillow", saved(frames[0], "webp", save_all=True, append_images=frames[1:]), WIDE
    yield "webp notes", "webp, Pillow", saved(picture, "webp", xmp=b"<x/>", icc_profile=b"\0" * 999), WIDE
    yield "webp with a tail", "webp, by hand", (plain := saved(picture, "webp")) + bytes(len(plain)), WIDE


def avifs() -> Iterator[Made]:
    for quality in (10, 60, 95):
        for subsampling in ("4:2:0", "4:4:4", "4:0:0"):
            data = saved(natural(*WIDE), "avif", quality=quality, subsampling=subsampling, speed=10)
            yield f"avif {quality} {subsampling}", "avif, Pillow", data, WIDE
    frames = [natural(*WIDE).rotate(turn) for turn in range(0, 40, 10)]
    yield (
        "avif frames",
        "avif, Pillow",
        saved(frames[0], "avif", save_all=True, append_images=frames[1:], speed=10),
        WIDE,
    )
    tiles = saved(natural(1300, 900), "avif", tile_rows=1, tile_cols=1, autotiling=False, speed=10)
    yield "avif tiles", "avif, Pillow", tiles, (1300, 900)


def heics() -> Iterator[Made]:
    for mode in ("L", "RGB", "RGBA"):
        for size in (WIDE, (640, 480), (1025, 769), (67, 71)):
            yield f"heic {mode} {size}", "heic, libheif", libheif(natural(*size, mode)), size
    for orientation in range(1, 9):
        data = libheif(natural(*WIDE), exif=turned(orientation))
        yield f"heic turned {orientation}", "heic, libheif", data, TALL if orientation > 4 else WIDE
    for name, settings in {
        "lossless": {"quality": -1}, "444": {"chroma": 444}, "422": {"chroma": 422}, "poor": {"quality": 5},
        "notes": {"xmp": b"<x/>", "icc_profile": b"\0" * 500},
    }.items():  # fmt: skip
        yield f"heic {name}", "heic, libheif", libheif(natural(*WIDE), **settings), WIDE
    deep = np.asarray(natural(*WIDE), np.uint16) * 257
    for bits in (10, 12):
        target = io.BytesIO()
        pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
        pillow_heif.encode("RGB;16", WIDE, deep.tobytes(), target)
        pillow_heif.options.SAVE_HDR_TO_12_BIT = False
        yield f"heic {bits} bits", "heic, libheif", target.getvalue(), WIDE
    several = pillow_heif.from_pillow(natural(*WIDE))
    several.add_from_pillow(natural(640, 480))
    target = io.BytesIO()
    several.save(target, primary_index=1)
    yield "heic of two", "heic, libheif", target.getvalue(), (640, 480)
    pillow_heif.options.GRID_TILE_SIZE = 512
    try:
        for size in ((1025, 700), (600, 513)):
            yield f"heic grid {size}", "heic, libheif", libheif(natural(*size)), size
            yield f"heic turned grid {size}", "heic, libheif", libheif(natural(*size), exif=turned(8)), size[::-1]
    finally:
        pillow_heif.options.GRID_TILE_SIZE = 0
    yield from built_heics()


def built_heics() -> Iterator[Made]:
    for name, (settings, size) in BUILT_HEICS.items():
        yield f"heic {name}", "heic, by hand", heic(**settings), size


def _clap(width: int, height: int) -> tuple[bytes, bytes]:
    return b"clap", struct.pack(">8I", width, 1, height, 1, 0, 1, 0, 1)


BUILT_HEICS = {
    "plain": ({}, (320, 256)),
    "of a grid": ({"grid": (2, 3)}, (960, 512)),
    "of a grid larger than its picture": ({"grid": (2, 2), "shown": (500, 400)}, (500, 400)),
    "of a turned grid in idat": ({"grid": (1, 2), "idat": True, "turns": [(b"irot", b"\1")]}, (256, 640)),
    "in idat": ({"idat": True}, (320, 256)),
    "iloc 0": ({"iloc": 0}, (320, 256)),
    "iloc 2": ({"iloc": 2}, (320, 256)),
    "pitm 1": ({"pitm": 1}, (320, 256)),
    "ipma 1": ({"ipma": 1}, (320, 256)),
    "ipma with wide indexes": ({"wide": True, "ipma": 1}, (320, 256)),
    "irot 1": ({"turns": [(b"irot", b"\1")]}, (256, 320)),
    "irot 2": ({"turns": [(b"irot", b"\2")]}, (320, 256)),
    "irot 3 imir": ({"turns": [(b"irot", b"\3"), (b"imir", b"\1")]}, (256, 320)),
    "clap": ({"turns": [_clap(301, 199)]}, (301, 199)),
    "clap irot": ({"turns": [_clap(300, 200), (b"irot", b"\3")]}, (200, 300)),
    "irot clap": ({"turns": [(b"irot", b"\1"), _clap(200, 300)]}, (200, 300)),
    "mif1": ({"brand": b"mif1"}, (320, 256)),
    "mif2": ({"brand": b"mif2", "further": (b"mif2", b"miaf", b"heic")}, (320, 256)),
    "heix": ({"brand": b"heix"}, (320, 256)),
    "meta at the end": ({"meta_last": True}, (320, 256)),
    "long mdat": ({"mdat": "long"}, (320, 256)),
    "open mdat": ({"mdat": "open"}, (320, 256)),
    "film as a tail": ({"tail": b"MotionPhoto_Data" + box(b"ftyp", b"mp42") + bytes(50_000)}, (320, 256)),
    "zeros as a tail": ({"tail": bytes(50_000)}, (320, 256)),
}


def by_ffmpeg() -> Iterator[Made]:
    forms = {
        "mjpeg": ("jpeg", ("yuvj420p", "yuvj422p", "yuvj444p")),
        "png": ("png", ("rgb24", "rgba", "gray", "ya8", "rgb48be", "gray16be", "rgba64be", "monob")),
        "bmp": ("bmp", ("bgr24", "bgra", "gray", "rgb565le", "monob")),
        "tiff": ("tiff", ("rgb24", "rgba", "gray", "rgb48le", "gray16le", "yuv420p", "monob", "ya8")),
        "libwebp": ("webp", ("yuv420p", "yuva420p", "bgra")),
    }
    for codec, (form, layouts) in forms.items():
        for layout in layouts:
            yield f"{form} {layout}", f"{form}, FFmpeg", coded(codec, layout), WIDE
    yield "png interlaced", "png, FFmpeg", coded("png", "rgb24", flags=1 << 18), WIDE
    yield "gif frames of FFmpeg", "gif, FFmpeg", muxed("gif", "gif", "rgb8", 3), WIDE
    yield "webp frames of FFmpeg", "webp, FFmpeg", muxed("webp", "libwebp_anim", "bgra", 3), WIDE
    yield "apng of FFmpeg", "png, FFmpeg", muxed("apng", "apng", "rgb24", 3), WIDE
    even = (404, 302)
    for layout in ("yuv420p", "yuv420p10le"):
        for frames in (1, 3):
            data = muxed("avif", "libsvtav1", layout, frames, even)
            yield f"avif {layout} of {frames}", "avif, FFmpeg", data, even


def coded(codec: str, layout: str, size: Size = WIDE, flags: int = 0) -> bytes:
    encoder = av.CodecContext.create(codec, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = *size, layout, Fraction(1)
    encoder.flags |= flags
    frame = av.VideoFrame.from_image(natural(*size)).reformat(format=layout)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))


def muxed(form: str, codec: str, layout: str, frames: int, size: Size = WIDE) -> bytes:
    target = io.BytesIO()
    with av.open(target, "w", format=form) as out:
        video = out.add_stream(codec, rate=5)
        video.width, video.height, video.pix_fmt = *size, layout
        for number in range(frames):
            frame = av.VideoFrame.from_image(natural(*size).rotate(number * 10)).reformat(format=layout)
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return target.getvalue()


def reference_size(data: bytes) -> Size | None:
    """The size as Pillow or libheif show the picture; None if neither reads it."""
    try:
        if data[4:8] == b"ftyp" and b"avif" not in data[:40]:
            return pillow_heif.open_heif(data).size
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            return ImageOps.exif_transpose(picture).size
    except Exception:  # noqa: BLE001 - then nobody says
        return None
