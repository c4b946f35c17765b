"""All exceptions of the package.

    SeedanceError                   seedance
    ├── InputError                  input                 wrong input; nothing was spent
    │   ├── TableError              table                 a table, as a whole or in single cells
    │   └── InvalidRows             invalid_rows          rows that break a rule of their route
    ├── ProviderError               provider              an answer, or no answer, of a provider
    │   ├── Refused                 refused               proven: nothing was made, nothing is owed
    │   │   ├── AuthenticationError authentication        the key is not accepted
    │   │   ├── ContentRejected     content_rejected      the content of prompt or media
    │   │   ├── InsufficientFunds   insufficient_funds    balance or quota is used up
    │   │   ├── RouteUnavailable    route_unavailable     maintenance, or not on sale for this key
    │   │   ├── RateLimited         rate_limited          too many requests or jobs
    │   │   └── DuplicateName       duplicate_name        an asset of this name exists
    │   ├── UnknownOutcome          unknown_outcome       a create that may have been paid
    │   ├── NotFound                not_found             the provider does not know the job, asset or link
    │   ├── InvalidResponse         invalid_response      not in the provider's form
    │   │   └── UnsafeLink          unsafe_link           a result link that must not be followed
    │   ├── Unreachable             unreachable           no connection, or no answer to a free call
    │   └── JobFailed               job_failed            the provider accepted the job and failed
    ├── InvalidVideo                invalid_video         bytes that are not a complete, playable video
    ├── UnverifiedVideo             unverified_video      a video that could not be verified; a later run tries again
    ├── LedgerError                 ledger                the ledger forbids it, or cannot be used
    ├── NothingStored               nothing_stored        a run that stored no row
    ├── StillRunning                still_running         the job takes longer than this run waits
    ├── ReviewPending               review_pending        the review takes longer than this run waits
    ├── OverBudget                  over_budget           a row does not fit into the budget
    ├── TooManyFailures             too_many_failures     `max_failures` is reached
    ├── MovedToNextRoute            moved_to_next_route   a route refused; the row goes on to the next
    ├── RoutePaused                 route_paused          nothing is sent to a route whose answers prove nothing
    └── RunEnded                    run_ended             the run that began this work has ended

Used inside the package only: `CellError` (a ValueError), `InvalidMedia` and below it
`UnsupportedMedia`, `BeyondPrefix`, `ProbeTimeout`, `ProbeFailed`, `ResponseTooLarge`, `UndecodableResponse` and
`DatabaseUnreachable`.

The second column is the class's `kind`: a stable name that the ledger and the results store. Everything under
`Refused` proves that nothing was made and nothing is owed. `UnknownOutcome` proves nothing, and such a create is never
sent again automatically.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, ClassVar

from prefect_seedance.messages import Message


class SeedanceError(Exception):
    """The base class of all errors that this package raises.

    Attributes:
        kind: The stable name of the class, as the ledger and the results store it.
        provider: `jimmy` or `anyfast`, where a provider is involved.
        code: The provider's code, or this package's where it has none.
        request_id: The provider's trace id, for its support.
        row: The key of the row.
        http_status: The HTTP status of the response, where there was one.

    Args:
        message: What is wrong: a `Message`, or a provider's text.
    """

    kind: ClassVar[str] = "seedance"

    def __init__(
        self,
        message: Message | str,
        *,
        provider: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        row: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.text = message
        self.provider = provider
        self.code = code
        self.request_id = request_id
        self.row = row
        self.http_status = http_status

    @property
    def message(self) -> str:
        """What is wrong, worded for the surface (CLI, UI, API) that shows it."""
        return str(self.text)

    @property
    def slug(self) -> str | None:
        """The stable name of the message; None for a provider's text."""
        return self.text.slug if isinstance(self.text, Message) else None

    def reword(self, message: Message | str) -> None:
        """Replace the message."""
        self.text = message
        self.args = (message,)

    def __str__(self) -> str:
        where = f"row {self.row!r}: " if self.row else ""
        code = f" [{self.provider} {self.code}]" if self.code and self.provider else ""
        return f"{where}{self.message}{code}"

    def __repr__(self) -> str:
        # Prefect logs the repr before each retry of a task.
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Prefect pickles exceptions across processes. The default reduction loses keyword-only arguments.
        return (_rebuild, (type(self), self.text, self.__dict__.copy()))


