"""The tasks of a run: each step of each row, or of a medium, as a task run. They are not for a user's own flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from prefect_seedance.core.portal import on_core
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.step_runner import StepRunner
from prefect_seedance.engine.steps import create, download, poll
from prefect_seedance.engine.steps.media import review, upload
from prefect_seedance.engine.steps.retry import CREATE, DOWNLOAD, MEDIUM, POLL
from prefect_seedance.tasks.retrying import retries

__all__ = ["PER_STEP", "review_medium", "upload_medium"]


def _named(verb: str) -> Callable[..., str]:
    def name(parameters: Mapping[str, Any]) -> str:
        (subject,) = parameters.values()
        return f"{verb} {subject}"

    return name


@task(
    name="create video",
    task_run_name=_named("create"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(CREATE),
)
async def create_row(row: Row) -> None:
    """Create the job of a row."""
    await on_core(lambda: create.create(row))


@task(
    name="poll video",
    task_run_name=_named("poll"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(POLL),
)
async def poll_row(row: Row) -> None:
    """Wait for the job of a row. All jobs of an account share one poller."""
    await on_core(lambda: poll.poll(row))


@task(
    name="download video",
    task_run_name=_named("download"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(DOWNLOAD),
)
async def download_row(row: Row) -> None:
    """Fetch, verify and store the video of a row."""
    await on_core(lambda: download.download(row))


@task(
    name="upload media",
    task_run_name=_named("upload"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(MEDIUM),
)
async def upload_medium(medium: Medium) -> None:
    """Upload a medium, for all rows that use it."""
    await on_core(lambda: upload.upload(medium))


@task(
    name="review media",
    task_run_name=_named("review"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(MEDIUM),
)
async def review_medium(medium: Medium) -> None:
    """Have a medium reviewed, for all rows that use it."""
    await on_core(lambda: review.review(medium))


PER_STEP = StepRunner(
    create=create_row, poll=poll_row, download=download_row, upload=upload_medium, review=review_medium
)
"""Each step of each row as a Prefect task run."""
