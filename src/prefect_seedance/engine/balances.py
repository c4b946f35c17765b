"""What the accounts' balances look like, raw: a hint for a person, and never an account.

Only Jimmy AI has such an endpoint; no document of its own describes it, and it counts coins of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from prefect_seedance.engine.session import Session
from prefect_seedance.errors import SeedanceError

__all__ = ["Balances", "look"]

Balances = dict[str, Mapping[str, str]]
"""The fields that a provider shows, by account."""

PATIENCE = 5.0
"""Seconds: nobody waits longer for a hint."""


async def look(session: Session) -> Balances:
    """Ask each account that can be asked. Whatever goes wrong, there is just no hint."""
    shown: Balances = {}
    for account, door in session.account_clients.items():
        if not door.client.dialect.shows_balance:
            continue
        with contextlib.suppress(SeedanceError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                shown[account.identity] = dict((await door.client.balance()).raw)
    return shown
