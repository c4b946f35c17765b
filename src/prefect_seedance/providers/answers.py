"""What goes to a provider and what comes back, free of any provider's spelling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class FilePart:
    """How a file is named within a form; its bytes come from the disk when the call is made.

    Attributes:
        field: The form's field.
        filename: The name under which the provider sees it.
        mime_type: Its type.
    """

    field: str
    filename: str
    mime_type: str


@dataclass(frozen=True)
class Call:
    """One HTTP call, still without host and key.

    Attributes:
        method: `GET` or `POST`.
        path: The path below the base URL, already escaped, with its query if it has one.
        json: The body, or None for a call without one.
        file: The file that a form brings instead of a body, or None.
    """

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    file: FilePart | None = None


@dataclass(frozen=True)
class Answer:
    """One HTTP answer as it came.

    Attributes:
        status: The HTTP status.
        headers: The headers; names are compared without regard to case.
        body: The body, at most 1 MiB.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return one header's value, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)


@dataclass(frozen=True)
class Created:
    """Proof that a create was accepted: from here on the job exists and may cost.

    Attributes:
        job_id: The provider's name for the job; opaque.
        provider_status: The status word of the answer; may be empty.
        request_id: The provider's trace id, where told.
        http_status: The HTTP status of the answer.
    """

    job_id: str
    provider_status: str
    request_id: str | None
    http_status: int


class JobState(StrEnum):
    """The life of a job, in four words for all the providers' spellings."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self in {JobState.SUCCEEDED, JobState.FAILED}


@dataclass(frozen=True)
class JobView:
    """What a provider says about a job at one moment.

    Attributes:
        job_id: The id that was asked for.
        state: Where the job stands. `FAILED` covers cancelled and expired at the provider.
        provider_status: The status word as the provider spelled it.
        progress: 0 to 1, or None where not told. It never decides the state.
        video_url: The link of the result; always there when `SUCCEEDED`, never otherwise.
        error_code: Why it failed: the innermost code found.
        error_message: Why it failed, in the provider's words.
        moderated: Whether it failed because of what the prompt, the media or the result show.
        tokens: The completion tokens that the provider counted, where told.
        request_id: The provider's trace id, where told.
        created_at: When the provider took the job (UTC), where told.
        finished_at: When the job ended (UTC), where told.
        ratio: The ratio delivered, where told.
        resolution: The resolution delivered, where told.
        seconds: The length delivered, where told.
    """

    job_id: str
    state: JobState
    provider_status: str
    progress: float | None = None
    video_url: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    moderated: bool = False
    tokens: int | None = None
    request_id: str | None = None
    created_at: datetime | None = None
    finished_at: datetime | None = None
    ratio: str | None = None
    resolution: str | None = None
    seconds: Decimal | None = None


@dataclass(frozen=True)
class Balance:
    """What an account has left, as the provider shows it.

    Attributes:
        raw: Field name to value, untouched: the documents name neither a currency nor a unit. Empty where the
            provider has no such call; that is unknown, not zero.
    """

    raw: dict[str, str]
