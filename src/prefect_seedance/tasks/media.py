"""The tasks that prepare media: uploads and reviews, each done once per content and account."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal

from prefect.cache_policies import NO_CACHE

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.core.portal import on_core
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.run_spec import RunContext
from prefect_seedance.engine.steps.media import review as reviewing
from prefect_seedance.engine.steps.media import upload
from prefect_seedance.engine.steps.retry import MEDIUM
from prefect_seedance.ledger import ledger_url
from prefect_seedance.media import MediaAccess
from prefect_seedance.routes.address import scheme_of
from prefect_seedance.routes.facts import MediaKind
from prefect_seedance.routes.forms import Form
from prefect_seedance.runs.single import prepare_medium
from prefect_seedance.tasks.anywhere import anywhere_task
from prefect_seedance.tasks.home import prefect_home
from prefect_seedance.tasks.naming import named
from prefect_seedance.tasks.retrying import retries
from prefect_seedance.tasks.routes import route_to_use

__all__ = ["review_media", "upload_media"]


@anywhere_task(
    name="upload media",
    task_run_name=named("upload"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(MEDIUM),
)
async def upload_media(
    medium: str | Path,
    *,
    route: RouteDefaults | str,
    kind: MediaKind = "image",
    media_root: str | Path | None = None,
    ledger: str | Path | None = None,
) -> str:
    """Upload a file to the provider's own file store (Jimmy AI). It costs nothing.

    The same content is uploaded once per account, while its link is valid (about three days).

    Args:
        medium: A path, a data URI, or an fsspec URL such as `s3://bucket/logo.png`.
        route: A route block of the account, or its name.
        kind: What it is.
        media_root: The folder below which files may be read; default: the file's own.
        ledger: The ledger's URL, or the path of a SQLite file; default as for `generate_videos`.

    Returns:
        The link, as a request takes it.

    Raises:
        InputError: The file cannot be read, or the provider has no upload.
        Refused: The provider does not accept the file.
    """
    return await _prepared(medium, route, kind, "link", upload.upload, media_root, ledger)


@anywhere_task(
    name="review media",
    task_run_name=named("review"),
    cache_policy=NO_CACHE,
    persist_result=False,
    **retries(MEDIUM),
)
async def review_media(
    medium: str | Path,
    *,
    route: RouteDefaults | str,
    kind: MediaKind = "image",
    review: Literal["asset", "portrait"] = "asset",
    media_root: str | Path | None = None,
    ledger: str | Path | None = None,
) -> str:
    """Submit a medium to the provider's asset library, and wait until it has passed the review.

    The same content is submitted once per account. At Anyfast each request for an asset is billed: it is recorded in
    the ledger first, and never repeated while it may have been accepted.

    Args:
        medium: A link, a path, a data URI, or an fsspec URL.
        route: A route block of the account, or its name.
        kind: What it is.
        review: `portrait` for the picture of a real person on the SP routes of Jimmy AI.
        media_root: The folder below which files may be read; default: the file's own.
        ledger: The ledger's URL, or the path of a SQLite file; default as for `generate_videos`.

    Returns:
        The reference, such as `asset://…`, as a request takes it.

    Raises:
        ContentRejected: It did not pass.
        InputError: The file cannot be read, or the route has no library.
    """
    return await _prepared(medium, route, kind, review, reviewing.review, media_root, ledger)


async def _prepared(
    medium: str | Path,
    route: RouteDefaults | str,
    kind: MediaKind,
    form: Form,
    step: Callable[[Medium], Coroutine[Any, Any, None]],
    media_root: str | Path | None,
    ledger: str | Path | None,
) -> str:
    settings = await route_to_use(route)
    address = os.fspath(medium)
    if media_root is None and scheme_of(address) == "file" and "://" not in address:
        address = str(Path(address).absolute())  # relative to the working directory, not to the file's own folder
    media_access = MediaAccess(
        folder=Path(media_root) if media_root is not None else Path(address).absolute().parent,
        loopback=settings.account.on_loopback,
    )
    context = RunContext(routes=(settings,), ledger_url=ledger_url(ledger, prefect_home()), media_access=media_access)
    return await on_core(lambda: prepare_medium(address, kind, form, step, context=context))
