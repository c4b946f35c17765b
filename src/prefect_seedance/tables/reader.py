"""Reads a user's table: its source, its cells, and a key for every row."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from prefect_seedance.core.gc_pause import gc_paused
from prefect_seedance.messages import Message
from prefect_seedance.tables.errors import CellProblem, cells_error, shown
from prefect_seedance.tables.formats import Sheet, read_sheet
from prefect_seedance.tables.headings import match_headings
from prefect_seedance.tables.invisible import trimmed
from prefect_seedance.tables.objects import frame_of
from prefect_seedance.tables.result_columns import without_result_columns
from prefect_seedance.tables.rows import RowReader, TableRow
from prefect_seedance.tables.unreadable import UnreadableCell

_SAMPLE = 200
"""Rows by which the column that may hold the prompts is found."""


class ToPandas(Protocol):
    """A table of another library, such as polars or Arrow."""

    def to_pandas(self) -> pd.DataFrame:
        """The same table as a DataFrame."""


class ToFrame(Protocol):
    """The result of a query in duckdb."""

    def df(self) -> pd.DataFrame:
        """The same table as a DataFrame."""


TableLike = pd.DataFrame | ToPandas | ToFrame | str | os.PathLike[str] | Iterable[Any]
"""Everything that can be read as a table; see `read_table`."""

__all__ = ["Table", "TableLike", "TableRow", "read_table"]


@dataclass(frozen=True)
class Table:
    """A table that was read.

    Attributes:
        rows: The usable rows, in order.
        frame: The user's own rows, columns and index, unchanged. For a DataFrame without result columns it is the same
            object.
        name: The name of the file, or of the kind of source.
        folder: The folder of a local file, else None.
        warnings: What the user should know.
        bad: The problems of each unusable row, by position.
        columns: The user's heading of each field that was found.
    """

    rows: list[TableRow] = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    name: str
    folder: Path | None = None
    warnings: list[Message] = field(default_factory=list)
    bad: dict[int, list[CellProblem]] = field(default_factory=dict, repr=False)
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> list[CellProblem]:
        """All problems of all rows, in the order of the rows."""
        return [problem for position in sorted(self.bad) for problem in self.bad[position]]

    def require_good(self) -> None:
        """Refuse the table if any row cannot be used.

        Raises:
            TableError: It has all problems of all rows.
        """
        if self.bad:
            raise cells_error(self.name, self.problems)

    def summary(self) -> dict[str, Any]:
        """A short description of the table, small enough for flow parameters, whatever the table's size."""
        return {
            "name": self.name,
            "rows": len(self.frame),
            "usable": len(self.rows),
            "unusable": len(self.bad),
            "columns": {name: shown(heading) for name, heading in self.columns.items()},
            "warnings": len(self.warnings),
        }


@gc_paused()
def read_table(
    source: TableLike,
    *,
    columns: Mapping[str, str] | None = None,
    check_location: Callable[[str], None] | None = None,
) -> Table:
    """Read a table of requests.

    Args:
        source: A DataFrame of pandas, polars, Arrow, duckdb or another library with `to_pandas`; rows (mappings, rows
            of a database, named tuples, dataclasses, pydantic models, `VideoRequest`); prompts; columns by heading; or
            the path or URL of a CSV, TSV, JSON, JSON lines, Parquet or Excel file.
        columns: Field to the user's heading, such as `{"prompt": "文案"}`; an empty heading says that the table has no
            such field.
        check_location: Called with each path or URL before it is opened; raises for one that must not be.

    Returns:
        The table. Rows with unreadable cells are in `bad`; `require_good()` raises for them.

    Raises:
        TableError: The table as a whole cannot be used: no file, not a table, no prompt column, a misspelt heading, a
            duplicate id.
    """
    sheet = _sheet(source, check_location, (columns or {}).values())
    frame, keys = without_result_columns(sheet.frame)
    if not len(frame) and not len(frame.columns):
        return Table([], frame, sheet.name, sheet.folder)  # an empty query result has neither rows nor headings
    found = match_headings(
        list(frame.columns),
        columns,
        sheet.name,
        lambda position: frame.iloc[:_SAMPLE, position].astype(object).tolist(),
    )
    cells = {name: frame.iloc[:, position].astype(object).tolist() for name, position in found.positions.items()}
    titles = {name: str(frame.columns[position]) for name, position in found.positions.items()}
    if "id" not in cells and "id" not in (columns or {}) and str(frame.index.name).strip().lower() == "id":
        # An index named id becomes a column of that name when the table is written to a file.
        cells["id"], titles["id"] = frame.index.astype(object).tolist(), str(frame.index.name)
    read_as = found.read_as
    if keys is not None and (read_as & {"id"} or "id" not in cells):
        # The keys of an earlier result come before a column that only resembles an id.
        cells["id"], titles["id"], read_as = keys, "row", read_as - {"id"}
    reader = RowReader(sheet, cells, titles, read_as)
    rows, bad = reader.rows()
    warnings = [*sheet.warnings, *found.warnings, *reader.warnings()]
    return Table(rows, _with_texts(frame), sheet.name, sheet.folder, warnings, bad, titles)


def _with_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame, where unreadable cells are their texts: those of the user's own columns go into the results."""
    changed: dict[int, list[Any]] = {}
    for position, kind in enumerate(frame.dtypes):
        cells = frame.iloc[:, position].tolist() if pd.api.types.is_object_dtype(kind) else ()
        if any(type(cell) is UnreadableCell for cell in cells):
            changed[position] = [str(cell) if isinstance(cell, UnreadableCell) else cell for cell in cells]
    if changed:
        frame = frame.copy(deep=False)
        for position, column in changed.items():
            frame.isetitem(position, column)
    return frame


def _sheet(source: TableLike, check_location: Callable[[str], None] | None, chosen: Iterable[str]) -> Sheet:
    if isinstance(source, str | os.PathLike):
        headings = {heading for title in chosen if (heading := trimmed(str(title)))}
        return read_sheet(source if isinstance(source, str) else Path(source), check_location, headings)
    frame, name = frame_of(source)
    return Sheet(frame, range(1, len(frame) + 1), name)
