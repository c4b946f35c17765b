"""The lease of a run: how long it holds its rows without a heartbeat."""

from __future__ import annotations

import os
from datetime import timedelta

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["LEASE", "LEASE_ENDED", "heartbeat", "lease"]

LEASE = timedelta(seconds=120)
"""The default lease. A run on another host counts as dead after this time without a heartbeat."""

LEASE_ENDED = "lease_ended"
"""The error code where the lease of a run has ended, so that another run may hold the row."""

ENVIRONMENT = "PREFECT_SEEDANCE_LEASE"
"""The environment variable with the lease of this process's runs, in seconds."""

BEATS = 8
"""Heartbeats per lease: a few lost ones do not end it."""


def lease() -> timedelta:
    """The lease of this process's runs: after this time without a heartbeat other machines may take their rows.

    Raises:
        InputError: `PREFECT_SEEDANCE_LEASE` is not a number of seconds above 0.
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
    """The interval between the heartbeats of a run of this process."""
    return lease() / BEATS
