"""Settles an unknown outcome by a person's decision, from the Prefect UI or from code."""

# Annotations are no strings here: Prefect may load this file by its path, and could not resolve them then.

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from prefect_seedance.blocks.loading import load_routes, saved_routes
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import blocking
from prefect_seedance.ledger import RowRecord, ledger_url
from prefect_seedance.providers import RouteSettings
from prefect_seedance.runs.resolve import resolve_all, resolve_row
from prefect_seedance.tasks.home import prefect_home

__all__ = ["resolve_video", "resolve_videos"]


@table_flow(name="resolve an unknown video", flow_run_name="resolve {batch} {row}")
@blocking
async def resolve_video(
    batch: str,
    row: str,
    *,
    verdict: Literal["not_made", "lost", "job"],
    job_id: str | None = None,
    cost: str | None = None,
    take: str = "1",
    route: Any = None,
    ledger: str | Path | None = None,
) -> str | State[Any]:
    """Settle a row whose outcome is unknown, after you have looked it up at the provider. Nothing is spent.

    Args:
        batch: The batch.
        row: The row id; for a billed asset request its number, as messages give it: `asset:7`.
        verdict: not_made: nothing was made or charged, the next run makes it. lost: it was made and paid, and cannot be
            fetched; its cost is counted. job: its job is known, and the next run or sweep fetches it.
        job_id: The provider's id of the job, for the verdict job. Empty: the job that the row's answer names.
        cost: What it cost, such as `0.25 CNY`, for the verdict lost. Empty: the quote, where that was exact.
        take: The take.
        route: A route block of the account that paid, or its name: the provider is asked about the job first, for free.
            Empty: the saved blocks are searched for one.
        ledger: The ledger's URL, or the path of a SQLite file. Default: PREFECT_SEEDANCE_LEDGER, else one under
            PREFECT_HOME.

    Returns:
        What was done, in words.

    Raises:
        InputError: There is no such unknown row, or the verdict needs a job id or a cost.
    """

    async def routes_for(record: RowRecord) -> Sequence[RouteSettings]:
        return await load_routes(route) if route else await saved_routes(record.provider, record.account)

    try:
        done = str(
            await resolve_row(
                batch=batch,
                row=row,
                verdict=verdict,
                job_id=job_id,
                cost=cost,
                take=take,
                routes_for=routes_for,
                ledger_url=ledger_url(ledger, prefect_home()),
            )
        )
    except SeedanceError as error:
        return failed(error, "Not resolved")
    get_run_logger().info(done)
    return Completed(name="Resolved", message=done, data=done)


@table_flow(name="resolve unknown videos", flow_run_name="resolve {batch}")
@blocking
async def resolve_videos(
    batch: str,
    *,
    verdict: Literal["not_made", "lost"],
    reason: str | None = None,
    since: str | None = None,
    until: str | None = None,
    take: str | None = None,
    confirm: bool = False,
    ledger: str | Path | None = None,
) -> str | State[Any]:
    """Settle all unknown rows of a batch at once, or those of one reason or time. Nothing is sent.

    Without `confirm` nothing is changed: it says how many rows there are, why they are unknown, and what they may have
    cost.

    Args:
        batch: The batch.
        verdict: not_made: nothing was made or charged, the next run makes them. lost: they were made and paid, and
            cannot be fetched; their quotes are counted as their cost where they were exact.
        reason: Only rows with this error code or kind, such as `http-524`, as the reports show it.
        since: Only creates that were sent at this time or later, such as `2026-11-30 21:00`; UTC, unless it names a
            zone.
        until: Only creates that were sent before this time.
        take: Only this take. Empty: all takes.
        confirm: Settle them.
        ledger: The ledger's URL, or the path of a SQLite file. Default: PREFECT_SEEDANCE_LEDGER, else one under
            PREFECT_HOME.

    Returns:
        What there is, and what was done, in words.

    Raises:
        InputError: There is no such batch, or a time cannot be read.
    """
    try:
        found = await resolve_all(
            batch=batch,
            verdict=verdict,
            reason=reason,
            since=since,
            until=until,
            take=take,
            confirm=confirm,
            ledger_url=ledger_url(ledger, prefect_home()),
        )
    except SeedanceError as error:
        return failed(error, "Not resolved")
    done = str(found)
    get_run_logger().info(done)
    return Completed(name="Not confirmed" if found.settled is None else "Resolved", message=done, data=done)
