"""The retry rules of the steps, which Prefect task runs and chunks of rows share."""

from __future__ import annotations

from dataclasses import dataclass

from prefect_seedance.errors import InvalidResponse, InvalidVideo, RateLimited, SeedanceError, Unreachable

__all__ = ["CREATE", "DOWNLOAD", "MEDIUM", "POLL", "RetryRule"]


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When a step is worth another try.

    Attributes:
        kinds: The errors after which another try is safe and may help.
        attempts: Tries in all.
        delays: Seconds before each further try; the last one repeats. The limiter waits for a provider's Retry-After in
            addition.
    """

    kinds: tuple[type[SeedanceError], ...]
    attempts: int
    delays: tuple[float, ...]

    def again(self, error: BaseException, tried: int) -> bool:
        """Whether to try again after `tried` tries, the last of which ended in `error`."""
        if isinstance(error, RateLimited) and error.beyond_patience:
            return False
        return isinstance(error, self.kinds) and tried < self.attempts

    def delay(self, tried: int) -> float:
        """Seconds to wait after `tried` tries."""
        return self.delays[min(tried, len(self.delays)) - 1]


CREATE = RetryRule(kinds=(RateLimited, Unreachable), attempts=6, delays=(1, 2, 5, 10, 30))
"""Only after a temporary proven refusal (law 2): a rate limit, or a connection that was never made."""

POLL = RetryRule(kinds=(Unreachable, InvalidResponse, RateLimited), attempts=3, delays=(5, 30))
"""The poller itself retries short failures; this rule is for long ones."""

DOWNLOAD = RetryRule(
    kinds=(Unreachable, InvalidVideo, InvalidResponse, RateLimited), attempts=6, delays=(1, 2, 5, 15, 30)
)
"""Each try resumes where the last one ended, except after bytes that are not a valid video. What could not be verified
is left to the next run: what ended one proof would most likely end the next."""

MEDIUM = RetryRule(kinds=(Unreachable, InvalidResponse, RateLimited), attempts=5, delays=(1, 2, 5, 15))
"""Uploads and reviews: free ones may be repeated, billed ones are looked up first."""
