"""The interface between the sandbox's common logic and the request and reply formats of each provider."""

from __future__ import annotations

import math
from typing import Any, Protocol

from starlette.responses import HTMLResponse, Response

from prefect_seedance.sandbox.world.draft import Draft, Refusal
from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.state import State

ODD_WORDS = {"running": "baking", "succeeded": "baked"}
"""Status words of the fault `odd_word`; no document has them."""

GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


class Replies(Protocol):
    """How a provider reads create requests and words its replies."""

    @property
    def state(self) -> State:
        """Return the sandbox."""

    @property
    def provider(self) -> str:
        """Return the provider's name."""

    @property
    def link_seconds(self) -> float:
        """Return the documented lifetime of a result link, in seconds."""

    def new_id(self, now: float) -> str:
        """Make a job id in the provider's format."""

    def read(self, body: dict[str, Any], references: References) -> Draft:
        """Check and price a create request.

        Raises:
            Refusal: The provider does not allow it.
        """

    def created(self, job: Job) -> Response:
        """Reply that a job was accepted."""

    def created_oddly(self, job: Job) -> Response:
        """Reply that a job was accepted, with its id where no document puts it."""

    def job_missing(self) -> Response:
        """Reply to a create that a job is missing, as a relay does that asked its upstream too early."""

    def job_named(self, job: Job) -> Response:
        """Reply to a create with an error whose words name the job."""

    def viewed(self, job: Job, now: float, link: str | None) -> Response:
        """Reply with a job's state at a time; the link is given once it has succeeded."""

    def refused(self, refusal: Refusal) -> Response:
        """Reply that the request is not allowed."""

    def moderated(self) -> Response | None:
        """Reply that the review refuses the prompt; None where the provider reports it as a failed job instead."""

    def failure(self, kind: str) -> str:
        """Return the reason of a failed job: `moderated`, `review` (of the result) or `failed`."""

    def bad_key(self) -> Response:
        """Reply that the key is wrong."""

    def out_of_funds(self) -> Response:
        """Reply that the balance is too low."""

    def too_many(self) -> Response:
        """Reply with 429."""

    def server_error(self) -> Response:
        """Reply with 500 in the provider's own form."""

    def unknown_job(self, name: str) -> Response:
        """Reply that there is no such job."""


def bad_gateway() -> Response:
    """Return the 502 page of a gateway whose provider did not answer in time."""
    return HTMLResponse(GATEWAY_PAGE, status_code=502)


def gave_up_waiting() -> Response:
    """Return the 524 page of a proxy that has passed the request on and gave up waiting for the answer."""
    return HTMLResponse(GATEWAY_PAGE.replace("502 Bad Gateway", "524: A timeout occurred"), status_code=524)


def broken_off(answer: Response) -> Response:
    """Return an answer whose body is truncated, with a Content-Length that matches the rest."""
    body = bytes(answer.body)
    return Response(body[: len(body) // 2], status_code=answer.status_code, media_type="application/json")


def retry_headers(state: State) -> dict[str, str]:
    """Return the Retry-After header of a 429, in whole seconds as HTTP requires, or as the fault words it."""
    wait = state.faults.retry_after
    if wait is None:
        return {}
    return {"Retry-After": wait if isinstance(wait, str) else str(math.ceil(wait))}
