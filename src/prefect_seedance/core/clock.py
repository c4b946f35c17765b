"""The clock of this machine, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["now"]


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)
