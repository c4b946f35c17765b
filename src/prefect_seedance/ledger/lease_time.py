"""How long a run may be silent before another machine may take its rows."""

from __future__ import annotations

import os
from datetime import timedelta

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["LEASE", "heartbeat", "lease"]

LEASE = timedelta(seconds=120)
"""A run on another host that has not been heard of for this long counts as dead, unless it asked for another lease."""

ENVIRONMENT = "PREFECT_SEEDANCE_LEASE"
"""The lease of this process's runs, in seconds."""

BEATS = 8
"""A run is heard of so many times within its lease: a few lost ones make nobody dead."""


def lease() -> timedelta:
    """How long this process's runs may be silent before other machines take them for dead.

    Raises:
        InputError: `PREFECT_SEEDANCE_LEASE` is no number of seconds above 0.
    """
    text = os.environ.get(ENVIRONMENT)
    if not text:
        return LEASE
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise InputError(message("ledger.bad_lease", variable=ENVIRONMENT, value=text))
    return timedelta(seconds=seconds)


def heartbeat() -> timedelta:
    """How often a run of this process says that it lives."""
    return lease() / BEATS
