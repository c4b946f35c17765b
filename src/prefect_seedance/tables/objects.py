"""Tables that are Python objects: frames of other libraries, rows of many kinds, columns, and lists of prompts."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import warnings as warning_filters
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from prefect_seedance.errors import TableError
from prefect_seedance.messages import message
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables.errors import shown, table_error

__all__ = ["arrow_frame", "frame_of", "frame_of_rows"]

_ROWS = "list of rows"
_TABLE_FILES = (".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".txt")


def frame_of(source: Any) -> tuple[pd.DataFrame, str]:
    """A DataFrame of an object, and what kind of table it is, for messages.

    It may be a DataFrame (returned as it is) or a Series, an object with `__arrow_c_stream__`, `to_pandas` or `df`
    (Arrow, polars, duckdb), a mapping of columns, or an iterable of rows: see `frame_of_rows`.

    Raises:
        TableError: It is no table, or its rows cannot be read.
    """
    kind = type(source).__name__
    if isinstance(source, pd.DataFrame):
        return source, "DataFrame"
    if isinstance(source, pd.Series):
        return _of_series(source), kind
    try:
        frame = _converted(source)
    except Exception as error:
        reason = message("table.not_converted", error=type(error).__name__, reason=shown(error))
        raise table_error(kind, [reason]) from error
    if frame is not None:
        return frame, kind
    if isinstance(source, Mapping) and source and all(_is_column(cells) for cells in source.values()):
        return _of_columns(source, kind), kind
    if _cells_of(source) is not None:
        raise table_error(kind, [message("table.one_row")])
    if isinstance(source, io.IOBase | bytes | bytearray) or not isinstance(source, Iterable):
        raise table_error(kind, [message("table.wrong_type")])
    return frame_of_rows(_taken(source), _ROWS), _ROWS


def frame_of_rows(rows: Sequence[Any], name: str) -> pd.DataFrame:
    """Make a DataFrame of a list of rows; numbers stay what they are, also beside empty cells.

    Each row is a mapping, an object with `keys()` (a row of a database), a named tuple, a dataclass, a pydantic model,
    a `VideoRequest`, or text, which is a prompt.

    Raises:
        TableError: A row is none of these.
    """
    if rows and all(isinstance(row, str) and row.strip().lower().endswith(_TABLE_FILES) for row in rows):
        raise table_error(name, [message("table.several_files")])
    cells = []
    for number, row in enumerate(rows, start=1):
        found = {"prompt": row} if isinstance(row, str) else _cells_of(row)
        if found is None:
            raise table_error(name, [message("table.bad_row", row=number, type=type(row).__name__)])
        cells.append(found)
    return _typed(pd.DataFrame(cells, dtype=object))


def arrow_frame(table: Any) -> pd.DataFrame:
    """A DataFrame of a `pyarrow.Table`. Whole numbers stay whole where cells are empty."""
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
    return frame


def _converted(source: Any) -> pd.DataFrame | None:
    """The frame of another library as a DataFrame; None where it is none."""
    if isinstance(source, str | bytes | type):
        return None
    if importlib.util.find_spec("pyarrow") is not None:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import

        with contextlib.suppress(pa.ArrowInvalid), warning_filters.catch_warnings():
            warning_filters.simplefilter("ignore")  # duckdb warns of a copy
            if hasattr(source, "__arrow_c_stream__"):
                return arrow_frame(pa.table(source))
            if callable(convert := getattr(source, "to_arrow_table", None)):
                return arrow_frame(convert())
    for name in ("to_pandas", "_to_pandas", "df"):
        if callable(convert := getattr(source, name, None)):
            frame = convert()
            return frame if isinstance(frame, pd.DataFrame) else _of_series(frame)
    return None


def _of_series(series: pd.Series[Any]) -> pd.DataFrame:
    if "prompt" in series.index:
        raise table_error("Series", [message("table.one_row")])
    return series.to_frame("prompt" if series.name is None else series.name)


def _is_column(cells: Any) -> bool:
    return isinstance(cells, list | tuple | np.ndarray | pd.Series)


def _of_columns(columns: Mapping[Any, Any], kind: str) -> pd.DataFrame:
    if len(sizes := {len(cells) for cells in columns.values()}) > 1:
        raise table_error(kind, [message("table.uneven_columns", sizes=sorted(sizes))])
    return _typed(pd.DataFrame({name: pd.Series(list(cells), dtype=object) for name, cells in columns.items()}))


def _cells_of(row: Any) -> dict[Any, Any] | None:
    """The cells of a row by heading; None for what is no row."""
    if isinstance(row, VideoRequest):
        return {"prompt": row.prompt, **{name: value for name, value in row if value not in (None, ())}}
    if isinstance(row, Mapping | BaseModel):
        return dict(row)
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return {each.name: getattr(row, each.name) for each in dataclasses.fields(row)}
    if isinstance(row, tuple) and callable(named := getattr(row, "_asdict", None)):
        return dict(named())
    if not isinstance(row, type) and hasattr(row, "keys") and hasattr(row, "__getitem__"):
        return {key: row[key] for key in row.keys()}  # noqa: SIM118 - not a mapping: iterating gives its values
    return None


def _taken(source: Iterable[Any]) -> list[Any]:
    try:
        rows = list(source)
    except TableError:
        raise
    except Exception as error:
        # The user's own code may run here, and in another thread.
        reason = message("table.not_iterated", error=type(error).__name__, reason=shown(error))
        raise table_error(type(source).__name__, [reason]) from error
    if not rows and isinstance(source, Iterator):
        raise table_error(type(source).__name__, [message("table.spent_iterator")])
    return rows


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with pandas' own types for columns of one type; others stay as they are, whole numbers too."""
    for place in range(frame.shape[1]):
        if len(set(map(type, frame.iloc[:, place]))) == 1:
            frame.isetitem(place, frame.iloc[:, place].infer_objects().array)
    return frame
