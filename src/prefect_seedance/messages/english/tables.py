"""Texts about tables as a whole."""

from __future__ import annotations

TABLES: dict[str, str] = {
    "table.unusable": "Table {table!r} cannot be used:{problems:lines}Nothing was spent.",
    "table.cells": (
        "Table {table!r} has {problems:problem|problems} in {rows:row|rows}:{shown:bullets}Nothing was spent."
    ),
    "table.more_cells": (
        "Table {table!r} has {problems:problem|problems} in {rows:row|rows}:{shown:bullets}"
        "… and {more:,} more.\nNothing was spent."
    ),
}
