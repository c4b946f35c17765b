"""The clocks of this machine: the time of day in UTC, which a person may set, and one that only runs."""

from __future__ import annotations

import time
from datetime import UTC, datetime

__all__ = ["now", "uptime"]


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


def uptime() -> float:
    """Seconds by a clock that nobody sets; all processes of this machine share it until the machine is started again.

    It stands still while the machine sleeps.
    """
    return time.monotonic()
