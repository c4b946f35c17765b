"""File names out of row keys: safe on every file system, and one name per key."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

MAX_BYTES = 100

_KEPT_MARKS = "_-."
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def slug(key: str) -> str:
    """Turn a row key into a file name without suffix.

    Letters and digits of any script, `_`, `-` and inner dots stay; everything else becomes `-`. A key that had to be
    changed gets a short hash of itself at the end, so that two different keys never share a name. (Keys that differ
    in case alone still meet on case-insensitive file systems: see `clashes`.)

    Args:
        key: The row key, any text.

    Returns:
        A non-empty name of at most 100 bytes in UTF-8: no leading or trailing dot or dash, no name that Windows
        reserves. `slug(slug(key)) == slug(key)`.
    """
    name = "".join(char if _is_kept(char) else "-" for char in unicodedata.normalize("NFC", key))
    name = re.sub(r"\.{2,}", "-", name).strip("-.")
    if name == key and _fits(name):
        return name
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    stem = re.sub(r"-{2,}", "-", name) or "row"
    while len(stem.encode()) > MAX_BYTES - len(mark) - 1:
        stem = stem[:-1]
    # Another dot would leave a reserved stem in place: `con.txt-1234` still opens the console on Windows.
    if _RESERVED.fullmatch(stem.split(".", 1)[0]):
        stem = stem.replace(".", "-")
    # Cutting and joining can leave a form that NFC would change once more.
    return unicodedata.normalize("NFC", f"{stem.rstrip('-.') or 'row'}-{mark}")


def clashes(keys: Iterable[str]) -> list[tuple[str, ...]]:
    """Find keys whose file names are one name on a file system that ignores case (macOS, Windows).

    Args:
        keys: Row keys of one output folder.

    Returns:
        Groups of different keys that would meet in one file, in the order of the keys; empty if all is well.
    """
    groups: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for key in keys:
        groups[unicodedata.normalize("NFC", slug(key).casefold())][key] = None
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _is_kept(char: str) -> bool:
    # Marks (category M) carry the vowels of many scripts; `\w` alone would drop them.
    return char in _KEPT_MARKS or unicodedata.category(char)[0] in "LNM"


def _fits(name: str) -> bool:
    reserved = _RESERVED.fullmatch(name.split(".", 1)[0]) is not None
    return bool(name) and len(name.encode()) <= MAX_BYTES and not reserved
