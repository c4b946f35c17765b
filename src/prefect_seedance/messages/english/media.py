"""Texts about a row's media: files, links, assets."""

from __future__ import annotations

MEDIA: dict[str, str] = {}
