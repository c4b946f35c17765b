"""Whether this process was suspended for so long that its lease may have expired."""

from __future__ import annotations

import time

from prefect_seedance.ledger import lease

__all__ = ["moment", "stood_still_since"]

SHARE = 0.5
"""Share of the lease that may pass before a send. The other half is for the request itself, which must arrive before
another process may consider this lease expired."""


def moment() -> float:
    """A clock in seconds that also counts while the machine sleeps or the process is stopped."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def stood_still_since(begun: float) -> bool:
    """Whether more than half a lease has passed since `begun` (see `moment`): the ledger may have changed since."""
    return moment() - begun > SHARE * lease().total_seconds()
