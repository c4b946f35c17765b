"""Rows of JSON and of JSON lines, with their values as they were written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from prefect_seedance.messages import message
from prefect_seedance.tables.errors import shown, table_error
from prefect_seedance.tables.grid import Read, field_names
from prefect_seedance.tables.objects import frame_of_rows

__all__ = ["is_json", "read_json", "read_json_lines"]


def is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def read_json(text: str, name: str) -> Read:
    """Read an array of objects, one object, or what `DataFrame.to_json` writes.

    Raises:
        TableError: It is another kind of JSON.
        ValueError: It is no JSON.
    """
    found = _parsed(text)
    if isinstance(found, Mapping):
        if found and all(isinstance(column, Mapping) for column in found.values()):
            return _read_columns(found, name)
        lists = [value for value in found.values() if isinstance(value, list)]
        found = lists[0] if len(found) == len(lists) == 1 else [found]
    if not isinstance(found, list):
        raise table_error(name, [message("table.not_array")])
    lines = range(1, len(found) + 1)
    return _frame(found, name, lines), lines, ()


def read_json_lines(text: str, name: str) -> Read:
    r"""Read one object a line; blank lines are left out.

    Raises:
        TableError: A line is no JSON object.
    """
    rows, lines = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            rows.append(_parsed(line))
        except (ValueError, RecursionError) as error:
            raise table_error(name, [message("table.bad_line", line=number, reason=shown(error))]) from error
        lines.append(number)
    return _frame(rows, name, lines), lines, ()


def _frame(rows: Sequence[Any], name: str, lines: Sequence[int]) -> pd.DataFrame:
    for number, row in zip(lines, rows, strict=True):
        if isinstance(row, _Twice):
            raise table_error(name, [message("table.key_twice", row=number, key=shown(row.key))])
        if not isinstance(row, Mapping | str):
            raise table_error(name, [message("table.bad_row", row=number, type=type(row).__name__)])
    return frame_of_rows(rows, name)


def _read_columns(found: Mapping[str, Mapping[str, Any]], name: str) -> Read:
    index = list(dict.fromkeys(place for column in found.values() for place in column))
    if "prompt" in field_names(index):
        raise table_error(name, [message("table.not_array")])  # rows by their names, and not columns
    rows = [{heading: column.get(place) for heading, column in found.items()} for place in index]
    lines = range(1, len(rows) + 1)
    return _frame(rows, name, lines), lines, ()


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object, parse_float=_number)


class _Twice(dict[str, Any]):
    """An object that has a key twice, or holds such an object."""

    key = ""


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    inner = next((value.key for value in found.values() if isinstance(value, _Twice)), None)
    if len(found) == len(pairs) and inner is None:
        return found
    twice = _Twice(found)
    twice.key = inner or Counter(key for key, _ in pairs).most_common(1)[0][0]
    return twice


def _number(text: str) -> float | Decimal:
    """A float, unless it would be another number than the one that was written."""
    number, exact = float(text), Decimal(text)
    return number if Decimal(repr(number)) == exact else exact
