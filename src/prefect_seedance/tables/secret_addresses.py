"""Which addresses hold a secret: a password, or a signature or token in the query. A query such as `?gid=0` is none.

Where an address is only shown, all of its query is left out (`core.redaction.bare`). This is for where it matters
whether there was a secret: a parameter that must be refused, a user's own cell that must stay as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import pandas as pd

from prefect_seedance.core.redaction import bare, names_parameter, names_user
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables.row_keys import parameter, signing_parameters

__all__ = ["frame_without_secrets", "holds_secret", "request_without_secrets", "without_secrets"]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/{1,3}(?:[^\s'\"<>|]|['\"](?=\w))+")
_ONE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/{1,3}[^\s|]+")
_WORDS = frozenset(
    {
        *("key", "apikey", "password", "passwd", "pwd", "pass", "secret", "session", "sessionid", "sid", "cookie"),
        *("authkey", "rlkey", "resourcekey", "bearer", "code", "otp", "ticket"),
    }
)
"""Further words in the name of a parameter that gives access: OneDrive's `authkey`, Dropbox' `rlkey`."""
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_TOKEN = re.compile(r"(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9_.~+/=-]{32,}")


def holds_secret(value: Any) -> bool:
    """Whether a value, or anything in it, is or contains an address with a password or a signature."""
    if isinstance(value, str):
        return names_parameter(value) or any(_is_secret(found[0]) for found in _ADDRESS.finditer(value))
    if isinstance(value, Mapping):
        return any(holds_secret(part) for pair in value.items() for part in pair)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return any(map(holds_secret, value)) if isinstance(value, list | tuple | set | frozenset) else False
    return False


def without_secrets(value: Any) -> Any:
    """The value with every address that holds a secret cut to what may be shown. Anything else stays as it is."""
    if isinstance(value, str):
        if not holds_secret(value):
            return value
        pattern = _ONE if _ONE.fullmatch(value) else _ADDRESS
        cut = pattern.sub(lambda found: bare(found[0]) if _is_secret(found[0]) else found[0], value)
        return bare(cut) if names_parameter(cut) else cut
    if isinstance(value, Mapping):
        return {name: without_secrets(part) for name, part in value.items()}
    return type(value)(map(without_secrets, value)) if type(value) in {list, tuple, set, frozenset} else value


def frame_without_secrets(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as they may leave the process: cells and headings without secrets. Without any, the same frame."""
    changed = {}
    for position, kind in enumerate(frame.dtypes):
        if pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.StringDtype):
            cells = frame.iloc[:, position].tolist()
            cleaned = [without_secrets(cell) if holds_secret(cell) else cell for cell in cells]
            if any(new is not old for new, old in zip(cleaned, cells, strict=True)):
                changed[position] = cleaned
    if not changed:
        return frame
    copied = frame.copy(deep=False)
    for position, cleaned in changed.items():
        copied.isetitem(position, pd.Series(cleaned, index=frame.index, dtype=frame.dtypes.iloc[position]))
    return copied


def request_without_secrets(request: VideoRequest) -> VideoRequest:
    """The request as it may leave the process."""
    cleaned = {name: without_secrets(value) for name, value in request if holds_secret(value)}
    return request.model_copy(update=cleaned) if cleaned else request


def _is_secret(address: str) -> bool:
    if names_user(address):
        return True
    parts = [part for part in re.split(r"[?#&;]", address)[1:] if part]
    # What an image service does to a picture (`x-oss-process`) has the prefix of a signature, and is none.
    names = [name for name in map(parameter, parts) if not name.endswith("-process")]
    words = {word for name in names for word in re.split(r"[^a-z0-9]+", name)}
    return bool(signing_parameters(names)) or not _WORDS.isdisjoint(words) or any(map(_is_random, parts))


def _is_random(part: str) -> bool:
    """Whether a value looks like a token. An id names a file, and often stands in the path as well (Google Drive)."""
    name, equals, value = part.partition("=")
    if equals and name.lower().endswith("id"):
        return False
    text = unquote(value if equals else name)
    return (_HEX.fullmatch(text) or _TOKEN.fullmatch(text)) is not None
