"""Texts about set-up, servers and the command line."""

from __future__ import annotations

SETUP: dict[str, str] = {}
