"""Grids of cells: finds the row of headings, and makes a DataFrame of the rows below it.

Text files and workbooks are such grids. What a person sees as no part of the table is left out: titles above the
headings, empty rows and columns, and checkboxes that were dragged down below the last row.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import pandas as pd

from prefect_seedance.messages import Message, message
from prefect_seedance.tables.cells import filled
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.headings import field_of
from prefect_seedance.tables.unreadable import UnreadableCell

__all__ = ["GridRow", "Read", "field_names", "headed"]

Read = tuple[pd.DataFrame, Sequence[int], tuple[Message, ...]]
"""A table as a format's reader returns it: its frame, the line of each row as the user sees it, and warnings."""

GridRow = tuple[int, Sequence[Any]]
"""The number of a row as the user sees it, from 1, and its cells. Rows may have different lengths."""

_SEARCHED = 20
"""Rows, not counting empty ones, among which the headings are looked for."""
_LISTED = 10
_DATA = re.compile(r"[+-]?\d[\d.,]*|\d+:\d+|\d{3,4}p|[a-z][a-z0-9+.-]*://.*", re.IGNORECASE | re.DOTALL)


def headed(
    rows: Iterable[GridRow],
    name: str,
    *,
    chosen: Collection[str] = (),
    empty: Any = None,
    bounded: bool = False,
) -> Read:
    """Make a DataFrame of the rows below the headings. Its columns hold the cells as they are, with dtype object.

    Args:
        rows: All rows from the top, in order. They are taken one by one; empty ones are left out.
        name: The table's name, for messages.
        chosen: Headings that the user named as those of fields.
        empty: What stands where a row has no cell.
        bounded: Whether a row with filled cells beyond the headings is refused, because a separator may be part of its
            text. Otherwise these cells are columns without a heading.

    Raises:
        TableError: It is empty, has no headings, or has them twice.
    """
    found = ((line, cells) for line, cells in rows if any(map(filled, cells)))
    first = list(islice(found, _SEARCHED))
    if not first:
        raise table_error(name, [message("table.empty")])
    place = _headings(first, name, chosen)
    warnings = [_rows_above(first[: place + 1])] if place else []
    line, titles = first[place]
    columns, lines, short = _columns(chain(first[place + 1 :], found), name, line, titles, empty, bounded=bounded)
    names, used = _names(titles, columns)
    frame = pd.DataFrame({number: pd.Series(columns[number], dtype=object) for number in used})
    frame.columns = pd.Index(names, dtype=object)
    frame.index = pd.RangeIndex(len(lines))
    if nameless := [number + 1 for number in used if not _title(titles, number) and not _counts(columns[number])]:
        warnings.append(message("table.nameless_columns", columns=nameless))
    if short:
        warnings.append(message("table.short_rows", lines=_some(short)))
    return frame, lines, tuple(warnings)


def field_names(cells: Iterable[Any], chosen: Collection[str] = ()) -> set[str]:
    """The fields that the cells of a row would name if they were headings. Each of the `chosen` is one of its own."""
    # A cell of a merged region shows a text of the row above.
    texts = [str(cell).strip() for cell in cells if isinstance(cell, str | UnreadableCell) and len(str(cell)) < 200]
    named = {field for text in texts if (field := field_of(text)) is not None}
    return named | {text for text in texts if text in chosen}


def _headings(first: Sequence[GridRow], name: str, chosen: Collection[str]) -> int:
    """The place of the headings: the row that names most fields; the first one where none does."""
    fields = [field_names(cells, chosen) for _, cells in first]
    whole = [len(named) == sum(map(filled, cells)) for named, (_, cells) in zip(fields, first, strict=True)]
    # A lone word of a row, such as the prompt "text", is no heading.
    sure = [
        bool(named) and (place == 0 or len(named) > 1 or full)
        for place, (named, full) in enumerate(zip(fields, whole, strict=True))
    ]
    best = max(range(len(first)), key=lambda place: len(fields[place]) if sure[place] else 0)
    if not sure[best]:
        _require_words(first[0], name)
        return 0
    for place in range(best + 1, len(first)):
        if whole[place] and sure[place] and fields[place] & fields[best]:
            raise table_error(name, [message("table.two_headings", first=first[best][0], second=first[place][0])])
    return best


