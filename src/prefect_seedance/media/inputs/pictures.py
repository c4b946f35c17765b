"""The pixel size of a picture as it is shown, and whether the picture is complete.

Pillow reads the header. A picture that is available as a whole is also decoded, which finds a truncated one. Pillow's
global limits are the user's own and are neither used nor changed: sizes are checked here, before anything is decoded,
and the reader notices when a decoder wants bytes that are not there.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, cast

from prefect_seedance.errors import InvalidMedia
from prefect_seedance.media.inputs.heif import Size, heif_size
from prefect_seedance.media.inputs.sources import MOST_REMOTE, ByteSource, SourceReader
from prefect_seedance.media.inputs.streams import stream_facts
from prefect_seedance.media.inputs.whole import check_whole, top_boxes
from prefect_seedance.messages import message

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

#: A picture with more pixels is refused. No route documents more than 36 million; cameras make up to 200 million.
MOST_PIXELS = 1 << 28
# One picture is decoded at a time, if the decoder needs no more memory than this, and if its file is not larger.
_MOST_MEMORY = 320 << 20
_MOST_BYTES = 100 << 20
# Bytes of memory for each pixel, while it is decoded; measured by benchmarks/pictures.py.
_MEMORY = {"jpeg": 6, "webp": 16, "avif": 16}
_MEMORY_OTHERWISE = 8
# Each pass of a progressive JPEG decodes the whole picture: encoders make about ten. This many pixels take ten seconds.
_MOST_WORK = 10**10
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
_HEIF = ("heic", "avif")
_CUT = message("media.cut_short")
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class Picture:
    """What is known about a picture.

    Attributes:
        size: Width and height in pixels, as shown; None if the file does not state them.
        checked: False if the file is at hand as a whole, and is too large for checking whether it is complete.
    """

    size: Size | None
    checked: bool = True


def look_at_picture(source: ByteSource, format_name: str, deadline: float) -> Picture:
    """Return the size of a picture, and refuse one that is truncated. Blocks.

    Args:
        source: The picture.
        format_name: Its format (`format_from`).
        deadline: When to stop, by `time.monotonic`.

    Raises:
        InvalidMedia: If it is damaged or truncated, or has too many pixels.
        BeyondPrefix: If its header is longer than the bytes that may be read.
        ProbeTimeout: If it takes too long.
    """
    if format_name == "svg":
        return Picture(None)
    try:
        if format_name in _HEIF:
            return _heif(source, format_name, deadline)
        if format_name == "tiff" and source.read_at(0, 4) == b"MM\0+":
            return Picture(_big_endian_bigtiff(source), checked=not source.whole)
        if format_name == "webp":
            stated, turned = _webp_header(source)
            _check_size(stated)
            decoded = source.whole or turned
            if not decoded or _is_large(source) or _is_costly(source, format_name, stated) or not _is_built_in("webp"):
                return Picture(stated, checked=not source.whole)
        return _by_pillow(source, format_name, deadline)
    except (struct.error, IndexError, KeyError):
        raise InvalidMedia(_CUT) from None


def _heif(source: ByteSource, format_name: str, deadline: float) -> Picture:
    if source.whole:
        check_whole(source, format_name)
    size = heif_size(source)
    if size is None:
        kinds = {kind for kind, _, _ in top_boxes(source)}
        if b"mini" in kinds:  # the short form of brand `mif3`, which neither Pillow nor FFmpeg reads
            return Picture(None)
        if b"moov" not in kinds:
            raise InvalidMedia(message("media.damaged_header"))
        facts = stream_facts(source, "mov", deadline)  # an image sequence is a film of one track
        size = (facts.width, facts.height) if facts.width and facts.height else None
    if size is not None:
        _check_size(size)
    if format_name == "avif" and source.whole:
        costly = size is not None and _is_costly(source, format_name, size)
        if _is_large(source) or costly or not _is_built_in(format_name):
            return Picture(size, checked=False)
        decoded = _by_pillow(source, format_name, deadline)
        return Picture(size or decoded.size, decoded.checked)
    return Picture(size)  # no decoder for HEIC is at hand; its boxes are complete


def _webp_header(source: ByteSource) -> tuple[Size, bool]:
    """Return the stated size, and whether there is an Exif orientation, which stands at the end (RFC 9649)."""
    head = source.read_at(0, 30)
    length, kind = int.from_bytes(head[4:8], "little"), head[12:16]
    if source.size is not None and length + 8 > source.size:
        raise InvalidMedia(_CUT)
    if kind == b"VP8X":
        size = (int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1)
        return size, bool(head[20] & 8)
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), False
    width, height = struct.unpack("<HH", head[26:30])
    return (width & 0x3FFF, height & 0x3FFF), False


def _big_endian_bigtiff(source: ByteSource) -> Size:
    """Return the size of a BigTIFF in the byte order that neither Pillow nor FFmpeg reads."""
    (offset,) = struct.unpack(">Q", source.read_at(8, 8))
    (count,) = struct.unpack(">Q", source.read_at(offset, 8))
    fields = {}
    for tag, kind, _, value in struct.iter_unpack(">HHQQ", source.read_at(offset + 8, 20 * min(count, 1000))):
        fields[tag] = value >> {3: 48, 4: 32}.get(kind, 0)  # a short value stands in the first bytes
    size = fields[256], fields[257]
    _check_size(size)
    return size[::-1] if fields.get(_ORIENTATION) in _TURNED else size


def _check_size(size: Size) -> None:
    if min(size) < 1:
        raise InvalidMedia(message("media.impossible_size", width=size[0], height=size[1]))
    if size[0] * size[1] > MOST_PIXELS:
        text = message("media.too_many_pixels", width=size[0], height=size[1], limit=MOST_PIXELS // 1_000_000)
        raise InvalidMedia(text)


def _by_pillow(source: ByteSource, format_name: str, deadline: float) -> Picture:
    # WebP and AVIF are handed over as a whole, the others by their header first.
    left = _MOST_BYTES if format_name in ("webp", "avif") else MOST_REMOTE
    with _ONE_AT_A_TIME:
        reader = SourceReader(source, deadline, left, strict=format_name == "tiff")
        image = _in_pillow(reader, lambda: _open(format_name, reader))
        size = image.size
        _check_size(size)
        checked = False
        if source.whole and not _is_large(source) and not _is_costly(source, format_name, size):
            checked = True
            reader.left, reader.strict = None, False
            _in_pillow(reader, lambda: _decode(image, format_name))
            if format_name == "png":  # verifying reads all chunks to the end, and needs an image of its own
                again = SourceReader(source, deadline, strict=True)
                _in_pillow(again, lambda: _verify(again))
        # Pillow itself turns the size of a TIFF, and what turns an AVIF was read before.
        turned = format_name not in ("tiff", "avif") and _orientation(image) in _TURNED
    return Picture(size[::-1] if turned else size, checked or not source.whole)


def _open(format_name: str, reader: SourceReader) -> ImageFile:
    return _plugins()[format_name](cast("IO[bytes]", reader))


def _in_pillow(reader: SourceReader, work: Callable[[], Any]) -> Any:
    try:
        result = work()
    except Exception as error:  # a hostile file may make Pillow raise anything
        reader.check()
        if reader.ended:
            raise InvalidMedia(_CUT) from error
        reason = str(error) or type(error).__name__
        raise InvalidMedia(message("media.not_decoded", reason=reason[:80])) from error
    reader.check()
    if reader.ended:  # else unnoticed where the user lets Pillow load truncated pictures
        raise InvalidMedia(_CUT)
    return result


def _decode(image: ImageFile, format_name: str) -> None:
    if format_name == "jpeg":
        image.draft(None, (1, 1))  # decodes at an eighth of the size
    elif format_name == "gif":
        getattr(image, "n_frames", 1)  # walks through all frames to the end of the file
    image.load()
    for page in range(1, getattr(image, "n_frames", 1) if format_name == "tiff" else 1):
        image.seek(page)
        if image.width * image.height * _MEMORY_OTHERWISE <= _MOST_MEMORY:
            image.load()


def _verify(reader: SourceReader) -> None:
    _open("png", reader).verify()
    reader.read(4)  # the checksum of the last chunk


def _orientation(image: ImageFile) -> int:
    from PIL import Image  # noqa: PLC0415 - as below

    try:
        # The method of the base class: that of PNG decodes the picture first.
        return int(Image.Image.getexif(image).get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - a damaged note about a picture does not damage the picture
        return 1


def _is_large(source: ByteSource) -> bool:
    return source.size is not None and source.size > _MOST_BYTES


def _is_costly(source: ByteSource, format_name: str, size: Size) -> bool:
    pixels = size[0] * size[1]
    if pixels * _MEMORY.get(format_name, _MEMORY_OTHERWISE) > _MOST_MEMORY:
        return True
    return format_name == "jpeg" and pixels * _passes(source) > _MOST_WORK


def _passes(source: ByteSource) -> int:
    count, offset = 0, 0
    while data := source.read_at(offset, 1 << 20):
        count += data.count(b"\xff\xda")  # also those by chance, in a film behind the picture
        offset += len(data)
    return count


def _is_built_in(format_name: str) -> bool:
    from PIL import features  # noqa: PLC0415 - as below

    return bool(features.check(format_name))  # the Pillow of some systems comes without WebP or AVIF


@cache
def _plugins() -> dict[str, type[ImageFile]]:
    from PIL import (  # noqa: PLC0415 - loading the codecs takes time, and many tables hold no media
        AvifImagePlugin,
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    # Not Image.open: it applies the user's global limit, with a warning.
    return {
        "avif": AvifImagePlugin.AvifImageFile,
        "bmp": BmpImagePlugin.BmpImageFile,
        "gif": GifImagePlugin.GifImageFile,
        "jpeg": JpegImagePlugin.JpegImageFile,
        "png": PngImagePlugin.PngImageFile,
        "tiff": TiffImagePlugin.TiffImageFile,
        "webp": WebPImagePlugin.WebPImageFile,
    }
