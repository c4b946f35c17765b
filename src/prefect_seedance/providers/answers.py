"""Calls to a provider and their answers, independent of any provider's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


@dataclass(frozen=True)
class FilePart:
    """The name and type of a file in a form. Its bytes are read from the disk when the call is sent.

    Attributes:
        field: The field of the form.
        filename: The file name that the provider sees.
        mime_type: Its MIME type.
    """

    field: str
    filename: str
    mime_type: str


@dataclass(frozen=True)
class Call:
    """One HTTP call, without host and key.

    Attributes:
        method: `GET` or `POST`.
        path: The path below the base URL, already escaped, with its query if it has one.
        json: The body, or None for a call without one.
        file: The file to send in a form instead of a JSON body, or None.
    """

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    file: FilePart | None = None


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, unchanged.

    Attributes:
        status: The HTTP status.
        headers: The headers; `header` compares names case-insensitively.
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
    """Proof that a create was accepted: the job exists and may cost money.

    Attributes:
        job_id: The provider's id of the job; opaque.
        provider_status: The status word of the answer; may be empty.
        request_id: The provider's trace id, where stated.
        http_status: The HTTP status of the answer.
    """

    job_id: str
    provider_status: str
    request_id: str | None
    http_status: int


class JobState(StrEnum):
    """The state of a job, the same four for all providers."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether the state is final."""
        return self in {JobState.SUCCEEDED, JobState.FAILED}


@dataclass(frozen=True)
class JobView:
    """What a provider says about a job at one moment.

    Attributes:
        job_id: The id that was asked for.
        state: The state of the job. `FAILED` covers cancelled and expired at the provider.
        provider_status: The status word of the provider, unchanged.
        status_known: Whether the word is known; the state of an unknown one is a guess.
        progress: 0 to 1, or None where not stated. It never decides the state.
        video_url: The link of the result; set if and only if the state is `SUCCEEDED`.
        error_code: Why it failed, or stays in an unknown status: the innermost code.
        error_message: The same in the provider's words.
        moderated: Whether it failed because of what the prompt, the media or the result show.
        tokens: The completion tokens that the provider counted, where stated.
        request_id: The provider's trace id, where stated.
        created_at: When the provider accepted the job (UTC), where stated.
        finished_at: When the job ended (UTC), where stated.
        ratio: The ratio delivered, where stated.
        resolution: The resolution delivered, where stated.
        seconds: The length delivered, where stated.
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
    status_known: bool = True


@dataclass(frozen=True)
class Balance:
    """The balance of an account, as the provider shows it.

    Attributes:
        raw: Field name to value, unchanged: the documents name neither a currency nor a unit. Empty where the
            provider has no such call; that means unknown, not zero.
    """

    raw: dict[str, str]
