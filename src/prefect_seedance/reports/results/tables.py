"""The results table as files, written piece by piece, so that no second copy of a large result is made."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from prefect_seedance.reports.formulas import as_text
from prefect_seedance.reports.results.result import MONEY, GenerateResult
from prefect_seedance.tables.result_columns import RESULT_COLUMNS
from prefect_seedance.tables.secret_addresses import frame_without_secrets

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FOREIGN_TEXT", "missing", "write_tables"]

FOREIGN_TEXT = frozenset({"refused_before", "job_id", "remarks", "cost_note", "error_code", "error_message"})
"""Our columns with text that comes from a provider, or from the file that it sent."""

PIECE = 5000
"""Rows of one piece."""

LARGEST = 2**63
"""Below this, Parquet has a whole number as such."""

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
"""Excel reads a CSV file as UTF-8 only if it starts with this byte order mark."""


def write_tables(result: GenerateResult, csv: BinaryIO, parquet: BinaryIO | None = None) -> None:
    """Write all rows as CSV, and as Parquet where a file is given for it (needs pyarrow)."""
    csv.write(MARK)
    with contextlib.ExitStack() as stack:
        add = None if parquet is None else _parquet(result, parquet, stack)
        # An empty table has one piece, for its headings.
        for start in range(0, max(len(result.rows), 1), PIECE):
            piece = frame_without_secrets(result.part(start, start + PIECE))
            _shown(piece).to_csv(csv, index=False, header=start == 0, encoding="utf-8")
            if add is not None:
                add(piece)


def _shown(piece: pd.DataFrame) -> pd.DataFrame:
    """The piece for a spreadsheet. The user's own columns and keys stay as they are: they are read again as input."""
    shown = piece.copy(deep=False)
    for column in range(shown.shape[1] - len(RESULT_COLUMNS), shown.shape[1]):
        if RESULT_COLUMNS[column - shown.shape[1]] in FOREIGN_TEXT:
            cells = [as_text(cell) if isinstance(cell, str) else cell for cell in shown.iloc[:, column].tolist()]
            shown.isetitem(column, pd.Series(cells, index=shown.index, dtype="object").array)
    return shown


def _parquet(result: GenerateResult, file: BinaryIO, stack: contextlib.ExitStack) -> Callable[[pd.DataFrame], None]:
    """Open a Parquet file, which `stack` closes. Returns the function that writes one piece."""
    import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
    import pyarrow.parquet as pq  # noqa: PLC0415

    mixed = [column for column in range(result.frame.shape[1]) if _mixed(result.frame.iloc[:, column])]
    schema = _schema(result, mixed)
    empty = pa.Table.from_pandas(_uniform(result.part(0, 0), mixed), schema=schema, preserve_index=False)
    writer = stack.enter_context(pq.ParquetWriter(file, empty.schema))

    def add(piece: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(_uniform(piece, mixed), schema=schema, preserve_index=False)
        writer.write_table(table.replace_schema_metadata(empty.schema.metadata))

    return add


def _schema(result: GenerateResult, mixed: list[int]) -> pa.Schema:
    """The type of each column, from all rows: a single piece may hold no number, or a shorter one."""
    import pyarrow as pa  # noqa: PLC0415

    own = pa.Schema.from_pandas(_uniform(result.frame, mixed), preserve_index=False)
    ours = pa.Schema.from_pandas(_uniform(result.part(0, 0), []), preserve_index=False)
    types = dict(zip(RESULT_COLUMNS, list(ours)[len(own) :], strict=True))
    amounts: dict[str, set[Decimal]] = {name: set() for name in MONEY}
    for row in result.rows.samples:
        for name, found in amounts.items():
            if (value := getattr(row, name)) is not None:
                found.add(value)
    fields = []
    for name, field in types.items():
        if name in amounts:
            kind = pa.array(sorted(amounts[name])).type
        else:
            kind = pa.string() if pa.types.is_null(field.type) else field.type
        fields.append(pa.field(field.name, kind))
    return pa.schema([*own, *fields])


def _uniform(frame: pd.DataFrame, mixed: list[int]) -> pd.DataFrame:
    """The frame with one type for each column, as Parquet needs it: mixed columns become text."""
    plain = frame.copy(deep=False)
    plain.columns = [f"{name}.{number}" if number else str(name) for name, number in _numbered(frame)]
    for column in mixed:
        name = plain.columns[column]
        plain[name] = pd.Series(
            [None if missing(cell) else str(cell) for cell in plain[name]], index=plain.index, dtype="object"
        )
    return plain


def _mixed(cells: pd.Series[Any]) -> bool:
    """Whether a column holds cells of several types, or of one that Parquet does not know."""
    kinds = _kinds(cells.tolist()) if cells.dtype == object else set()
    if kinds == {int} and any(isinstance(cell, int) and not -LARGEST <= cell < LARGEST for cell in cells):
        return True
    return len(kinds) > 1 or not kinds <= {str, bool, int, float, Decimal, datetime}


def _kinds(cells: list[object]) -> set[type]:
    kinds = set(map(type, cells))
    # Only a float can be missing by its value (NaN).
    if float in kinds and all(missing(cell) for cell in cells if isinstance(cell, float)):
        kinds.discard(float)
    return kinds - {type(None), type(pd.NA)}


def _numbered(frame: pd.DataFrame) -> list[tuple[object, int]]:
    seen: Counter[str] = Counter()
    numbered: list[tuple[object, int]] = []
    for name in frame.columns:
        numbered.append((name, seen[str(name)]))
        seen[str(name)] += 1
    return numbered


def missing(value: object) -> bool:
    """Whether a cell is empty."""
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