def _rebuild(cls: type[SeedanceError], message: Message | str, state: dict[str, Any]) -> SeedanceError:
    error = cls.__new__(cls, message)
    error.args = (message,)
    # Errors pickled by 0.1.0 have their text as `message`.
    state.setdefault("text", state.pop("message", message))
    error.__dict__.update(state)
    return error


class InputError(SeedanceError):
    """The input is wrong: a table, a setting, a block, a folder. Raised before anything is spent."""

    kind = "input"


class TableError(InputError):
    """A table that cannot be used.

    Attributes:
        problems: The invalid cells, as `CellProblem`; empty where the table as a whole is invalid.
    """

    kind = "table"

    def __init__(self, message: Message | str, *, problems: Sequence[Any] = (), **details: Any) -> None:
        super().__init__(message, **details)
        self.problems = tuple(problems)


class InvalidRows(InputError):
    """Rows of the table break a rule of their route. Nothing was spent.

    Attributes:
        invalid: Every invalid row with all its reasons.
    """

    kind = "invalid_rows"

    def __init__(self, message: Message | str, *, invalid: Sequence[Any] = (), **details: Any) -> None:
        super().__init__(message, **details)
        self.invalid = tuple(invalid)


class ProviderError(SeedanceError):
    """A provider answered with an error, or did not answer."""

    kind = "provider"


class Refused(ProviderError):
    """A proven refusal in the provider's error form: nothing was made, nothing is owed."""

    kind = "refused"


class AuthenticationError(Refused):
    """The provider does not accept the API key. All other rows of this account are refused too."""

    kind = "authentication"


class ContentRejected(Refused):
    """Refused because of the content of the prompt or the media."""

    kind = "content_rejected"


class InsufficientFunds(Refused):
    """The account's balance or the key's quota is used up. A later run can take the row again."""

    kind = "insufficient_funds"


class RouteUnavailable(Refused):
    """The route accepts no jobs now: in maintenance, taken down, or not on sale for this key."""

    kind = "route_unavailable"


