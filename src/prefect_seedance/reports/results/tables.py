"""The results table as files, written piece by piece: of a large answer no second copy is ever made."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd

from prefect_seedance.reports.results.result import MONEY, GenerateResult
from prefect_seedance.tables.result_columns import RESULT_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["missing", "write_tables"]

PIECE = 5000
"""Rows that are laid out at once."""

MARK = "\N{ZERO WIDTH NO-BREAK SPACE}".encode()
"""Excel takes a CSV file for UTF-8 only if it starts with this mark, and would garble Chinese without it."""


def write_tables(result: GenerateResult, csv: BinaryIO, parquet: BinaryIO | None = None) -> None:
    """Write all rows as CSV, and as Parquet where there is a file for it (which needs pyarrow)."""
    csv.write(MARK)
    with contextlib.ExitStack() as stack:
        add = None if parquet is None else _parquet(result, parquet, stack)
        # An empty table has a piece, too: its headings.
        for start in range(0, max(len(result.rows), 1), PIECE):
            piece = result.part(start, start + PIECE)
            piece.to_csv(csv, index=False, header=start == 0, encoding="utf-8")
            if add is not None:
                add(piece)


def _parquet(result: GenerateResult, file: BinaryIO, stack: contextlib.ExitStack) -> Callable[[pd.DataFrame], None]:
    """Begin a Parquet file, which ends with `stack`; what is returned writes one piece of it."""
    import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
    import pyarrow.parquet as pq  # noqa: PLC0415

    mixed = [place for place in range(result.frame.shape[1]) if _mixed(result.frame.iloc[:, place])]
    schema = _schema(result, mixed)
    empty = pa.Table.from_pandas(_uniform(result.part(0, 0), mixed), schema=schema, preserve_index=False)
    writer = stack.enter_context(pq.ParquetWriter(file, empty.schema))

    def add(piece: pd.DataFrame) -> None:
        table = pa.Table.from_pandas(_uniform(piece, mixed), schema=schema, preserve_index=False)
        writer.write_table(table.replace_schema_metadata(empty.schema.metadata))

    return add


def _schema(result: GenerateResult, mixed: list[int]) -> pa.Schema:
    """The type of each column, over all rows: a piece alone may hold no number, or a shorter one."""
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
    """The frame with one type for each column, as Parquet wants it: what is mixed becomes text."""
    plain = frame.copy(deep=False)
    plain.columns = [f"{name}.{number}" if number else str(name) for name, number in _numbered(frame)]
    for place in mixed:
        name = plain.columns[place]
        plain[name] = pd.Series(
            [None if missing(cell) else str(cell) for cell in plain[name]], index=plain.index, dtype="object"
        )
    return plain


def _mixed(cells: pd.Series[Any]) -> bool:
    """Whether a column holds cells of several types, or of one that Parquet does not know."""
    kinds = _kinds(cells.tolist()) if cells.dtype == object else set()
    return len(kinds) > 1 or not kinds <= {str, bool, int, float, Decimal, datetime}


def _kinds(cells: list[object]) -> set[type]:
    kinds = set(map(type, cells))
    # Only a number may be missing by its value; all other cells need no look.
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
