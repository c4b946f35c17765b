"""Closed accounts and routes, remembered within a run: one row finds out, and the other rows do not ask again.

This concerns rows that have another route; a row without one waits, asks or is deferred as usual. Insufficient funds
or a refused key close all routes of an account; `RouteUnavailable` closes that route alone. One row at a time probes a
closed route: after `PROBE` seconds, or for a rate limit and an unreachable provider after the user's `limit_patience`.
A refused key is not probed. The first accepted create opens the account and its route.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

from prefect_seedance.errors import (
    AuthenticationError,
    InsufficientFunds,
    RateLimited,
    RouteUnavailable,
    SeedanceError,
    Unreachable,
)
from prefect_seedance.providers import Account, RouteSettings

__all__ = ["PROBE", "CircuitBreaker"]

PROBE = 600.0
"""Seconds after which one row probes an account without funds, or a closed route."""


@dataclass(slots=True)
class _Closed:
    reason: SeedanceError
    pause: float
    next_try: float


class CircuitBreaker:
    """What is closed in one run.

    Args:
        accounts: Accounts that cannot serve any row now, with the reason (`Session.closed`); a probe opens them.
    """

    def __init__(self, accounts: dict[Account, SeedanceError]) -> None:
        self._accounts = accounts
        self._closed: dict[tuple[Account, str | None], _Closed] = {}

    def close(self, settings: RouteSettings, reason: SeedanceError, patience: float) -> None:
        """Remember a refusal that every further row would get as well; other refusals concern one row only.

        Args:
            settings: The route that refused.
            reason: The refusal.
            patience: The user's `limit_patience`, in seconds.
        """
        if isinstance(reason, InsufficientFunds | AuthenticationError):
            self._accounts.setdefault(settings.account, reason)
            self._remember(settings, None, reason, math.inf if isinstance(reason, AuthenticationError) else PROBE)
        elif isinstance(reason, RateLimited | Unreachable):
            self._remember(settings, None, reason, max(patience, 1.0))
        elif isinstance(reason, RouteUnavailable):
            self._remember(settings, settings.route.model, reason, PROBE)

    def reason(self, settings: RouteSettings) -> SeedanceError | None:
        """Why a row that has another route skips this one; None where it may ask."""
        for model in (None, settings.route.model):
            if (closed := self._closed.get((settings.account, model))) is not None:
                return closed.reason
        reason = self._accounts.get(settings.account)
        if reason is not None:
            # A row without another route, or a medium, was refused. From now on the account is probed like the others.
            self.close(settings, reason, 0.0)
        return reason

    def claim(self, settings: RouteSettings) -> bool:
        """Whether the calling row may probe a closed route: one row at a time, after the pause."""
        now = asyncio.get_running_loop().time()
        known = [self._closed.get((settings.account, model)) for model in (None, settings.route.model)]
        closed = [each for each in known if each is not None]
        if not closed or any(now < each.next_try for each in closed):
            return False
        for each in closed:
            each.next_try = now + each.pause
        self._accounts.pop(settings.account, None)
        return True

    def opened(self, settings: RouteSettings) -> None:
        """A create was accepted."""
        if self._closed:
            self._closed.pop((settings.account, None), None)
            self._closed.pop((settings.account, settings.route.model), None)

    def _remember(self, settings: RouteSettings, model: str | None, reason: SeedanceError, pause: float) -> None:
        next_try = asyncio.get_running_loop().time() + pause
        self._closed[settings.account, model] = _Closed(reason, pause, next_try)
