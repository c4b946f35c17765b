"""Texts about the forms of the Prefect UI."""

from __future__ import annotations

FORMS: dict[str, str] = {}
