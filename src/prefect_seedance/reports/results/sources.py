"""Whether result files are still those of this answer: then a run over a batch that is through need not write them.

Beside the files lies a note: a digest of all that they were made of, and the size and time (or the store's tag) of
each. Where the answer is another one, or a file is gone or was touched, they are written again.
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
    """A digest of all that the results are made of; None where a cell is of a kind that cannot be digested."""
    frame = result.frame
    try:
        cells = pd.util.hash_pandas_object(frame, index=False, categorize=False).to_numpy().tobytes()
    except (TypeError, ValueError):
        return None
    kinds = [_kinds(frame.iloc[:, place]) for place in range(frame.shape[1])]
    made_of = hashlib.sha256(repr((_version(), list(map(str, frame.columns)), kinds, len(frame))).encode())
    made_of.update(cells)
    made_of.update(result.batch_rows.digest())
    made_of.update(result.rows.order())
    return made_of.hexdigest()


def _version() -> str:
    """Another version of this package may write the same in another way."""
    return importlib.metadata.version("prefect-seedance")


def _kinds(cells: pd.Series[Any]) -> str:
    kinds = sorted({kind.__name__ for kind in map(type, cells.tolist())}) if cells.dtype == object else []
    return f"{cells.dtype} {kinds}"


def up_to_date(storage: Storage, noted: str, made_of: str | None, names: list[str]) -> bool:
    """Whether these files were made of the same, and nobody has touched them since."""
    if made_of is None:
        return False
    try:
        known: Mapping[str, Any] = json.loads(storage.read(noted) or b"{}")
        return known.get("made_of") == made_of and known.get("files") == _stamps(storage, names)
    except (ValueError, AttributeError):
        return False


def note(storage: Storage, noted: str, made_of: str | None, names: list[str]) -> None:
    """Write down what the files were made of, once they are written."""
    if made_of is None:
        return
    try:
        stamps = _stamps(storage, names)
    except ValueError:
        return
    storage.write(noted, json.dumps({"made_of": made_of, "files": stamps}).encode())


def _stamps(storage: Storage, names: list[str]) -> dict[str, Any]:
    stamps = {name: storage.stamp(name) for name in names}
    if any(stamp is None or (stamp.modified_ns is None and stamp.etag is None) for stamp in stamps.values()):
        raise ValueError("a file is not there, or its place does not tell when it was touched")
    return {name: [stamp.bytes, stamp.modified_ns, stamp.etag] for name, stamp in stamps.items() if stamp is not None}
