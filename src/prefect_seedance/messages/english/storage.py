"""Texts about output folders and stores."""

from __future__ import annotations

STORAGE: dict[str, str] = {}
