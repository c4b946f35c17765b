"""How many jobs an account may have in flight: a limit that no provider publishes, found by being careful.

Nothing is held back before the first refusal. A refusal tells the limit; one below what was proven tells that it has
fallen (multiplicative decrease, as in TCP's congestion control, RFC 5681), and from time to time one job more than is
known to be allowed shows whether it has risen.
"""

from __future__ import annotations

import math

__all__ = ["CongestionWindow"]

PROBE = 10.0
"""Seconds after a refusal until one more is tried, for each job that is allowed: to a small limit one more means much,
and a large one has less to win."""

GROWTH = 1.1
"""Each try that is refused makes the time until the next one so much longer."""

LONGEST_PROBE = 600.0
"""Seconds: the longest time between two tries."""

BELIEVED = 0.85
"""A second refusal below this share of what was proven tells that the limit has fallen far."""

RISEN = 4
MOST_TRIES = 4
"""Each so many tries in a row that are let through let one more be on its way, up to so many: where creates take
seconds, a limit that has risen far is reached in minutes instead of hours."""

UNSEEN = 2.5
"""Seconds within which most ends of jobs are noticed: one that is noticed so soon after a try was let through may have
made the room for it, and then the try has shown nothing. Where ends come closer to each other than that, there is no
telling, and no need to: one place is little of so many."""


class CongestionWindow:
    """The allowed number of jobs in flight.

    Attributes:
        size: Jobs in flight that are known to be allowed; infinite while nothing was ever refused.
        lowest: The smallest size so far; None before the first refusal.
        highest: The most jobs that were in flight at once.
    """

    def __init__(self) -> None:
        self.size = math.inf
        self.lowest: float | None = None
        self.highest = 0
        self.next_try = math.inf
        self._patience = 1.0
        self._proven = 0.0
        """The size before the present row of refusals below it; 0 where there is none."""
        self._crowd = 1.0
        """How much longer than alone one of several processes waits between two tries, so that all try as often."""
        self._before = math.inf
        """The size at which the present tries began; infinite where none is under way."""
        self._raised = -math.inf
        """When a try was let through of which it is not known yet whether it has shown anything."""
        self._last_end = -math.inf

    @property
    def found(self) -> bool:
        """Whether a limit was met."""
        return not math.isinf(self.size)

    def allowed(self, now: float) -> float:
        """How many may be in flight now, a try included."""
        return self.size + self.tries(now)

    def tries(self, now: float) -> int:
        """How many more than are known to be allowed may be tried now: the more have been let through, the more."""
        if now < self.next_try:
            return 0
        risen = 0 if math.isinf(self._before) else int(self.size - self._before)
        return min(MOST_TRIES, 1 + risen // RISEN)

    def believe(self, size: float, whole: float, members: int, now: float) -> None:
        """Take over what several processes know together.

        Args:
            size: The part of this process.
            whole: Jobs that the account bears over all of them.
            members: How many they are.
            now: The present moment.
        """
        new = not self.found
        self.size = max(1.0, size)
        self._crowd = max(1.0, members * whole / self.size) if members > 1 else 1.0
        if new:
            self.next_try = now + self._pause()

    def accepted(self, made: int, now: float) -> None:
        """A create was accepted; now `made` jobs are in flight."""
        self.highest = max(self.highest, made)
        self._proven = 0.0
        if made > self.size and now < self.next_try:
            if self._crowd == 1.0:
                # It was on its way when another one was refused: so much is allowed, but it was no try for more.
                self.next_try += (made - self.size) * self._patience * PROBE
                self.size = made
        elif made > self.size:
            # More is allowed than was known: go on at once, until the next refusal tells.
            self._before = min(self._before, self.size)
            self.size = made
            self.next_try = now
            self._raised = now if now - self._last_end > UNSEEN else -math.inf

    def ended(self, now: float) -> None:
        """A job was seen to have ended."""
        self._last_end = now
        if now - self._raised <= UNSEEN and self.size > 1:
            # What was let through has taken its place, and proves no more than was known before.
            self.size -= 1
            self._raised = -math.inf

    def refused(self, made: int, now: float) -> None:
        """A create was refused while `made` jobs were in flight."""
        made = max(1, made)
        if made >= self.size:
            risen = made > self._before + 1 and not math.isinf(self._before)
            self._patience = 1.0 if risen else GROWTH * self._patience
            self.size, self._proven = made, 0.0
        elif self._proven and made < BELIEVED * self._proven:
            # Again and again below what was proven: it has fallen, nobody knows how far.
            self.size, self._proven = max(1, made // 2), 0.0
            self._patience = 1.0
        else:
            # The first of all, or some jobs had ended unseen when more seemed to be allowed.
            if not math.isinf(self.size):
                self._proven = max(self._proven, self.size)
            self.size = made
        self._before = math.inf
        self.next_try = now + self._pause()
        self.lowest = self.size if self.lowest is None else min(self.lowest, self.size)

    def _pause(self) -> float:
        return min(LONGEST_PROBE, self._patience * PROBE * self.size * self._crowd)
