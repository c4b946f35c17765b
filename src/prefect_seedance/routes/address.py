"""The address of a medium: its scheme, and the format that its name suggests."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from prefect_seedance.messages import Message, message

Scheme = Literal["https", "asset", "data", "file", "store"]

_DATA = re.compile(r"data:([a-z]+/[a-z0-9.+-]+);base64,.")
_ASSET = re.compile(r"asset://[^\s/?#]\S*")
_UNSENDABLE = re.compile(r"[\s\x00-\x1f\x7f]")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
# A single letter before a colon is a drive letter.
_SCHEME_WORD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_STORE = re.compile(r"([a-z][a-z0-9+.-]+)://([^/]+)/?(.*)")
_LONGEST_PATH = 4096
_LONGEST_PATH_WITHOUT_EXTENSION = 255
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}")
# Schemes that are no store: those with another meaning here or at a provider, those that send a password or the bytes
# unencrypted, and drivers that would read the worker's own disk or another address nested in this one.
_NO_STORE = frozenset(
    {
        *("http", "https", "file", "asset", "data", "blob", "about", "javascript", "mailto"),
        *("ftp", "ftps", "sftp", "ssh", "scp", "telnet", "ws", "wss", "rtsp", "rtmp", "smb", "jupyter", "jlab"),
        *("local", "dir", "reference", "cached", "blockcache", "filecache", "simplecache", "generic", "root"),
        *("zip", "tar", "libarchive", "git", "lazy", "async_wrapper"),
    }
)
_COLON_MEANS_SCHEME = frozenset({"http", "https", "file", "asset", "data"})
_LONGEST_DATA_HEAD = 200
_LONGEST_NAME = 60

# File extensions and subtypes of data URIs, mapped to one name per format.
_FORMATS = {
    **{name: name for name in ("jpeg", "png", "webp", "bmp", "tiff", "gif", "heic", "avif", "svg")},
    **{name: name for name in ("mp4", "mov", "avi", "webm", "mkv", "m4v", "flv")},
    **{name: name for name in ("mp3", "wav", "aac", "m4a", "flac", "ogg")},
    "jpg": "jpeg",
    "tif": "tiff",
    "heif": "heic",
    "svg+xml": "svg",
    "quicktime": "mov",
    "x-m4v": "m4v",
    "x-matroska": "mkv",
    "x-msvideo": "avi",
    "x-flv": "flv",
    "x-m4a": "m4a",
    "x-flac": "flac",
    "mpeg": "mp3",
    "x-wav": "wav",
    "wave": "wav",
}


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def scheme_of(address: str) -> Scheme | None:
    """Return the scheme of an address.

    A provider may accept `https`, `asset` and `data` directly. Plain http counts as https on loopback only, where the
    traffic does not leave the machine. `asset`, `data` and stores are recognised in lower case only, as providers and
    drivers write them. `file` is a path on this machine, relative or absolute, also as `file:///…`. `store` is any
    other `word://…` that an fsspec driver may know, such as `s3://bucket/a.png`. The file need not exist.

    Returns:
        The scheme, or None for an address that can neither be sent nor read: plain http, ftp, a store address that
        contains a password, bare Base64. `address_problem` gives the reason.
    """
    return None if address_problem(address) else _scheme(address)


def address_problem(address: str) -> Message | None:
    """Return what is wrong with an address that has no valid scheme; None where it has one."""
    if not address.strip():
        return message("address.empty")
    word = _scheme_word(address)
    if word in {"http", "https"}:
        return _web_problem(address)
    if _UNWRITABLE.search(address):
        return message("address.character")
    if word in {"data", "asset"}:
        return _asset_or_data_problem(address, word)
    if word == "file" or "://" not in address:
        return _path_problem(address)
    return _store_problem(address)


def _scheme(address: str) -> Scheme:
    word = _scheme_word(address)
    if word in {"http", "https"}:
        return "https"
    if word == "data":
        return "data"
    if word == "asset":
        return "asset"
    return "file" if word == "file" or "://" not in address else "store"


def _scheme_word(address: str) -> str | None:
    # The word before the first colon. File names may contain a colon too, so only known words and `://` count.
    found = _SCHEME_WORD.match(address)
    if found is None:
        return None
    word = found[1].lower()
    return word if word in _COLON_MEANS_SCHEME or address.startswith("://", found.end() - 1) else None


def _asset_or_data_problem(address: str, word: str) -> Message | None:
    if word == "asset":
        return None if _ASSET.fullmatch(address) else message("address.not_an_asset")
    whole = _DATA.match(address[:_LONGEST_DATA_HEAD])
    return None if whole else message("address.not_data")


def _web_problem(address: str) -> Message | None:
    url = _split(address)
    if url is None or not url.hostname:
        return message("address.not_a_link")
    if url.scheme == "https" or is_loopback(url.hostname):
        return None
    return message("address.plain_http")


def _path_problem(address: str) -> Message | None:
    path = address
    if _scheme_word(address) == "file":
        url = _split(address.replace(" ", "%20"))
        if url is None or url.netloc not in {"", "localhost"} or not url.path.startswith("/"):
            return message("address.not_a_local_file")
        path = url.path
    elif address.startswith(("//", "\\\\")):
        return message("address.network_share")
    bare = len(path) > _LONGEST_PATH_WITHOUT_EXTENSION and not _EXTENSION.fullmatch(path[path.rfind(".") :])
    if len(path) > _LONGEST_PATH or bare:
        return message("address.too_long")
    return None


def _store_problem(address: str) -> Message | None:
    found = _STORE.fullmatch(address)
    if found is None:
        return message("address.not_a_store")
    word, bucket, _ = found.groups()
    if word in _NO_STORE:
        return message("address.scheme", scheme=word)
    if "::" in address:
        return message("address.chained")
    if ":" in bucket.rpartition("@")[0]:
        return message("address.password")
    return None


def format_of(address: str) -> str | None:
    """Return the format that an address declares (`jpeg`, `mp4`, `wav` ...).

    Returns:
        The media type of a data URI, or the extension of a URL or a path, as a format; None where it is not known. The
        name is no proof of the content.
    """
    word = _scheme_word(address)
    if word == "data":
        declared = _DATA.match(address[:_LONGEST_DATA_HEAD])
        subtype = declared.group(1).partition("/")[2] if declared else None
        return _FORMATS.get(subtype, subtype) if subtype else None
    if word == "asset":
        return None
    if word in {"http", "https"}:
        url = _split(address)
        return None if url is None else _format_of_extension(url.path)
    # An object's name may contain a question mark. It starts a query only where the full name has no known extension.
    return _format_of_extension(address) or (_format_of_extension(address.partition("?")[0]) if word else None)


def _format_of_extension(path: str) -> str | None:
    _, dot, extension = path.rpartition(".")
    return _FORMATS.get(extension.lower()) if dot else None


def shown(value: object) -> str:
    """Return a value in a form that is safe to show: short and without secrets.

    A URL loses its query, fragment and password, since a signed link gives access. A data URI is shortened to its type
    and size.
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
    # Every text with "://" is cut, so that a link in the wrong field or a malformed link shows no key either.
    text = value
    if "://" in value[:_LONGEST_DATA_HEAD]:
        text = re.split(r"[?#]", value, maxsplit=1)[0]
        text = re.sub(r"://[^/]*@", "://…@", text, count=1)
    if len(text) > _LONGEST_NAME:
        return f"'{text[:_LONGEST_NAME]}…' ({len(value):,} characters)"
    return f"'{text}'"


def _split(address: str) -> SplitResult | None:
    # urlsplit drops line breaks and tabs silently, so an address that contains them would not be sent as written.
    if _UNSENDABLE.search(address):
        return None
    try:
        url = urlsplit(address)
        _ = url.port
    except ValueError:
        return None
    return url
