"""Texts about the content of a cell."""

from __future__ import annotations

CELLS: dict[str, str] = {}
