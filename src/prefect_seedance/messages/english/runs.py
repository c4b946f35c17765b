"""Texts about runs: settings, budgets, shards, sweeps."""

from __future__ import annotations

RUNS: dict[str, str] = {}
