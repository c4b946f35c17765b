"""Texts about the providers' answers."""

from __future__ import annotations

PROVIDERS: dict[str, str] = {}
