"""Texts about downloads and the proof of a video."""

from __future__ import annotations

VIDEOS: dict[str, str] = {}
