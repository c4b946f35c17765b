"""The files of a batch beside its videos: `results.csv`, `results.parquet` with pyarrow, and the contact sheet."""

from __future__ import annotations

import importlib.util
import io
import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from prefect_seedance.errors import SeedanceError, UserMistake
from prefect_seedance.media import Shelf, open_shelf, slug
from prefect_seedance.reports.result import INVALID, GenerateResult
from prefect_seedance.reports.sheet import cards_of, contact_sheet

__all__ = ["SHEET", "write_files"]

SHEET = "contact-sheet.html"


def write_files(result: GenerateResult) -> None:
    """Write the result files into the batch's folder, each whole or not at all, and note them in `result.files`.

    Raises:
        UserMistake: The folder cannot be written. The videos and the ledger are not touched by that.
    """
    frame = result.to_dataframe()
    shelf = open_shelf(result.folder)
    # Excel takes a CSV file for UTF-8 only if it starts with this mark, and would garble Chinese without it.
    _write(result, shelf, "csv", lambda file: frame.to_csv(file, index=False, encoding="utf-8-sig"))
    if importlib.util.find_spec("pyarrow") is not None:
        _write(result, shelf, "parquet", lambda file: _uniform(frame).to_parquet(file, index=False))
    _write_sheet(result, shelf)


def _write_sheet(result: GenerateResult, shelf: Shelf) -> None:
    """One page for all takes of the batch, beside the videos."""
    columns = {
        row.row: {
            str(name): str(cell) for name, cell in zip(result.frame.columns, cells, strict=True) if not _missing(cell)
        }
        for row, cells in zip(result.rows, result.frame.itertuples(index=False, name=None), strict=True)
    }
    invalid = {row.row: row.error_message or "" for row in result.rows if row.status == INVALID}
    cards = cards_of(
        result.history, result.attempts, folder=result.folder, columns=columns, invalid=invalid, take=result.take
    )
    folder = result.folder if isinstance(result.folder, Path) else None
    page = contact_sheet(result.batch, cards, folder=folder, costs=result.costs_to_date, warnings=result.warnings)
    _put(result, shelf, "sheet", SHEET, page.encode())


def _uniform(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with one type for each column, as Parquet wants it: what is mixed becomes text."""
    plain = frame.copy(deep=False)
    plain.columns = [f"{name}.{number}" if number else str(name) for name, number in _numbered(frame)]
    for name in plain.columns:
        cells = plain[name]
        kinds = {type(cell) for cell in cells if not _missing(cell)} if cells.dtype == object else set()
        if len(kinds) > 1 or not kinds <= {str, bool, int, float, Decimal, datetime}:
            plain[name] = [None if _missing(cell) else str(cell) for cell in cells]
    return plain


def _numbered(frame: pd.DataFrame) -> list[tuple[object, int]]:
    seen: Counter[str] = Counter()
    numbered: list[tuple[object, int]] = []
    for name in frame.columns:
        numbered.append((name, seen[str(name)]))
        seen[str(name)] += 1
    return numbered


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _write(result: GenerateResult, shelf: Shelf, kind: str, write: Callable[[BinaryIO], object]) -> None:
    suffix = "" if result.take == "1" else f".take-{slug(result.take)}"
    content = io.BytesIO()
    write(content)
    _put(result, shelf, kind, f"results{suffix}.{kind}", content.getvalue())


def _put(result: GenerateResult, shelf: Shelf, kind: str, name: str, content: bytes) -> None:
    try:
        shelf.write(name, content)
    except SeedanceError as error:
        raise UserMistake(
            f"{error.message} The videos are stored and the ledger knows them; run the same call again once there is "
            "room, and it only writes the report."
        ) from None
    result.files[kind] = result.folder / name if isinstance(result.folder, Path) else shelf.address(name)
