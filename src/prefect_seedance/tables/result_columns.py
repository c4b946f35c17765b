"""A result that is given back as a table: people filter an answer and run it again, and nothing may be paid twice."""

from __future__ import annotations

import pandas as pd

__all__ = ["PREFIX", "RESULT_COLUMNS", "without_answer"]

RESULT_COLUMNS: tuple[str, ...] = (
    "row",
    "status",
    "route",
    "provider",
    "account",
    "refused_before",
    "job_id",
    "video",
    "sha256",
    "bytes",
    "width",
    "height",
    "seconds",
    "remarks",
    "billing_model",
    "unit",
    "units",
    "unit_price",
    "cost",
    "currency",
    "cost_note",
    "attempts",
    "planned_at",
    "sent_at",
    "finished_at",
    "stored_at",
    "link_expires_at",
    "error_code",
    "error_message",
)
"""The columns that a result puts behind the user's own."""

_LATER = frozenset({"refused_before"})
"""Columns that answers of earlier versions do not have."""

PREFIX = "seedance_"
"""Before a result's column where the user has one of that name."""


def without_answer(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[object] | None]:
    """A table without the columns of an earlier answer, and the row keys that stood there; None where it had none."""
    names = {str(name): name for name in frame.columns}
    ours = {name: names.get(PREFIX + name, names.get(name)) for name in RESULT_COLUMNS}
    if any(place is None and name not in _LATER for name, place in ours.items()):
        return frame, None
    keys = frame[ours[RESULT_COLUMNS[0]]].astype(object).tolist()
    return frame.drop(columns=[place for place in ours.values() if place is not None]), keys
