"""Parsers of cells: they accept every spelling that tables, spreadsheets and DataFrames give to one value.

Each parser takes a cell as it was read and returns the value of a `VideoRequest`, or None where the cell is empty; it
raises `CellError` for a cell that it cannot read. Parsers know spelling only: the rules in `routes` decide whether a
route allows the value.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from prefect_seedance.errors import CellError
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.request import COLUMNS
from prefect_seedance.routes.route_expression import parse_route_expression
from prefect_seedance.tables.invisible import is_blank, trimmed
from prefect_seedance.tables.unreadable import UnreadableCell, unreadable_text

MAX_TEXT = 1_000_000
"""Characters of a prompt. Far above the limit of any route; it keeps a wrong column out of the ledger."""
MAX_MEDIA = 64 * 1024 * 1024
"""Characters of one media reference: a data URI as large as the largest request body that a provider takes."""
MAX_NAME = 200
"""Characters of an id, a model or a provider."""

_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
_WHOLE = re.compile(r"[+-]?\d{1,9}(?:\.0*)?")
_SECONDS = re.compile(r"([+-]?\d{1,9})(?:\.0*)?\s*(?:s|secs?\.?|seconds?|秒钟?|秒鐘|с|сек\.?|секунды?|초)?")
_CLOCK = re.compile(r"(?:0?0:)?(\d{1,2}):([0-5]\d)")
_LINES = re.compile(r"\d{3,4}p")
_QUALITY_WORD = re.compile(r"\(?(?:full-?hd|fullhd|fhd|uhd|qhd|hd|sd|高清|超清|标清|全高清)\)?")
_INTEGRAL_FLOAT = re.compile(r"(-?\d+)\.0")
_RATIO = re.compile(r"0*([1-9]\d{0,4})\s*[:x×/∶]\s*0*([1-9]\d{0,4})(?::00)?")
_RATIO_WORD = re.compile(r"[a-z][a-z_-]*")
_SEVERAL = re.compile(r"[,;，；、\s]\s*[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_SEVERAL_FILES = re.compile(
    r"\.(?:jpe?g|png|webp|bmp|tiff?|gif|hei[cf]|svg|mp4|m4v|mov|avi|webm|mkv|flv|mp3|wav|aac|m4a|flac|ogg)"
    r"\s*[,;，；、]\s*\S",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[|｜\n]")
_QUOTED = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")
_TRUE = frozenset({"true", "yes", "y", "on", "1", "1.0", "是"})
_FALSE = frozenset({"false", "no", "n", "off", "0", "0.0", "否"})
_ORIENTATIONS = {"landscape": "landscape", "横屏": "landscape", "portrait": "portrait", "竖屏": "portrait"}

_REVIEWS = {"asset": "asset", "素材": "asset", "portrait": "portrait", "真人": "portrait"}


def plain(value: Any) -> Any:
    """The cell as a plain value: numpy scalars unwrapped, text stripped, every kind of empty cell as None.

    Text of invisible characters only is empty.

    Raises:
        CellError: The format's reader could not read the cell.
    """
    if isinstance(value, str):
        if "\r" in value:
            # Spreadsheets write the line breaks of their platform; those must not change the row's key.
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        text = str(value).strip()
        return None if is_blank(text) else text
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, UnreadableCell):
        raise CellError(value.problem)
    if isinstance(value, np.generic):
        value = value.item()
    if (isinstance(value, float) and math.isnan(value)) or (isinstance(value, Decimal) and value.is_nan()):
        return None
    return value


def _cell(value: Any, *, trim: bool = True) -> Any:
    """The cell of a field as a plain value, trimmed of invisible characters too.

    Raises:
        CellError: It is not what the user sees: an error of the spreadsheet, or a formula.
    """
    cell = plain(value)
    if not isinstance(cell, str):
        return cell
    text = trimmed(cell)
    if (problem := unreadable_text(text)) is not None:
        raise CellError(problem)
    return text if trim else cell


def prompt(value: Any) -> str | None:
    """A prompt. Only text: a number means that the wrong column was taken, which would waste the whole table.

    Invisible characters stay in it: they join letters and emoji.
    """
    cell = _cell(value, trim=False)
    if cell is None:
        return None
    if not isinstance(cell, str):
        raise CellError(message("cell.not_text", kind=_kind(cell)))
    return _checked(cell, MAX_TEXT)


def name(value: Any) -> str | None:
    """The name of a model."""
    cell = _cell(value)
    if cell is None:
        return None
    if not isinstance(cell, str):
        raise CellError(message("cell.not_text", kind=_kind(cell)))
    return _checked(cell, MAX_NAME)


def provider(value: Any) -> str | None:
    """The name of a provider, in any case."""
    text = name(value)
    return text.lower() if text else None


def route_expression(value: Any) -> tuple[str, ...] | None:
    """The routes that a row names, in order, or `cheapest`; see `routes.route_expression`."""
    cell = _cell(value)
    if isinstance(cell, np.ndarray) and cell.ndim == 1:
        cell = cell.tolist()
    if cell is None:
        return None
    if not isinstance(cell, str | list | tuple):
        raise CellError(message("cell.not_routes", kind=_kind(cell)))
    for part in [cell] if isinstance(cell, str) else cell:
        _checked(part if isinstance(part, str) else "", 20 * MAX_NAME)
    try:
        return parse_route_expression(cell)
    except ValueError as error:
        raise CellError(*error.args) from None


def row_id(value: Any) -> str | None:
    """The id that a user gave to a row, as the text of its row key.

    Numbers lose the `.0` that DataFrames and spreadsheets add; text is NFC-normalised.
    """
    cell = _cell(value)
    if cell is None:
        return None
    if type(cell) is str and cell.isascii() and "." not in cell and cell.isprintable():
        return _checked(cell, MAX_NAME)  # the common case: nothing to normalise
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal | dt.date | uuid.UUID):
        raise CellError(message("cell.not_id", kind=_kind(cell)))
    text = unicodedata.normalize("NFC", str(cell))
    if integral := _INTEGRAL_FLOAT.fullmatch(text):
        text = integral[1]
    if not text.isprintable():
        raise CellError(message("cell.not_one_line"))
    return _checked(text, MAX_NAME)


def duration(value: Any) -> int | None:
    """Whole seconds: `5`, `5.0`, either as text, with a unit as in `5s` and `5秒`, or as a clock shows them, `0:05`."""
    cell = _cell(value)
    if cell is None:
        return None
    if isinstance(cell, dt.time):
        cell = dt.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    if isinstance(cell, dt.timedelta) and dt.timedelta() < cell < dt.timedelta(minutes=1) and not cell.microseconds:
        return cell.seconds  # from a minute on, it may be minutes that a spreadsheet took for hours
    if not isinstance(cell, bool) and isinstance(cell, str | int | float | Decimal):
        text = unicodedata.normalize("NFKC", str(cell)[:64]).lower()
        if whole := _SECONDS.fullmatch(text):
            return int(whole[1])
        if clock := _CLOCK.fullmatch(text):
            return 60 * int(clock[1]) + int(clock[2])
    raise CellError(message("cell.not_seconds"))


def resolution(value: Any) -> str | None:
    """A resolution: `720p`, `720P`, `720` and `720p HD` are the same."""
    cell = _cell(value)
    if cell is None:
        return None
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
        raise CellError(message("cell.not_resolution", kind=_kind(cell)))
    text = unicodedata.normalize("NFKC", _checked(str(cell), MAX_NAME)).lower().replace(" ", "")
    text = unicodedata.normalize("NFC", text)  # without the spaces, a letter and an accent may be adjacent
    if _LINES.fullmatch(bare := _QUALITY_WORD.sub("", text, count=1).strip("()")):
        text = bare
    return f"{text.partition('.')[0]}p" if _WHOLE.fullmatch(text) else text


def ratio(value: Any) -> str | None:
    """A ratio: `16:9` in any spelling, also as the time of day that spreadsheets make of it; or a word."""
    cell = _cell(value)
    if isinstance(cell, dt.timedelta):
        minutes, rest = divmod(cell, dt.timedelta(minutes=1))
        cell = f"{minutes // 60}:{minutes % 60}" if not rest else cell
    if isinstance(cell, dt.time):
        cell = cell.isoformat()
    if isinstance(cell, dt.date):
        raise CellError(message("cell.is_date"))
    if cell is None:
        return None
    if isinstance(cell, str):
        text = unicodedata.normalize("NFKC", cell[:64]).lower()
        if sides := _RATIO.fullmatch(text):
            return f"{int(sides[1])}:{int(sides[2])}"
        if _RATIO_WORD.fullmatch(text):
            return text
    raise CellError(message("cell.not_ratio"))


def orientation(value: Any) -> str | None:
    """Landscape or portrait, in any case."""
    cell = _cell(value)
    if cell is None:
        return None
    word = _ORIENTATIONS.get(cell.lower()) if isinstance(cell, str) else None
    if word is None:
        raise CellError(message("cell.not_orientation"))
    return word


def review(value: Any) -> str | None:
    """The review for a row's media, in any case."""
    cell = _cell(value)
    if cell is None:
        return None
    word = _REVIEWS.get(cell.lower()) if isinstance(cell, str) else None
    if word is None:
        raise CellError(message("cell.not_review"))
    return word


