"""Texts about saved blocks and keys."""

from __future__ import annotations

BLOCKS: dict[str, str] = {}
