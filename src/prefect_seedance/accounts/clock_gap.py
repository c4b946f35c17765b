"""Whether this process stood still for so long that others may have taken it for dead."""

from __future__ import annotations

import time

from prefect_seedance.ledger import lease

__all__ = ["moment", "stood_still_since"]

SHARE = 0.5
"""Of the lease. The other half is left for the way to the provider: until then nobody takes this run for dead."""


def moment() -> float:
    """Seconds that also pass while the machine sleeps or the process is stopped."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def stood_still_since(begun: float) -> bool:
    """Whether so much time has passed since `begun` that what was true of the ledger then may not be true now."""
    return moment() - begun > SHARE * lease().total_seconds()
