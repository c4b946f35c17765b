"""The faults of a create: the rows of the table."""

from __future__ import annotations

from enum import StrEnum

PROMPT = "A paper lantern over a rice terrace at dusk"

READ_TIMEOUT = 1.5
"""Seconds: every client's read timeout where no answer comes. All other rows keep the clients' own timeouts."""

RETRY_AFTER = 3
"""Seconds: the Retry-After of a 429."""

LIMITS = 2
"""How many creates are refused with 429 before one is accepted."""


class Fault(StrEnum):
    """One row. The fault applies to every request of the create, however often the client sends it."""

    CUT = "cut"
    SILENCE = "silence"
    ERROR = "error"
    LIMIT = "limit"
    NONE = "none"


TITLES = {
    Fault.CUT: "accepted, then the connection is closed without an answer",
    Fault.SILENCE: f"accepted, the answer never comes (read timeout {READ_TIMEOUT} s)",
    Fault.ERROR: "accepted, then answered with 500",
    Fault.LIMIT: f"429 with `Retry-After: {RETRY_AFTER}`, twice; then accepted",
    Fault.NONE: "no fault",
}
