"""The errors of the package: one root, and under it the few kinds that a caller would treat differently.

What a provider's answer proves decides the kind: everything under `Refused` proves that nothing was
made and nothing is owed; `UnknownOutcome` proves nothing, and is never sent again by the program itself.
"""

from __future__ import annotations

from typing import Any


class SeedanceError(Exception):
    """The root of all errors that this package raises on purpose.

    Attributes:
        message: What is wrong, in words fit for a person.
        provider: `jimmy` or `anyfast`, where a provider is involved.
        code: The provider's own code, or ours where it has none.
        request_id: The provider's trace id, to be quoted to its support.
        row: The key of the row concerned.
        http_status: The HTTP status of the answer, where there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        row: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.code = code
        self.request_id = request_id
        self.row = row
        self.http_status = http_status

    def __str__(self) -> str:
        where = f"row {self.row!r}: " if self.row else ""
        code = f" [{self.provider or 'seedance'} {self.code}]" if self.code else ""
        return f"{where}{self.message}{code}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Prefect pickles exceptions across processes; keyword-only arguments need help there.
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))


def _rebuild(kind: type[SeedanceError], message: str, state: dict[str, Any]) -> SeedanceError:
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error


class UserMistake(SeedanceError):
    """The input is wrong: a table, a setting, a block, a folder. Raised before anything is spent."""


class Refused(SeedanceError):
    """The provider refused in its own words; proven: nothing was made, nothing is owed."""


class BadKey(Refused):
    """The provider does not accept the API key. No other row of this account will fare better."""


class Moderated(Refused):
    """Refused because of what the prompt or the media show."""


class OutOfFunds(Refused):
    """The account's balance or the key's quota is used up. Takeable again once it is filled."""


class RouteClosed(Refused):
    """The route takes nothing now: in maintenance, taken down, or not on sale for this key."""


class RateLimited(Refused):
    """Too many requests or too many jobs at once.

    Attributes:
        retry_after: Seconds that the provider asks to wait, or None where it does not say.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class DuplicateName(Refused):
    """An asset of this name is in the group already; it can be looked up instead of being made again."""


class Gone(SeedanceError):
    """A job, an asset or a result link that the provider no longer knows: expired, deleted, or never there."""


class UnknownOutcome(SeedanceError):
    """A create whose outcome cannot be proven. It may have been paid; it is never sent again by itself."""


class BrokenAnswer(SeedanceError):
    """An answer that is not in the provider's form, to a call that can be made again without cost."""


class Unreachable(SeedanceError):
    """No connection could be made, or a call that costs nothing got no answer. Safe to try again."""


class BrokenVideo(SeedanceError):
    """Bytes that are not a whole, playable video. Never stored."""


class LedgerError(SeedanceError):
    """The ledger forbids it, cannot be read, or belongs to something else."""