def _require_words(row: GridRow, name: str) -> None:
    line, cells = row
    texts = [str(cell).strip() for cell in cells if filled(cell)]
    if texts == [str(number) for number in range(len(texts))]:
        return  # pandas numbers the columns of a frame without headings
    data = next((text for text in texts if _DATA.fullmatch(text[:200])), None)
    if data is not None:
        raise table_error(name, [message("table.no_headings", line=line, cell=shown(data))])


def _rows_above(rows: Sequence[GridRow]) -> Message:
    above = [" ".join(str(cell).strip() for cell in cells if filled(cell)) for _, cells in rows[:-1]]
    return message("table.headings_below", line=rows[-1][0], above=[shown(text) for text in above])


def _columns(
    rows: Iterable[GridRow], name: str, line: int, titles: Sequence[Any], empty: Any, *, bounded: bool
) -> tuple[list[list[Any]], list[int], list[int]]:
    """The cells by column, the line of each row, and the lines of those rows that end before the last heading."""
    width = _width(titles)
    headings = list(titles[:width])
    columns: list[list[Any]] = [[] for _ in range(width)]
    lines: list[int] = []
    short: list[int] = []
    real = 0
    for number, given in rows:
        size = len(given)
        cells = given if size <= width else given[: max(width, _width(given))]
        if len(cells) > width and bounded:
            raise table_error(name, [message("table.ragged", line=number, cells=len(cells), expected=width)])
        if headings == list(cells[:width]):
            raise table_error(name, [message("table.two_headings", first=line, second=number)])
        if bounded and size < width:
            short.append(number)
        while len(columns) < len(cells):
            columns.append([empty] * len(lines))
        for cell, column in zip(_padded(cells, len(columns), empty), columns, strict=True):
            column.append(cell)
        lines.append(number)
        if not _only_false(cells):
            real = len(lines)
    for column in columns:
        del column[real:]
    short = [number for number in short if number in set(lines[:real])]
    return columns, lines[:real], short


def _padded(cells: Sequence[Any], width: int, empty: Any) -> Iterator[Any]:
    return chain(cells, [empty] * (width - len(cells)))


def _width(cells: Sequence[Any]) -> int:
    """The number of cells up to the last filled one."""
    return next((number for number in range(len(cells), 0, -1) if filled(cells[number - 1])), 0)


def _only_false(cells: Sequence[Any]) -> bool:
    """Whether a row holds nothing but unchecked boxes."""
    return all(
        cell is False or (isinstance(cell, str) and cell.strip().lower() == "false") for cell in cells if filled(cell)
    )


def _names(titles: Sequence[Any], columns: Sequence[Sequence[Any]]) -> tuple[list[str], list[int]]:
    """The name of each column that is kept, and its place. Empty columns without a heading are left out."""
    used = [number for number, cells in enumerate(columns) if _title(titles, number) or any(map(filled, cells))]
    return [_title(titles, number) or f"Unnamed: {number}" for number in used], used


def _title(titles: Sequence[Any], number: int) -> str:
    return str(titles[number]).strip() if number < len(titles) and filled(titles[number]) else ""


def _counts(cells: Sequence[Any]) -> bool:
    """Whether a column counts the rows: a DataFrame writes its index without a heading."""
    return all(str(cell).strip().isdecimal() for cell in cells)


def _some(lines: Sequence[int]) -> Sequence[int] | Message:
    more = len(lines) - _LISTED
    return message("table.more_lines", lines=list(lines[:_LISTED]), more=more) if more > 0 else lines
