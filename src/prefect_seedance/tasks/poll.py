"""The poll task."""

from __future__ import annotations

from pathlib import Path

from prefect.cache_policies import NO_CACHE

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.core.portal import on_core
from prefect_seedance.engine.steps import poll
from prefect_seedance.engine.steps.retry import POLL
from prefect_seedance.runs.single import ENDED, JobTicket, carry_out
from prefect_seedance.tasks.anywhere import anywhere_task
from prefect_seedance.tasks.naming import named
from prefect_seedance.tasks.one_row import context_of, spec_of
from prefect_seedance.tasks.retrying import retries
from prefect_seedance.tasks.routes import route_of_job

__all__ = ["poll_video"]


@anywhere_task(
    name="poll video",
    task_run_name=named("poll"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(POLL),
)
async def poll_video(
    job: JobTicket,
    *,
    route: RouteDefaults | str | None = None,
    patience: float = 3600,
    output: str | Path | None = None,
    ledger: str | Path | None = None,
) -> JobTicket:
    """Wait for a job, and settle its charge. All jobs of an account share one poller, which this task waits for.

    Args:
        job: The result of `create_video`.
        route: The route block or its name, where another process created the job from an unsaved block.
        patience: Seconds to wait.
        output: The folder, or a URL such as `s3://bucket/prefix`, in which videos are kept; None takes the one with
            which the job was created.
        ledger: The ledger's URL, or the path of a SQLite file; default as for `generate_videos`.

    Returns:
        The job, as plain data for `download_video`.

    Raises:
        JobFailed: The job failed at the provider (`ContentRejected` where the content was the reason).
        StillRunning: It still runs when the patience is over. It is kept, and may be polled again.
    """
    context = context_of(await route_of_job(job, route), ledger)
    spec = spec_of(job.batch, job.take, output, patience)
    return await on_core(lambda: carry_out(poll.poll, ENDED, spec=spec, context=context, key=job.row))
