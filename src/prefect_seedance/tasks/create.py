"""The create task."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect.cache_policies import NO_CACHE

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.core.portal import on_core
from prefect_seedance.engine.steps.retry import CREATE
from prefect_seedance.routes import VideoRequest
from prefect_seedance.runs.single import MADE, JobTicket, carry_out, create_with_media
from prefect_seedance.tables.reader import read_table
from prefect_seedance.tasks.anywhere import anywhere_task
from prefect_seedance.tasks.naming import named
from prefect_seedance.tasks.one_row import context_of, spec_of
from prefect_seedance.tasks.retrying import retries
from prefect_seedance.tasks.routes import route_to_use

__all__ = ["create_video", "one_request"]

PATIENCE = 3600.0
"""Seconds that it waits while the provider asks for a pause, and for the review of a medium: as long as a run does."""


@anywhere_task(
    name="create video",
    task_run_name=named("create"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(CREATE),
)
async def create_video(
    request: VideoRequest | Mapping[str, Any] | str,
    *,
    route: RouteDefaults | str,
    batch: str,
    row: str | None = None,
    take: str = "1",
    output: str | Path = "videos",
    ledger: str | Path | None = None,
    media_root: str | Path | None = None,
) -> JobTicket:
    """Create one video job: recorded in the ledger first, sent once.

    Called again for the same batch and row, it pays nothing and returns the existing job. It is retried only after a
    temporary proven refusal (a rate limit, a connection that was never made). Where the provider asks for a pause of
    more than an hour, it fails with `RateLimited`, which says when to come again.

    Args:
        request: What the video should be: a request, its fields, or just a prompt.
        route: The route block or its name.
        batch: The batch under which the row is kept.
        row: The row key; without it, one is made from the request.
        take: Another take generates the same row again, and pays again.
        output: The folder, or a URL such as `s3://bucket/prefix`, in which videos are kept.
        ledger: The ledger's URL, or the path of a SQLite file; default as for `generate_videos`.
        media_root: The folder below which local media may be read.

    Returns:
        The job, as plain data for `poll_video`.

    Raises:
        InputError: The route cannot honour the request; nothing was spent.
        Refused: The provider refused; nothing was spent.
        UnknownOutcome: It may have been made. The row is kept as unknown and never sent again automatically.
    """
    meant, key, former = one_request(request, row)
    settings = await route_to_use(route)
    spec, context = spec_of(batch, take, output, PATIENCE), context_of(settings, ledger, media_root=media_root)
    return await on_core(
        lambda: carry_out(
            create_with_media, MADE, spec=spec, context=context, key=key, request=meant, former_keys=former
        )
    )


def one_request(
    request: VideoRequest | Mapping[str, Any] | str, row: str | None
) -> tuple[VideoRequest, str, tuple[str, ...]]:
    """The request, its key, and the keys by which earlier versions knew it.

    It is read as a table of one row, so that the keys are the same as in a table.
    """
    fields = {"prompt": request} if isinstance(request, str) else request
    table = read_table([fields])
    table.require_good()
    (found,) = table.rows
    return (found.request, row, ()) if row else (found.request, found.key, found.former_keys)
