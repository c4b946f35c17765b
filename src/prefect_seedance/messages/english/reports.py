"""Texts about results, summaries and next steps."""

from __future__ import annotations

REPORTS: dict[str, str] = {}
