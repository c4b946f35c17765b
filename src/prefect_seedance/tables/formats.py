"""The formats of a table: CSV, TSV, JSON, JSON lines, Parquet and Excel, from bytes to a DataFrame.

The suffix of the name selects the format, unless the content shows another one.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from prefect_seedance.errors import TableError
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.excel import read_excel
from prefect_seedance.tables.grid import GridRow, Read, headed
from prefect_seedance.tables.objects import arrow_frame, frame_of_rows
from prefect_seedance.tables.source import TableSource, fetch

_NO_TABLES = (
    (b"\x1f\x8b", message("table.compressed")),
    (b"\xd0\xcf\x11\xe0", message("table.old_workbook")),
    (b"%PDF", message("table.pdf")),
    (b"\x89PNG", message("table.image")),
    (b"\xff\xd8\xff", message("table.image")),
)
_WEB_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)
_BLANK_LINES = re.compile(r"(?:[ \t]*\r?\n)+")
_RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


@dataclass(frozen=True)
class Sheet:
    """A table as it was read, before its cells are parsed.

    Attributes:
        frame: Its rows and columns; in text formats every cell is text, and an empty one is "".
        lines: The line of each row as the user sees it, from 1.
        name: The file's name.
        folder: The folder of a local file, else None.
        warnings: Warnings about how it was read.
    """

    frame: pd.DataFrame
    lines: Sequence[int]
    name: str
    folder: Path | None = None
    warnings: tuple[Message, ...] = ()


def read_sheet(location: str | Path, check_location: Callable[[str], None] | None = None) -> Sheet:
    """Read a table from a file or an address.

    Args:
        location: The path or URL.
        check_location: Called with each path or URL before it is opened; raises for one that must not be.

    Raises:
        TableError: It cannot be read, is empty, or is not a table.
    """
    source = fetch(location, check_location)
    try:
        frame, lines, warnings = _FORMATS[_format(source)](source)
    except TableError:
        raise
    except ImportError as error:
        raise table_error(source.name, [message("table.missing_package", extra="parquet")]) from error
    except Exception as error:
        # Third-party readers raise arbitrary exceptions for broken files.
        reason = message("table.unreadable", error=type(error).__name__, reason=shown(error))
        raise table_error(source.name, [reason]) from error
    if (pyarrow := sys.modules.get("pyarrow")) is not None:
        # pyarrow keeps freed memory: after a large file, more than the table itself takes.
        pyarrow.default_memory_pool().release_unused()
    return Sheet(frame, lines, source.name, source.folder, warnings)


def _format(source: TableSource) -> str:
    data = source.data
    for wrong, reason in (
        (not data.strip(), message("table.empty")),
        (_WEB_PAGE.match(data), message("table.web_page")),
        *((data.startswith(mark), reason) for mark, reason in _NO_TABLES),
    ):
        if wrong:
            raise table_error(source.name, [reason])
    if data.startswith(b"PAR1"):
        return "parquet"
    if data.startswith(b"PK\x03\x04"):
        return "xlsx"
    if source.suffix in {".parquet", ".pq", ".xlsx", ".xlsm"}:
        raise table_error(source.name, [message("table.other_format", suffix=source.suffix)])
    return _text_format(source)


def _text_format(source: TableSource) -> str:
    if source.suffix in {".jsonl", ".ndjson"}:
        return "jsonl"
    if source.data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"[", b"{"}:
        if _is_json(source.data):
            return "json"
        if _is_json(source.data.strip().splitlines()[0]):
            return "jsonl"
    return "json" if source.suffix == ".json" else "csv"


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return True


def _csv(source: TableSource) -> Read:
    text, warnings = _decoded(source)
    blank = _BLANK_LINES.match(text)
    text = text[blank.end() :] if blank else text  # pandas takes the width of the table from a blank first line
    separator = _separator(text, source.suffix)
    content = text.encode()
    # Do not hold a large table twice. A StringIO would take four bytes per character.
    lines = io.BytesIO(source.data if content == source.data else content)
    del text, content
    try:
        grid = pd.read_csv(
            lines,
            sep=separator,
            # Read without headings: pandas would rename duplicates and take a surplus cell as an index.
            header=None,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skip_blank_lines=False,
        )
    except pd.errors.ParserError as error:
        ragged = _RAGGED.search(str(error))
        if ragged is None:
            if "EOF inside" in str(error):
                raise table_error(source.name, [message("table.open_quote")]) from error
            raise table_error(source.name, [message("table.unreadable_csv", reason=shown(error))]) from error
        expected, line, cells = ragged.groups()
        reason = message("table.ragged", line=line, cells=cells, expected=expected)
        raise table_error(source.name, [reason]) from error
    above = blank[0].count("\n") if blank else 0
    frame, numbers, more = headed(_grid_rows(grid, above), source.name, empty="", bounded=True)
    return frame, numbers, (*warnings, *more)


def _grid_rows(grid: pd.DataFrame, above: int = 0) -> Iterable[GridRow]:
    columns = [grid[place].astype(object).tolist() for place in grid.columns]
    return enumerate(zip(*columns, strict=True), start=above + 1)


def _decoded(source: TableSource) -> tuple[str, tuple[Message, ...]]:
    data = source.data
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16"), ()
    if b"\x00" in data[:4096]:
        raise table_error(source.name, [message("table.binary")])
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    strange = [letter for letter in text if ord(letter) > 127][:5000]
    common = sum(1 for letter in strange if letter.encode("gb2312", "ignore"))
    # Nearly any Western text also decodes as GB18030, into rare characters; real Chinese text has common ones.
    if "�" in strange or common * 10 < len(strange) * 9:
        raise table_error(source.name, [message("table.unknown_encoding")])
    sample = "".join(strange[:20])
    return text, (message("table.read_as_chinese", table=source.name, sample=sample),)


def _separator(text: str, suffix: str) -> str:
    if suffix == ".tsv":
        return "\t"
    first = re.sub(r'"[^"]*"', "", next((line for line in text[:100_000].splitlines() if line.strip()), ""))
    # European spreadsheets write CSV with semicolons, and tab-separated files have any suffix.
    return max(",;\t", key=first.count)


def _json(source: TableSource) -> Read:
    found = json.loads(source.data.decode("utf-8-sig"))
    if isinstance(found, Mapping):
        if found and all(isinstance(column, Mapping) for column in found.values()):
            frame = pd.DataFrame(found)  # what `DataFrame.to_json` writes
            return frame, range(1, len(frame) + 1), ()
        lists = [value for value in found.values() if isinstance(value, list)]
        found = lists[0] if len(found) == len(lists) == 1 else [found]
    if not isinstance(found, list):
        raise table_error(source.name, [message("table.not_array")])
    return frame_of_rows(found, source.name), range(1, len(found) + 1), ()


def _jsonl(source: TableSource) -> Read:
    rows, lines = [], []
    for number, line in enumerate(source.data.decode("utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            raise table_error(source.name, [message("table.bad_line", line=number, reason=shown(error))]) from error
        lines.append(number)
    return frame_of_rows(rows, source.name), lines, ()


def _parquet(source: TableSource) -> Read:
    import pyarrow.parquet  # noqa: PLC0415 - an extra, and slow to import

    table = pyarrow.parquet.read_table(io.BytesIO(source.data))
    # Invalid text would otherwise fail only when the results are written, after the videos were paid for.
    table.validate(full=True)
    frame = arrow_frame(table)
    return frame, range(1, len(frame) + 1), ()


_FORMATS: Mapping[str, Callable[[TableSource], Read]] = MappingProxyType(
    {"csv": _csv, "xlsx": read_excel, "json": _json, "jsonl": _jsonl, "parquet": _parquet}
)