class RateLimited(Refused):
    """Too many requests or too many jobs at once.

    Attributes:
        retry_after: Seconds that the provider asks to wait; None where it does not say.
        beyond_patience: Whether that is longer than the run waits, so that it does not try again.
    """

    kind = "rate_limited"

    def __init__(self, message: Message | str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after
        self.beyond_patience = False


class DuplicateName(Refused):
    """An asset of this name exists in the group; it can be looked up instead of being made again."""

    kind = "duplicate_name"


class UnknownOutcome(ProviderError):
    """A create whose outcome cannot be proven. It may have been paid; it is never sent again automatically.

    Attributes:
        named_job: The one job that the answer names; None where it names none, or several.
    """

    kind = "unknown_outcome"
    named_job: str | None = None  # errors pickled by earlier releases have none

    def __init__(self, message: Message | str, *, named_job: str | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.named_job = named_job


class NotFound(ProviderError):
    """The provider does not know this job, asset or result link: not yet, not now, or not any more (law 4).

    Attributes:
        about_link: Whether it is the link that does not work; the provider knows its job.
        lasted: Seconds for which it was absent without a break, as far as that was watched.
    """

    kind = "not_found"
    about_link = False
    lasted = 0.0


class InvalidResponse(ProviderError):
    """A response that is not in the provider's form, to a call that can be repeated without cost."""

    kind = "invalid_response"


class UnsafeLink(InvalidResponse):
    """A link that is not followed: no https, a private address, a password in it, or not a link."""

    kind = "unsafe_link"


class Unreachable(ProviderError):
    """No connection could be made, or a call that costs nothing got no response. Safe to repeat."""

    kind = "unreachable"


class JobFailed(ProviderError):
    """The provider accepted the job and could not make the video."""

    kind = "job_failed"


class InvalidVideo(SeedanceError):
    """Bytes that are not a complete, playable video. Never stored."""

    kind = "invalid_video"


class UnverifiedVideo(SeedanceError):
    """A video that could not be verified here: its bytes are kept, and a later run tries again."""

    kind = "unverified_video"


class LedgerError(SeedanceError):
    """The ledger forbids the operation, cannot be used, or belongs to something else."""

    kind = "ledger"


class NothingStored(SeedanceError):
    """The run stored no row.

    Attributes:
        result: The run's `GenerateResult`: the outcome of each row, and the known cost.
    """

    kind = "nothing_stored"

    def __init__(self, message: Message | str, *, result: Any = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.result = result


class StillRunning(SeedanceError):
    """The job takes longer than this run waits. It is kept: the next run of the batch continues it."""

    kind = "still_running"


class ReviewPending(SeedanceError):
    """The review takes longer than this run waits. It goes on: the next run continues it."""

    kind = "review_pending"


class OverBudget(SeedanceError):
    """The worst-case cost of a row exceeds the rest of the budget. A later run can take it."""

    kind = "over_budget"


class TooManyFailures(SeedanceError):
    """`max_failures` is reached; no more rows are taken."""

    kind = "too_many_failures"


class MovedToNextRoute(SeedanceError):
    """A route refused the row, which goes on to its next route. Nothing was made, nothing is owed."""

    kind = "moved_to_next_route"


class RoutePaused(SeedanceError):
    """Nothing is sent to a route for now, because its answers, or the lack of any, prove nothing (law 6).

    Nothing was sent for the row. A later run asks again, for free, before it sends anything.
    """

    kind = "route_paused"


class RunEnded(SeedanceError):
    """The run that began the work has ended; no more rows are taken for it."""

    kind = "run_ended"


class CellError(ValueError):
    """A cell that cannot be read; the message says what is allowed."""


class InvalidMedia(Exception):
    """The bytes of a file are invalid; callers turn this into `InvalidVideo` or `InputError`.

    Attributes:
        text: What is wrong, as the end of a sentence.
    """

    def __init__(self, text: Message) -> None:
        super().__init__(text)
        self.text = text


class UnsupportedMedia(InvalidMedia):
    """The bytes are certainly no image, video or audio: a web page, an archive, an empty file."""


class BeyondPrefix(Exception):
    """The needed bytes are beyond the prefix that a probe reads."""


class ProbeTimeout(Exception):
    """The probe of this file exceeded its time limit."""


class ProbeFailed(Exception):
    """The server did not deliver the file.

    Attributes:
        text: The reason, as a sentence.
    """

    def __init__(self, text: Message | str) -> None:
        super().__init__(text)
        self.text = text


class ResponseTooLarge(Exception):
    """The body of a response exceeds the size limit."""


class UndecodableResponse(Exception):
    """The body of a response is compressed in a way that cannot be decoded."""


class DatabaseUnreachable(Exception):
    """The ledger's server could not be reached for as long as a run waits for it.

    Attributes:
        seconds: How long the run waited.
    """

    def __init__(self, seconds: float, why: BaseException) -> None:
        super().__init__(f"{type(why).__name__}: {why}")
        self.seconds = seconds


_FORMER = {
    "BadKey": "AuthenticationError",
    "BadRows": "InvalidRows",
    "BadTable": "TableError",
    "BrokenAnswer": "InvalidResponse",
    "BrokenVideo": "InvalidVideo",
    "Gone": "NotFound",
    "Moderated": "ContentRejected",
    "MovedOn": "MovedToNextRoute",
    "OutOfFunds": "InsufficientFunds",
    "RouteClosed": "RouteUnavailable",
    "StillReviewed": "ReviewPending",
    "UserMistake": "InputError",
    "WorkIsOver": "RunEnded",
}
"""Names of 0.1.0: they still work, with a `DeprecationWarning`."""


def __getattr__(name: str) -> Any:
    if name not in _FORMER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{name} is now called {_FORMER[name]}", DeprecationWarning, stacklevel=2)
    return globals()[_FORMER[name]]
