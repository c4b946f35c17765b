"""How many jobs an account may have in flight: a limit that no provider publishes, found by probing.

Nothing is held back before the first refusal. A refusal shows the limit. A refusal below the proven size shows that the
limit has fallen (multiplicative decrease, as in TCP's congestion control, RFC 5681). From time to time a probe sends
one job more than is known to be allowed, which shows whether the limit has risen.
"""

from __future__ import annotations

import math

__all__ = ["CongestionWindow"]

PROBE = 10.0
"""Seconds after a refusal until one more is tried, for each job that is allowed: one more job is a large gain for a
small limit, and a small gain for a large one."""

GROWTH = 1.1
"""Factor by which each refused try lengthens the time until the next one."""

LONGEST_PROBE = 600.0
"""Seconds: the longest time between two tries."""

LARGE_DROP = 0.85
"""A second refusal below this share of the proven size shows that the limit has fallen far."""

RISEN = 4
MOST_TRIES = 4
"""After every `RISEN` accepted tries in a row one more may be sent at once, up to `MOST_TRIES`: where creates take
seconds, a limit that has risen far is reached in minutes instead of hours."""

NOTICE_DELAY = 2.5
"""Seconds within which most ends of jobs are noticed. A job whose end is noticed so soon after an accepted try may have
freed the slot for it, and then the try has shown nothing. Where jobs end more often than that, the two cases cannot be
distinguished, which does no harm: one slot is a small share of so many."""


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
        self._pause_factor = 1.0
        self._proven = 0.0
        """The size before the present series of refusals below it; 0 where there is none."""
        self._sharing_factor = 1.0
        """How much longer one of several processes waits between tries, so that together they try as often as one."""
        self._size_before_tries = math.inf
        """The size at which the present tries began; infinite where none is under way."""
        self._try_accepted_at = -math.inf
        """When the last try was accepted of which it is not known yet whether it has shown anything."""
        self._last_end = -math.inf

    @property
    def found(self) -> bool:
        """Whether a limit has been found."""
        return not math.isinf(self.size)

    def allowed(self, now: float) -> float:
        """How many may be in flight now, a try included."""
        return self.size + self.tries(now)

    def tries(self, now: float) -> int:
        """How many jobs above the known size may be tried now; more after several accepted tries in a row."""
        if now < self.next_try:
            return 0
        risen = 0 if math.isinf(self._size_before_tries) else int(self.size - self._size_before_tries)
        return min(MOST_TRIES, 1 + risen // RISEN)

    def adopt(self, size: float, whole: float, members: int, now: float) -> None:
        """Take over what several processes know together.

        Args:
            size: The share of this process.
            whole: Jobs that the account may have in flight over all processes.
            members: The number of processes.
            now: The present time, on the loop's clock.
        """
        new = not self.found
        self.size = max(1.0, size)
        self._sharing_factor = max(1.0, members * whole / self.size) if members > 1 else 1.0
        if new:
            self.next_try = now + self._pause()

    def accepted(self, made: int, now: float) -> None:
        """A create was accepted; now `made` jobs are in flight."""
        self.highest = max(self.highest, made)
        self._proven = 0.0
        if made > self.size and now < self.next_try:
            if self._sharing_factor == 1.0:
                # It was already sent when another one was refused: so much is allowed, but it was no try for more.
                self.next_try += (made - self.size) * self._pause_factor * PROBE
                self.size = made
        elif made > self.size:
            # More is allowed than was known: try the next one at once, until the next refusal.
            self._size_before_tries = min(self._size_before_tries, self.size)
            self.size = made
            self.next_try = now
            self._try_accepted_at = now if now - self._last_end > NOTICE_DELAY else -math.inf

    def ended(self, now: float) -> None:
        """A job was seen to have ended."""
        self._last_end = now
        if now - self._try_accepted_at <= NOTICE_DELAY and self.size > 1:
            # The accepted try took the slot of this job, so it proves no more than was known before.
            self.size -= 1
            self._try_accepted_at = -math.inf

    def refused(self, made: int, now: float) -> None:
        """A create was refused while `made` jobs were in flight."""
        made = max(1, made)
        if made >= self.size:
            risen = made > self._size_before_tries + 1 and not math.isinf(self._size_before_tries)
            self._pause_factor = 1.0 if risen else GROWTH * self._pause_factor
            self.size, self._proven = made, 0.0
        elif self._proven and made < LARGE_DROP * self._proven:
            # Repeated refusals below the proven size: the limit has fallen by an unknown amount.
            self.size, self._proven = max(1, made // 2), 0.0
            self._pause_factor = 1.0
        else:
            # The first refusal of all, or the size was overestimated because the ends of some jobs were not noticed.
            if not math.isinf(self.size):
                self._proven = max(self._proven, self.size)
            self.size = made
        self._size_before_tries = math.inf
        self.next_try = now + self._pause()
        self.lowest = self.size if self.lowest is None else min(self.lowest, self.size)

    def _pause(self) -> float:
        return min(LONGEST_PROBE, self._pause_factor * PROBE * self.size * self._sharing_factor)
