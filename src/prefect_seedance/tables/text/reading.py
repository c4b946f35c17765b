"""Tables in text: decodes the bytes, finds out which format the text has, and reads it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from prefect_seedance.messages import message
from prefect_seedance.tables.errors import table_error
from prefect_seedance.tables.grid import Read, field_names, headed
from prefect_seedance.tables.source import TableSource
from prefect_seedance.tables.text.delimited import SEPARATORS, layout, one_line_end, records
from prefect_seedance.tables.text.encodings import decoded
from prefect_seedance.tables.text.json_rows import is_json, read_json, read_json_lines
from prefect_seedance.tables.text.prompt_list import is_list, read_list
from prefect_seedance.tables.unreadable import UnreadableCell

__all__ = ["read_text"]

_LISTS = frozenset({".txt", ".text", ".md", ".markdown"})
_EXCEL = re.compile(r'"?sep=([^"\n])"?\n', re.IGNORECASE)
_COMMENT = re.compile(r"[ \t]*(?:#[^\n]*)?\n")
_LOST = "\N{REPLACEMENT CHARACTER}"
_NOTHING = ' \t\r\n,;|"'
_MARKDOWN = re.compile(r"\s*\|?(?:\s*:?-{3,}:?\s*\|)+[\s:|-]*")


def read_text(source: TableSource, chosen: Collection[str] = ()) -> Read:
    """Read a table in text: CSV and its like, a list of prompts, JSON, or JSON lines.

    Args:
        source: The table's bytes.
        chosen: Headings that the user named as those of fields.

    Raises:
        TableError: It cannot be read.
    """
    text, warnings = decoded(source.data, source.name)
    frame, lines, more = _read(text, source, chosen)
    if _LOST in text:
        frame = frame.map(_readable)
    return frame, lines, (*warnings, *more)


def _readable(cell: Any) -> Any:
    lost = isinstance(cell, str) and _LOST in cell
    return UnreadableCell(cell, message("cell.lost_character")) if lost else cell


def _read(text: str, source: TableSource, chosen: Collection[str]) -> Read:
    if not text.strip(_NOTHING):
        raise table_error(source.name, [message("table.empty")])
    if source.suffix in {".jsonl", ".ndjson"}:
        return read_json_lines(text, source.name)
    start = text[:4096].lstrip()
    if start[:1] in {"[", "{"}:
        if is_json(text):
            return read_json(text, source.name)
        if is_json(text.lstrip().partition("\n")[0]):
            return read_json_lines(text, source.name)
    if source.suffix == ".json":
        return read_json(text, source.name)
    return _read_lines(one_line_end(text, source.name), source, chosen)


def _read_lines(text: str, source: TableSource, chosen: Collection[str]) -> Read:
    name, listed = source.name, source.suffix in _LISTS
    named = _EXCEL.match(text)
    start = _below_comments(text, named.end() if named else 0, chosen)
    above, body = text.count("\n", 0, start), text[start:]
    if any(_MARKDOWN.fullmatch(line) for line in body[:10_000].split("\n")[:5]):
        raise table_error(name, [message("table.markdown")])
    marks = named[1] if named else "\t,;|" if source.suffix == ".tsv" else SEPARATORS
    separator, width, fields = layout(body, marks, chosen)
    if listed and not named and (width == 1 or (fields < 2 and is_list(body.split("\n")))):
        return read_list(list(enumerate(text.split("\n"), start=1)), name)
    rows = records(body, separator, name, width=width, above=above)
    if width == 1 and not fields:
        return read_list([(number, cells[0]) for number, cells in rows], name)
    return headed(rows, name, chosen=chosen, empty="", bounded=True)


def _below_comments(text: str, start: int, chosen: Collection[str]) -> int:
    """Where the first line stands that is neither empty nor a comment. Headings may start with # too."""
    while line := _COMMENT.match(text, start):
        fields = field_names(re.split(r"[,;\t|]", line[0]), chosen)
        if len(fields) > 1 or "prompt" in fields:
            break
        start = line.end()
    return start
