"""The result files of a batch: `results.csv`, and `results.parquet` where pyarrow is installed."""

from __future__ import annotations

import importlib.util
import math
import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pandas as pd

from prefect_seedance.errors import UserMistake
from prefect_seedance.media import slug
from prefect_seedance.reports.result import GenerateResult

__all__ = ["write_files"]


def write_files(result: GenerateResult) -> None:
    """Write the result files into the batch's folder, each whole or not at all, and note them in `result.files`.

    Raises:
        UserMistake: The folder cannot be written. The videos and the ledger are not touched by that.
    """
    frame = result.to_dataframe()
    # Excel takes a CSV file for UTF-8 only if it starts with this mark, and would garble Chinese without it.
    _write(result, "csv", lambda path: frame.to_csv(path, index=False, encoding="utf-8-sig"))
    if importlib.util.find_spec("pyarrow") is not None:
        _write(result, "parquet", lambda path: _uniform(frame).to_parquet(path, index=False))


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


def _write(result: GenerateResult, kind: str, write: Callable[[Path], object]) -> None:
    suffix = "" if result.take == "1" else f".take-{slug(result.take)}"
    target = result.folder / f"results{suffix}.{kind}"
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        write(draft)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserMistake(
            f"{target} cannot be written: {error.strerror or error}. The videos are stored and the ledger knows them; "
            "run the same call again once there is room, and it only writes the report."
        ) from None
    result.files[kind] = target
