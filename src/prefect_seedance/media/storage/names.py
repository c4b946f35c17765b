"""File names from row keys: safe on every file system, and one name per key."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

MAX_BYTES = 100

# File systems allow 255 bytes. The rest is for what the ledger and the download append (a hash, `.changed-1`,
# `.part.json`).
_SEGMENT_BYTES = 180

_KEPT_MARKS = "_-."
_BETWEEN = " ()[]+=,&@"
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def slug(key: str) -> str:
    """Turn a row key into a file name without suffix.

    Letters and digits of any script, `_`, `-` and inner dots are kept; everything else becomes `-`. A short hash of the
    key is appended where something was changed, so that two different keys never share a name. (Keys that differ only
    in case still collide on case-insensitive file systems: see `clashes`.)

    Args:
        key: The row key, any text.

    Returns:
        A non-empty name of at most 100 bytes in UTF-8, without leading or trailing dots or dashes, and not reserved on
        Windows. `slug(slug(key)) == slug(key)`.
    """
    name = "".join(char if _is_kept(char) else "-" for char in unicodedata.normalize("NFC", key))
    name = re.sub(r"\.{2,}", "-", name).strip("-.")
    if name == key and _fits(name):
        return name
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem = re.sub(r"-{2,}", "-", name) or "row"
    while len(stem.encode()) > MAX_BYTES - len(mark) - 1:
        stem = stem[:-1]
    # With a dot the stem would still be reserved: `con.txt-1234` opens the console on Windows.
    if _RESERVED.fullmatch(stem.split(".", 1)[0]):
        stem = stem.replace(".", "-")
    # Cutting and joining can leave a form that NFC would change once more.
    return unicodedata.normalize("NFC", f"{stem.rstrip('-.') or 'row'}-{mark}")


def clashes(keys: Iterable[str]) -> list[tuple[str, ...]]:
    """Find keys whose file names are equal on a case-insensitive file system (macOS, Windows).

    Args:
        keys: Row keys of one output folder.

    Returns:
        Groups of different keys that would share one file, in the order of the keys; empty if there are none.
    """
    groups: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for key in keys:
        groups[unicodedata.normalize("NFC", slug(key).casefold())][key] = None
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _is_kept(char: str) -> bool:
    # Marks (category M) are the vowels of many scripts; `\w` would drop them.
    return char in _KEPT_MARKS or unicodedata.category(char)[0] in "LNM"


def _fits(name: str) -> bool:
    reserved = _RESERVED.fullmatch(name.split(".", 1)[0]) is not None
    return bool(name) and len(name.encode()) <= MAX_BYTES and not reserved


def segment(text: str) -> str:
    """Turn any text into one part of a path: as `slug`, but without a hash where something was changed.

    Different texts may give the same result.
    """
    name = "".join(char if _is_kept(char) else "-" for char in unicodedata.normalize("NFC", text))
    name = re.sub(r"-{2,}", "-", re.sub(r"\.{2,}", "-", name)).strip("-.")
    return _cut(name, MAX_BYTES) or "row"


def joined(segments: Iterable[str]) -> str:
    """Join parts to a relative path. Each part becomes safe on every file system.

    Spaces and brackets are kept, since the user wrote them.
    """
    parts = [_safe("".join(char if _is_kept(char) or char in _BETWEEN else "-" for char in part)) for part in segments]
    # A folder must not have the name of a results file or a video.
    folders = [re.sub(r"\.(?=mp4$)|(?<=^results)\.", "-", part, flags=re.IGNORECASE) for part in parts[:-1]]
    return "/".join([*folders, parts[-1]])


def _safe(name: str) -> str:
    name = _cut(re.sub(r"\.{2,}", "-", unicodedata.normalize("NFC", name)).strip("-. "), _SEGMENT_BYTES) or "row"
    if _RESERVED.fullmatch(name.split(".", 1)[0].strip()):
        name = f"{name.replace('.', '-')}-"
    return name


def _cut(name: str, most: int) -> str:
    while len(name.encode("utf-8", "replace")) > most:
        name = name[:-1]
    # Cutting can leave a form that NFC would change once more.
    return unicodedata.normalize("NFC", name).rstrip("-. ")
