"""The format of a file by its bytes. Its name is not used."""

from __future__ import annotations

import re
from collections.abc import Callable

from prefect_seedance.errors import UnsupportedMedia
from prefect_seedance.media.documents import plain, text_format
from prefect_seedance.messages import message
from prefect_seedance.routes.facts import MediaKind

#: Reads bytes of a file, by offset and number of bytes; fewer are returned only at its end.
ReadAt = Callable[[int, int], bytes]

_IMAGES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "gif": "image/gif",
    "heic": "image/heic",
    "avif": "image/avif",
    "svg": "image/svg+xml",
}
_VIDEOS = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "m4v": "video/x-m4v",
    "flv": "video/x-flv",
    "3gp": "video/3gpp",
}
_AUDIOS = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "aac": "audio/aac",
    "m4a": "audio/mp4",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
}
#: MIME type by format: the formats that the providers document, and two more that cameras write.
MIME_TYPES = {**_IMAGES, **_VIDEOS, **_AUDIOS}

# First bytes of each format; the order does not matter, since none is a prefix of another.
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"FLV\x01", "flv"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
)
_RIFF = {b"WEBP": "webp", b"AVI ": "avi", b"WAVE": "wav"}
_BRANDS = {
    b"qt  ": "mov",
    b"M4V ": "m4v",
    b"M4VH": "m4v",
    b"M4VP": "m4v",
    b"M4A ": "m4a",
    b"M4B ": "m4a",
    b"avif": "avif",
    b"avis": "avif",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "heic"),
}
# Brands that mean "some picture": the further brands, or of `mif3` the version, say which.
_PICTURES = (b"mif1", b"mif2", b"mif3", b"msf1", b"miaf", b"MA1A", b"MA1B", b"MiHB", b"jpeg", b"avci", b"avcs", b"vvic")
# QuickTime files from before 2001 start with one of these instead of a brand.
_OLD_QUICKTIME = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_OTHERS = (
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP (an archive, or an Office file)"),
    (b"\x1f\x8b", "gzip"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"8BPS", "Photoshop"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "Windows Media (wmv, wma)"),
    (b"\x7fELF", "an executable program"),
    (b"MZ", "an executable program"),
)
_HEAD = 4096
_MOST_SKIPS = 300  # tags, and pages of zero bytes
_SVG = re.compile(
    rb"\s*(?:<\?xml[^>]*>|<!--.*?-->|<!doctype svg[^>]*>|\s)*<(?:svg:)?svg[\s>]", re.DOTALL | re.IGNORECASE
)


def kind_of(format_name: str) -> MediaKind:
    """Return the kind of media of a format."""
    if format_name in _IMAGES:
        return "image"
    return "video" if format_name in _VIDEOS else "audio"


def format_from(read_at: ReadAt) -> str | None:
    """Return the format of a file by its first bytes.

    Returns:
        One of `MIME_TYPES`, or None if the format is not known. An `mp4` or `3gp` may contain only audio (then it is an
        `m4a`); only its tables show that.

    Raises:
        UnsupportedMedia: If it is certainly another format; the text says which.
    """
    head = read_at(0, _HEAD)
    if not head:
        raise UnsupportedMedia(message("media.empty"))
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    known = _framed(head) or _bare_sound(head, read_at)
    if known is not None:
        return known
    _refuse_others(head)
    return "svg" if _SVG.match(plain(head)) else None


def _framed(head: bytes) -> str | None:
    """Tell the formats that say a little later what they are."""
    if head[:4] in (b"RIFF", b"RF64"):
        return _RIFF.get(head[8:12])
    if (
        head[:2] == b"BM"
        and len(head) >= 18
        and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124)
    ):
        return "bmp"
    if head[4:8] == b"ftyp":
        return _branded(head)
    if head[4:8] in _OLD_QUICKTIME:
        return "mov"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "webm" if b"webm" in head[:64] else "mkv"
    return None


def _branded(head: bytes) -> str:
    main = head[8:12]
    if main in _BRANDS:
        return _BRANDS[main]
    if main in _PICTURES:
        end = min(int.from_bytes(head[:4]), len(head))
        further = {head[at : at + 4] for at in range(12, end, 4)}
        return "avif" if further & {b"avif", b"avis"} else "heic"
    return "3gp" if main.startswith((b"3gp", b"3g2")) else "mp4"


def _bare_sound(head: bytes, read_at: ReadAt) -> str | None:
    """Recognise MP3, AAC and FLAC, which may follow tags and zero bytes of any length."""
    start, tagged = 0, False
    for _ in range(_MOST_SKIPS):
        tag = _tag_length(head)
        zeros = len(head) - len(head.lstrip(b"\0"))
        if not tag and not zeros:
            break
        start, tagged = start + (tag or zeros), tagged or tag > 0
        head = read_at(start, _HEAD)
    if start and head.startswith(b"fLaC"):
        return "flac"
    if tagged and not head:
        raise UnsupportedMedia(message("media.title_only"))
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer, bit_rate, sound_rate = head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if layer == 0:
        return "aac" if head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13 else None
    known = head[1] >> 3 & 3 != 1 and layer in (1, 2) and bit_rate != 15 and sound_rate != 3
    return "mp3" if known else None


def _tag_length(head: bytes) -> int:
    """Return the length of the tag that begins here (id3.org/id3v2.4.0-structure, 3.1; APEv2); 0 if none does."""
    if head[:3] == b"ID3" and len(head) >= 10:
        length = 0
        for byte in head[6:10]:
            length = length << 7 | byte & 0x7F
        return 10 + length + (10 if head[5] & 0x10 else 0)
    if head[:8] == b"APETAGEX" and len(head) >= 32:
        return 32 + int.from_bytes(head[12:16], "little")
    return 0


def _refuse_others(head: bytes) -> None:
    for magic, name in _OTHERS:
        if head.startswith(magic):
            raise UnsupportedMedia(message("media.other_format", format=name))
    if _SVG.match(plain(head)):
        return
    if head.startswith(b"version https://git-lfs"):
        raise UnsupportedMedia(message("media.git_lfs"))
    kind = text_format(head)
    if kind is not None:
        raise UnsupportedMedia(message("media.other_format", format=kind))
