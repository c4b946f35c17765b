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
from prefect_seedance.ledger import State
from prefect_seedance.media import Shelf, open_shelf, slug
from prefect_seedance.reports.result import INVALID, LEFT_OUT, GenerateResult
from prefect_seedance.reports.sheet import cards_of, contact_sheet

__all__ = ["SHEET", "write_files"]

SHEET = "contact-sheet.html"

SHEET_ROWS = 5000
"""Rows that one contact sheet shows: no browser opens the page of a hundred thousand, nor does anybody look at them."""


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
    shown = _shown_keys(result)
    places = [place for place, row in enumerate(result.rows) if row.row in shown]
    own = result.frame.iloc[places].itertuples(index=False, name=None)
    headings = [str(name) for name in result.frame.columns]
    columns = {
        row.row: {name: str(cell) for name, cell in zip(headings, cells, strict=True) if not _missing(cell)}
        for row, cells in zip([result.rows[place] for place in places], own, strict=True)
    }
    records = [record for record in result.history if record.key in shown]
    ids = {record.id for record in records}
    invalid = {row.row: row.error_message or "" for row in result.rows if row.status == INVALID and row.row in shown}
    cards = cards_of(
        records,
        [attempt for attempt in result.attempts if attempt.row_id in ids],
        folder=result.folder,
        columns=columns,
        invalid=invalid,
        take=result.take,
    )
    folder = result.folder if isinstance(result.folder, Path) else None
    warnings = [*result.warnings, *_left_off(result, len(shown))]
    page = contact_sheet(result.batch, cards, folder=folder, costs=result.costs_to_date, warnings=warnings)
    _put(result, shelf, "sheet", SHEET, page.encode())


def _shown_keys(result: GenerateResult) -> set[str]:
    """The rows on the sheet: all of them, or of very many those first that somebody has to look at."""
    statuses = {record.key: record.state.value for record in result.history} | {
        row.row: row.status for row in result.rows if row.status != LEFT_OUT
    }
    calm = {State.STORED, State.PLANNED}
    return set(sorted(statuses, key=lambda key: statuses[key] in calm)[:SHEET_ROWS])


def _left_off(result: GenerateResult, shown: int) -> list[str]:
    known = {record.key for record in result.history} | {row.row for row in result.chosen}
    if len(known) == shown:
        return []
    told = (
        f"This page shows {shown:,} of {len(known):,} rows, those first that are neither stored nor waiting; the "
        "costs are those of all rows. The results file beside it holds every row."
    )
    return [told]


def _uniform(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with one type for each column, as Parquet wants it: what is mixed becomes text."""
    plain = frame.copy(deep=False)
    plain.columns = [f"{name}.{number}" if number else str(name) for name, number in _numbered(frame)]
    for name in plain.columns:
        cells = plain[name]
        kinds = _kinds(cells.tolist()) if cells.dtype == object else set()
        if len(kinds) > 1 or not kinds <= {str, bool, int, float, Decimal, datetime}:
            plain[name] = [None if _missing(cell) else str(cell) for cell in cells]
    return plain


def _kinds(cells: list[object]) -> set[type]:
    kinds = set(map(type, cells))
    # Only a number may be missing by its value; all other cells need no look.
    if float in kinds and all(_missing(cell) for cell in cells if isinstance(cell, float)):
        kinds.discard(float)
    return kinds - {type(None), type(pd.NA)}


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
