"""Records of text whose cells are divided by a separator: CSV, TSV and their like, scanned strictly.

A cell in double quotes may contain separators and line breaks. A quotation mark that is not closed, or is closed within
its cell, would join rows or cut text without a trace, so each such place is refused with its line.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import islice

from prefect_seedance.errors import TableError
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.grid import GridRow, field_names
from prefect_seedance.tables.text.swallowed import holds_rows

__all__ = ["SEPARATORS", "layout", "one_line_end", "records"]

SEPARATORS = ",;\t|"
"""What divides cells, the commonest first."""

_QUOTED = re.compile(r' *"([^"]*+(?:""[^"]*+)*+)"')
_SEARCHED = 20


def one_line_end(text: str, name: str) -> str:
    r"""The text with `\n` as its only line end.

    Raises:
        TableError: A lone carriage return stands within a line of a file whose lines end otherwise.
    """
    if "\r" not in text:
        return text
    text = text.replace("\r\n", "\n")
    if "\r" not in text:
        return text
    text = re.sub(r"\r+\n", "\n", text)  # of a program that wrote \r\n as text
    # What stands between quotation marks belongs to cells, and may have other line ends.
    outside = text.split('"')[::2]
    if any("\n" in part for part in outside) and any("\r" in part for part in outside):
        line = text.count("\n", 0, text.index("\r")) + 1
        raise table_error(name, [message("table.lone_return", line=line)])
    return text.replace("\r", "\n")


def records(text: str, separator: str, name: str, *, width: int = 0, above: int = 0) -> Iterator[GridRow]:
    r"""The number of each record, as a spreadsheet counts, and its cells.

    Args:
        text: The text, with `\n` as its only line end.
        separator: One character.
        name: The table's name, for messages.
        width: The number of headings, where it is known: a cell that holds whole rows of this width is refused.
        above: The number of lines above the text.

    Raises:
        TableError: A quotation mark is in the wrong place.
    """
    start, line, number = 0, above + 1, above + 1
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if text.find('"', start, end) < 0:
            yield number, text[start:end].split(separator)
        else:
            cells, end = _quoted(text, start, separator, name, line)
            if breaks := text.count("\n", start, end):
                if holds_rows(text, start, end, separator, width):
                    raise table_error(name, [message("table.swallowed_rows", line=line, last=line + breaks)])
                line += breaks
            yield number, cells
        start, line, number = end + 1, line + 1, number + 1


def _quoted(text: str, record: int, separator: str, name: str, line: int) -> tuple[list[str], int]:
    """The cells of the record that starts there, some of them in quotes, and where it ends."""
    cells, start, match = [], record, _cell(separator).match
    while cell := match(text, start):
        quoted = cell[1]
        cells.append(cell[0] if quoted is None else quoted.replace('""', '"') if '""' in quoted else quoted)
        start = cell.end() + 1
        if text[start - 1 : start] != separator:
            return cells, start - 1
    line += text.count("\n", record, start)
    if misplaced := _QUOTED.match(text, start):
        raise table_error(name, [_text_behind(text, start, misplaced.end(), line)])
    raise table_error(name, [message("table.open_quote", line=line, cell=shown(text[start : start + 200]))])


@cache
def _cell(separator: str) -> re.Pattern[str]:
    """A cell up to the separator or the end of the line; no match where a quotation mark is in the wrong place."""
    end = f"[{re.escape(separator)}\\n]"
    return re.compile(f'{_QUOTED.pattern} *+(?={end}|\\Z)|(?! *")[^{end[1:-1]}]*+')


def _text_behind(text: str, start: int, end: int, line: int) -> Message:
    cell, behind = shown(text[start : min(end, start + 60)]), shown(text[end : end + 40].partition("\n")[0])
    if breaks := text.count("\n", start, end):
        return message("table.text_behind_later", line=line, last=line + breaks, cell=cell, behind=behind)
    return message("table.text_behind", line=line, cell=cell, behind=behind)


def layout(text: str, separators: str, chosen: Collection[str] = ()) -> tuple[str, int, int]:
    """How the text is laid out.

    Args:
        text: The text.
        separators: Those that it may have, the likeliest first.
        chosen: Headings that the user named as those of fields.

    Returns:
        The separator, the number of cells in the row of headings, and how many known fields that row names.
    """
    found = []
    for separator in separators:
        rows: list[Sequence[str]] = []
        with contextlib.suppress(TableError):  # it is told when the table itself is read
            filled = (cells for _, cells in records(text, separator, "") if any(map(str.strip, cells)))
            rows.extend(islice(filled, _SEARCHED))
        named = [len(field_names(cells, chosen)) for cells in rows]
        fields = max(named, default=0)
        width = len(rows[named.index(fields)]) if rows else 0
        # A | often divides references within a cell: it counts as a separator only between known headings.
        found.append((separator, width if fields or separator != "|" else 1, fields))
    return max(found, key=lambda candidate: (candidate[2], candidate[1]))  # the first of equals
