"""The download task."""

from __future__ import annotations

from pathlib import Path

from prefect.cache_policies import NO_CACHE

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.core.portal import on_core
from prefect_seedance.engine.steps import download
from prefect_seedance.engine.steps.retry import DOWNLOAD
from prefect_seedance.runs.single import STORED, JobTicket, carry_out
from prefect_seedance.tasks.anywhere import anywhere_task
from prefect_seedance.tasks.naming import named
from prefect_seedance.tasks.one_row import context_of, spec_of
from prefect_seedance.tasks.retrying import retries
from prefect_seedance.tasks.routes import route_of_job

__all__ = ["download_video"]


@anywhere_task(
    name="download video",
    task_run_name=named("download"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(DOWNLOAD),
)
async def download_video(
    job: JobTicket,
    *,
    route: RouteDefaults | str | None = None,
    output: str | Path | None = None,
    ledger: str | Path | None = None,
) -> JobTicket:
    """Fetch a finished job's video, verify that it is whole, and store it. A retry resumes the transfer.

    Args:
        job: The result of `poll_video`.
        route: The route block or its name, where another process created the job from an unsaved block.
        output: The folder, or a URL such as `s3://bucket/prefix`, in which videos are kept; None takes the one with
            which the job was created.
        ledger: The ledger's URL, or the path of a SQLite file; default as for `generate_videos`.

    Returns:
        The job, with the path, hash and length of its video.

    Raises:
        NotFound: Made and paid, but the provider no longer has it.
        InvalidVideo: The bytes are not a whole video, after all retries.
        InputError: It cannot be written (disk full, no permission).
    """
    context = context_of(await route_of_job(job, route), ledger)
    spec = spec_of(job.batch, job.take, output)
    return await on_core(
        lambda: carry_out(download.download_patiently, STORED, spec=spec, context=context, key=job.row)
    )
