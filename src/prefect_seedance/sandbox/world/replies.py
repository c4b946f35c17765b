"""The seam between the sandbox's common course of events and the words of each provider."""

from __future__ import annotations

import math
from typing import Any, Protocol

from starlette.responses import HTMLResponse, Response

from prefect_seedance.sandbox.world.draft import Draft, Refusal
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.state import State

GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


class Voice(Protocol):
    """How a provider reads a create request, and how it says what came of a call."""

    @property
    def state(self) -> State:
        """Return the sandbox."""

    @property
    def provider(self) -> str:
        """Return the provider's name."""

    @property
    def link_seconds(self) -> float:
        """Return how long a result link lives by the provider's documents."""

    def new_id(self, now: float) -> str:
        """Make a job id of the provider's form."""

    def read(self, body: dict[str, Any], references: References) -> Draft:
        """Check and price a create request, or raise `Refusal`."""

    def created(self, job: Job) -> Response:
        """Say that a job was accepted."""

    def viewed(self, job: Job, now: float, link: str | None) -> Response:
        """Say where a job stands at a moment; the link is given once it succeeded."""

    def refused(self, refusal: Refusal) -> Response:
        """Say that the request is not allowed."""

    def moderated(self) -> Response | None:
        """Say that the review refuses the prompt; None where the provider only says so through a failed job."""

    def failure(self, kind: str) -> str:
        """Return the reason of a failed job: `moderated`, `review` (of the result) or `failed`."""

    def bad_key(self) -> Response:
        """Say that the key is wrong."""

    def out_of_funds(self) -> Response:
        """Say that the balance is too low."""

    def too_many(self) -> Response:
        """Say 429."""

    def trouble(self) -> Response:
        """Say 500 in the provider's own form."""

    def unknown_job(self, name: str) -> Response:
        """Say that there is no such job."""


def bad_gateway() -> Response:
    """Return what a gateway in front of a provider says when the provider does not answer in time."""
    return HTMLResponse(GATEWAY_PAGE, status_code=502)


def broken_off(answer: Response) -> Response:
    """Return an answer whose body breaks off in the middle, while its length says that it is whole."""
    body = bytes(answer.body)
    return Response(body[: len(body) // 2], status_code=answer.status_code, media_type="application/json")


def retry_headers(state: State) -> dict[str, str]:
    """Return the Retry-After of a 429, in whole seconds as HTTP wants it."""
    seconds = state.faults.retry_after
    return {} if seconds is None else {"Retry-After": str(math.ceil(seconds))}
