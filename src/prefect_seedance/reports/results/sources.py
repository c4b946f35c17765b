"""Whether the result files are still current, so that a run over a finished batch need not write them again.

A note next to the files holds a digest of all that they were made of, and the size and time (or the store's ETag) of
each. If the result differs, or a file is missing or was changed, the files are written again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from prefect_seedance.media import Storage
from prefect_seedance.reports.results.result import GenerateResult

__all__ = ["digest", "note", "up_to_date"]


def digest(result: GenerateResult) -> str | None:
    """A digest of all that the results are made of; None where a cell has a type that cannot be hashed."""
    frame = result.frame
    try:
        cells = pd.util.hash_pandas_object(frame, index=False, categorize=False).to_numpy().tobytes()
    except (TypeError, ValueError):
        return None
    kinds = [_kinds(frame.iloc[:, column]) for column in range(frame.shape[1])]
    made_of = hashlib.sha256(repr((_version(), list(map(str, frame.columns)), kinds, len(frame))).encode())
    made_of.update(cells)
    made_of.update(result.batch_rows.digest())
    made_of.update(result.rows.order())
    return made_of.hexdigest()


def _version() -> str:
    """The version of this package, since another one may write the same results differently."""
    return importlib.metadata.version("prefect-seedance")


def _kinds(cells: pd.Series[Any]) -> str:
    kinds = sorted({kind.__name__ for kind in map(type, cells.tolist())}) if cells.dtype == object else []
    return f"{cells.dtype} {kinds}"


def up_to_date(storage: Storage, note_name: str, made_of: str | None, names: list[str]) -> bool:
    """Whether these files were made of the same data, and have not been changed since."""
    if made_of is None:
        return False
    try:
        known: Mapping[str, Any] = json.loads(storage.read(note_name) or b"{}")
        return known.get("made_of") == made_of and known.get("files") == _stamps(storage, names)
    except (ValueError, AttributeError):
        return False


def note(storage: Storage, note_name: str, made_of: str | None, names: list[str]) -> None:
    """Write the note of files that were written: what they were made of, and their stamps."""
    if made_of is None:
        return
    try:
        stamps = _stamps(storage, names)
    except ValueError:
        return
    storage.write(note_name, json.dumps({"made_of": made_of, "files": stamps}).encode())


def _stamps(storage: Storage, names: list[str]) -> dict[str, Any]:
    stamps = {name: storage.stamp(name) for name in names}
    if any(stamp is None or (stamp.modified_ns is None and stamp.etag is None) for stamp in stamps.values()):
        raise ValueError("a file is missing, or the storage does not report when it was changed")
    return {name: [stamp.bytes, stamp.modified_ns, stamp.etag] for name, stamp in stamps.items() if stamp is not None}