def switch(value: Any) -> bool | None:
    """A boolean: true/false, yes/no, y/n, on/off, 1/0, 是/否."""
    cell = _cell(value)
    if cell is None:
        return None
    if isinstance(cell, str | int | float):  # True and False are ints
        word = unicodedata.normalize("NFKC", str(cell)[:64]).lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    raise CellError(message("cell.not_switch"))


def references(value: Any) -> tuple[str, ...] | None:
    """Media: a list, a JSON array, or text with parts separated by `|` or line breaks.

    Each part is a URL, an `asset://` id, a data URI, a path or an object store's address; `routes` distinguishes them.
    """
    cell = _cell(value)
    if cell is None:
        return None
    if isinstance(cell, str):
        parts: Any = _parts(cell)
    elif isinstance(cell, list | tuple):
        parts = cell
    elif isinstance(cell, np.ndarray) and cell.ndim == 1:
        parts = cell.tolist()
    elif isinstance(cell, os.PathLike):
        parts = [cell]
    else:
        raise CellError(message("cell.not_media", kind=_kind(cell)))
    return tuple(_reference(part) for part in parts if plain(part) is not None) or None


def former_reading(field: str, text: str) -> Any:
    """A prompt or media as versions before 0.3 read them: stripped of spaces only, so that invisible text stayed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if field == "prompt":
        return text or None
    parts = tuple(part.strip() for part in map(str, _parts(text)) if part.strip())
    return (parts or None) if COLUMNS[field].reader == "references" else (parts[0] if parts else None)


def reference(value: Any) -> str | None:
    """One medium, also as a list of one."""
    found = references(value)
    if found and len(found) > 1:
        raise CellError(message("cell.too_many_media", count=len(found)))
    return found[0] if found else None


def _parts(text: str) -> list[Any]:
    if not text.startswith("["):
        parts = [text] if text.startswith("data:") and "|" not in text else _SEPARATOR.split(text)
        for part in parts:
            if part.startswith("data:"):
                continue
            if _SEVERAL.search(part.strip()) or ("://" not in part and _SEVERAL_FILES.search(part)):
                raise CellError(message("cell.undivided_media"))
        return list(parts)
    try:
        found = json.loads(text)
    except ValueError:
        # `DataFrame.to_csv` writes a list or an array with Python's quotes, with or without commas.
        if not text.endswith("]") or _QUOTED.sub("", text[1:-1]).strip(", \n"):
            raise CellError(message("cell.broken_list")) from None
        return [single or double for single, double in _QUOTED.findall(text)]
    except RecursionError:
        raise CellError(message("cell.nested_list")) from None
    return list(found)


def _reference(part: Any) -> str:
    text = _cell(os.fspath(part)) if isinstance(part, os.PathLike) else _cell(part)
    if not isinstance(text, str):
        raise CellError(message("cell.not_media_part", kind=_kind(text)))
    return _checked(text, MAX_MEDIA)


def _checked(text: str, limit: int) -> str:
    if len(text) > limit:
        raise CellError(message("cell.too_long", length=len(text), limit=limit))
    if _UNUSABLE.search(text):
        raise CellError(message("cell.unusable_character"))
    return text


def filled(value: Any) -> bool:
    """Whether a cell is not empty."""
    if type(value) is str:
        return not is_blank(value)
    return isinstance(value, UnreadableCell) or plain(value) is not None


def _kind(value: Any) -> Message:
    if isinstance(value, bool):
        return message("value.boolean")
    if isinstance(value, int | float | Decimal):
        return message("value.number")
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return message("value.time")
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return message("value.list")
    if isinstance(value, Mapping):
        return message("value.object")
    return message("value.other", type=type(value).__name__)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    reader.__name__: reader
    for reader in (prompt, duration, resolution, ratio, orientation, reference, references, switch)
}
"""The parsers that `Column.reader` names."""

PARSERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "id": row_id,
        "route": route_expression,
        "model": name,
        "provider": provider,
        **{name: _READERS[column.reader] for name, column in COLUMNS.items()},
        "media_review": review,
    }
)
"""The parser of each known column."""
