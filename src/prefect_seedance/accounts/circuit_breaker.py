"""What an account refuses to everybody at present: the first row finds out, and the others do not ask again.

A route or the whole account is closed. One row at a time probes it after a pause; the first accepted create opens it.
The state belongs to the account's client in this process, so that all its runs share it.
"""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass

from prefect_seedance.errors import SeedanceError

__all__ = ["PROBE", "CircuitBreaker"]

PROBE = 600.0
"""Seconds after which one row probes an account without funds, or a closed route."""


@dataclass(slots=True)
class _Closed:
    reason: SeedanceError
    pause: float
    next_try: float
    for_all: bool


class CircuitBreaker:
    """What is closed at one account. On the core loop only."""

    def __init__(self) -> None:
        self._closed: dict[str | None, _Closed] = {}

    def close(self, model: str | None, reason: SeedanceError, *, for_all: bool, pause: float | None = None) -> None:
        """Close a route, or the account.

        Args:
            model: The route; None closes the account.
            reason: The refusal.
            for_all: Whether it is closed for rows without another route, too; these would rather wait for a rate limit.
            pause: Seconds after which one row may probe it; None takes `PROBE`.
        """
        known = self._closed.get(model)
        if known is not None and ((known.for_all and not for_all) or known.reason.text is reason.text):
            return  # a stronger reason is known, or this very one comes back from a row that has not asked
        pause = PROBE if pause is None else pause
        # A copy has no traceback, which would keep the frames of a run alive.
        self._closed[model] = _Closed(copy.copy(reason), pause, asyncio.get_running_loop().time() + pause, for_all)

    def reason(self, model: str) -> SeedanceError | None:
        """Why a row that has another route leaves this one out; None where it may ask."""
        return next((closed.reason for closed in self._known(model)), None)

    def reason_for_all(self) -> SeedanceError | None:
        """Why no row at all asks this account; None where rows may ask."""
        closed = self._closed.get(None)
        return closed.reason if closed is not None and closed.for_all else None

    def claim(self, model: str) -> bool:
        """Whether the calling row may probe what is closed: one row at a time, after the pause."""
        now, known = asyncio.get_running_loop().time(), self._known(model)
        if not known or any(now < each.next_try for each in known):
            return False
        for each in known:
            each.next_try = now + each.pause
        return True

    def opened(self, model: str) -> None:
        """A create was accepted."""
        self._closed.pop(None, None)
        self._closed.pop(model, None)

    def _known(self, model: str) -> list[_Closed]:
        return [self._closed[scope] for scope in (None, model) if scope in self._closed]
