"""A result table used as input: people filter a result and run it again, and nothing may be paid twice."""

from __future__ import annotations

import pandas as pd

__all__ = ["PREFIX", "RESULT_COLUMNS", "without_result_columns"]

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
"""The columns that a result adds after the user's own."""

_LATER = frozenset({"refused_before"})
"""Columns that results of earlier versions do not have."""

PREFIX = "seedance_"
"""Prefix of a result's column where the user has one of the same name."""


def without_result_columns(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[object] | None]:
    """The table without the columns of an earlier result, and the row keys of that result; None where it has none."""
    names = {str(name): name for name in frame.columns}
    ours = {name: names.get(PREFIX + name, names.get(name)) for name in RESULT_COLUMNS}
    if any(column is None and name not in _LATER for name, column in ours.items()):
        return frame, None
    keys = frame[ours[RESULT_COLUMNS[0]]].astype(object).tolist()
    return frame.drop(columns=[column for column in ours.values() if column is not None]), keys
