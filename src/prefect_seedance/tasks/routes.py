"""The route of a task in a user's own flow."""

from __future__ import annotations

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.runs.single import JobTicket

__all__ = ["route_of_job", "route_to_use"]

_seen: dict[tuple[str, str, str], RouteSettings] = {}
"""Routes that this process has used, so that it can continue a job of an unsaved block."""


async def route_to_use(route: RouteDefaults | str) -> RouteSettings:
    """The settings of a route; they are remembered for the job's further steps."""
    settings = (await load_routes(route))[0]
    _seen[settings.account.provider, settings.account.label, settings.route.model] = settings
    return settings


async def route_of_job(job: JobTicket, route: RouteDefaults | str | None) -> RouteSettings:
    """The route of a job: the one given, else the one it was created with.

    Raises:
        InputError: This process has not seen the route, and it has no saved block.
    """
    if route is not None:
        return await route_to_use(route)
    if job.route_block is not None:
        return await route_to_use(job.route_block)
    settings = _seen.get((job.provider, job.account, job.model))
    if settings is None:
        raise InputError(message("job.route_unknown"), row=job.row)
    return settings
