"""The accounts' balances as the providers show them: a hint for people, never used for costs.

Only Jimmy AI has such an endpoint. None of its documents describes it, and it counts in coins of its own.
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
"""Seconds to wait for an answer."""


async def look(session: Session) -> Balances:
    """Ask each account that shows a balance; an account that fails is left out."""
    shown: Balances = {}
    for account, account_client in session.account_clients.items():
        if not account_client.client.dialect.shows_balance:
            continue
        with contextlib.suppress(SeedanceError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                shown[account.identity] = dict((await account_client.client.balance()).raw)
    return shown
