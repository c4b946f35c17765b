"""A time zone in which it is about noon, for tests over a day or a month that must not end while they run."""

from __future__ import annotations

from datetime import UTC, datetime


def noon_zone() -> str:
    """The name of a zone, from UTC-11 to UTC+12, in which it is between 12 and 13 o'clock."""
    ahead = 12 - datetime.now(UTC).hour
    # In these names the sign is the other way round.
    return f"Etc/GMT{-ahead:+d}"
