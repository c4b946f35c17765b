"""The address of a medium: where it lies (its scheme), and what its name tells of its format."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

Scheme = Literal["https", "asset", "data"]

_DATA = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,.")
_ASSET = re.compile(r"asset://[^\s/?#]\S*")
_UNSENDABLE = re.compile(r"[\s\x00-\x1f\x7f]")
_LONGEST_DATA_HEAD = 200
_LONGEST_NAME = 60

# What a file's extension, or the subtype of a data URI, says in one word per format.
_FORMATS = {
    **{name: name for name in ("jpeg", "png", "webp", "bmp", "tiff", "gif", "heic", "svg")},
    **{name: name for name in ("mp4", "mov", "avi", "webm", "mkv", "m4v", "flv")},
    **{name: name for name in ("mp3", "wav", "aac", "m4a", "flac", "ogg")},
    "jpg": "jpeg",
    "tif": "tiff",
    "heif": "heic",
    "svg+xml": "svg",
    "quicktime": "mov",
    "mpeg": "mp3",
    "x-wav": "wav",
    "wave": "wav",
}


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def scheme_of(address: str) -> Scheme | None:
    """Name the scheme of an address.

    Plain http counts as https on loopback, where nobody listens in, and nowhere else. `asset` and `data` are told
    only in lower case, as the providers write them.

    Returns:
        The scheme, or None for everything that no provider is documented to take: a path, ftp, bare Base64.
    """
    if address.startswith("data:"):
        return "data" if _DATA.match(address[:_LONGEST_DATA_HEAD]) else None
    if address.startswith("asset:"):
        return "asset" if _ASSET.fullmatch(address) else None
    url = _split(address)
    if url is None or not url.hostname:
        return None
    if url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname)):
        return "https"
    return None


def format_of(address: str) -> str | None:
    """Name the format that an address admits to (`jpeg`, `mp4`, `wav` ...).

    Returns:
        The format that a data URI declares or that a URL's extension names; None where the name tells nothing. The
        name is no proof, but a `.gif` that is no GIF is rarer than a GIF.
    """
    if address.startswith("data:"):
        declared = _DATA.match(address[:_LONGEST_DATA_HEAD])
        subtype = declared.group(1).partition("/")[2] if declared else None
        return _FORMATS.get(subtype, subtype) if subtype else None
    url = _split(address)
    if url is None or url.scheme not in {"http", "https"}:
        return None
    _, dot, extension = url.path.rpartition(".")
    return _FORMATS.get(extension.lower()) if dot else None


def shown(value: object) -> str:
    """Write a value as people may see it: short, and without what gives access.

    A URL loses its query, fragment and password (a signed link is a key); a data URI is told by its type and size.
    """
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    if value.startswith("data:"):
        head = value[:_LONGEST_DATA_HEAD].partition(",")[0][:_LONGEST_NAME]
        return f"'{head},…' ({len(value):,} characters)"
    # The cut is made in whatever holds "://", so that a link in the wrong field, or a broken one, shows no key either.
    text = value
    if "://" in value[:_LONGEST_DATA_HEAD]:
        text = re.split(r"[?#]", value, maxsplit=1)[0]
        text = re.sub(r"://[^/]*@", "://…@", text, count=1)
    if len(text) > _LONGEST_NAME:
        return f"'{text[:_LONGEST_NAME]}…' ({len(value):,} characters)"
    return f"'{text}'"


def _split(address: str) -> SplitResult | None:
    # urlsplit quietly drops line breaks and tabs; an address that holds them is not the one that would be sent.
    if _UNSENDABLE.search(address):
        return None
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError:
        return None
    return url
