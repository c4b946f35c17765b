"""Routes that take nothing now: remembered within a run, so that of a thousand rows one asks and the others go on.

This concerns rows that have another route to go to; a row without one waits, asks or is put off as ever. An account
without funds, or whose key is refused, closes all its routes; a route that its provider has closed, that one alone.
Now and then one row asks again: after `PROBE` seconds, or for a rate limit and an unreachable provider after the
user's `limit_patience`. A key that was refused is not asked with again. The first create that is taken opens all.
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
"""Seconds after which one row asks an account without funds, or a closed route, again."""


@dataclass(slots=True)
class _Closed:
    reason: SeedanceError
    pause: float
    next_try: float


class CircuitBreaker:
    """What is closed in one run.

    Args:
        accounts: Accounts that can serve nobody now, with the reason (`Session.closed`); a probe opens them.
    """

    def __init__(self, accounts: dict[Account, SeedanceError]) -> None:
        self._accounts = accounts
        self._closed: dict[tuple[Account, str | None], _Closed] = {}

    def close(self, settings: RouteSettings, reason: SeedanceError, patience: float) -> None:
        """Remember a refusal that the next row would meet as well; others are the row's own affair.

        Args:
            settings: The route that refused.
            reason: The refusal.
            patience: The user's `limit_patience`, in seconds.
        """
        if isinstance(reason, InsufficientFunds | AuthenticationError):
            self._accounts.setdefault(settings.account, reason)
            self._shut(settings, None, reason, math.inf if isinstance(reason, AuthenticationError) else PROBE)
        elif isinstance(reason, RateLimited | Unreachable):
            self._shut(settings, None, reason, max(patience, 1.0))
        elif isinstance(reason, RouteUnavailable):
            self._shut(settings, settings.route.model, reason, PROBE)

    def reason(self, settings: RouteSettings) -> SeedanceError | None:
        """Why a row that has another route need not ask this one; None where it may."""
        for model in (None, settings.route.model):
            if (closed := self._closed.get((settings.account, model))) is not None:
                return closed.reason
        reason = self._accounts.get(settings.account)
        if reason is not None:
            # It met somebody who has no other route, or a medium: from now on it is tried again like all others.
            self.close(settings, reason, 0.0)
        return reason

    def claim(self, settings: RouteSettings) -> bool:
        """Whether the row that asks may try a closed route again: one row at a time, now and then."""
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
        """A create was taken."""
        if self._closed:
            self._closed.pop((settings.account, None), None)
            self._closed.pop((settings.account, settings.route.model), None)

    def _shut(self, settings: RouteSettings, model: str | None, reason: SeedanceError, pause: float) -> None:
        next_try = asyncio.get_running_loop().time() + pause
        self._closed[settings.account, model] = _Closed(reason, pause, next_try)
