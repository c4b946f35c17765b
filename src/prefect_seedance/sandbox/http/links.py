"""URLs of the sandbox: its base URL, and signed result links."""

from __future__ import annotations

from starlette.requests import Request

from prefect_seedance.sandbox.world.job import Job
from prefect_seedance.sandbox.world.state import State


def base_url(request: Request, state: State) -> str:
    """Return the base URL that the client uses, without a trailing slash."""
    return (state.settings.public_url or str(request.base_url)).rstrip("/")


def result_link(request: Request, state: State, job: Job) -> str:
    """Return the signed link to a job's video."""
    expires = int((job.finished_at or job.created_at) + job.link_seconds)
    stale = "stale_link" in job.effects and state.nth("link", job.id) == 0
    if stale or "expired_link" in job.effects:
        expires = int(min(expires, state.now())) - 1
    return f"{base_url(request, state)}/_files/{job.id}.mp4?sig={state.signature(job.id, expires)}&expires={expires}"
