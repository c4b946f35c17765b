"""Links of the sheet to files, and text without keys."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

__all__ = ["link_to", "without_keys"]

_LONGEST = 4000
_URL = re.compile(r"(?<![\w+.-])([A-Za-z][A-Za-z0-9+.-]{1,20}://)([^\s?#\"'<>]*)([?#][^\s\"'<>]*)?")
_PASSWORD = re.compile(r"^[^/]*@")
_DATA = re.compile(r"data:[a-z]+/[a-z0-9.+-]{1,60};base64,[A-Za-z0-9+/=_-]{40,}")


def link_to(path: str | None, folder: str) -> str | None:
    """A link from the sheet in `folder`: relative where the file is below it, so that both can be moved together.

    Returns:
        The link; None where a browser could not open it (an object store), or would have to ask a server.
    """
    if path is None:
        return None
    # A store's names have slashes on every system; Path handles the local ones.
    if "://" in folder:
        return quote(path[len(folder) + 1 :]) if path.startswith(f"{folder}/") else None
    if "://" in path or not Path(path).is_absolute():
        return None
    if Path(path).is_relative_to(folder):
        return quote(Path(path).relative_to(folder).as_posix())
    return Path(path).as_uri()


def without_keys(text: str) -> str:
    """Text without secrets: links lose query and password (a signed link is a key), and Base64 data its body."""
    if "://" in text:
        text = _URL.sub(lambda found: found[1] + _PASSWORD.sub("…@", found[2]), text)
    if "base64," in text:
        text = _DATA.sub(lambda found: f"{found[0].partition(',')[0]},… ({len(found[0]):,} characters)", text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
