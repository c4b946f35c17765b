"""Texts about accounts, limits and polling."""

from __future__ import annotations

ACCOUNTS: dict[str, str] = {}
