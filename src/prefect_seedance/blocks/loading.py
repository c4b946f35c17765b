"""From what a user hands over as `route` to plain route settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect_seedance.blocks.route_defaults import RouteDefaults
from prefect_seedance.errors import UserMistake
from prefect_seedance.providers import RouteSettings

__all__ = ["RouteLike", "load_routes"]

RouteLike = RouteDefaults | str | Sequence[RouteDefaults | str]
"""One route block, its name, or several of them: the first is the default."""


async def load_routes(route: RouteLike) -> tuple[RouteSettings, ...]:
    """The settings of one or several routes.

    Raises:
        UserMistake: A block of that name cannot be loaded, or none was given.
    """
    listed: Sequence[Any] = route if isinstance(route, list | tuple) else [route]
    if not listed:
        raise UserMistake(
            "route=[] names no route: give a RouteDefaults block, its name, or several. Nothing was spent."
        )
    return tuple([(await _block(one)).to_settings() for one in listed])


async def _block(route: Any) -> RouteDefaults:
    if isinstance(route, RouteDefaults):
        return route
    if not isinstance(route, str):
        raise UserMistake(
            f"route={type(route).__name__}: expected a RouteDefaults block or the name of a saved one. "
            "Nothing was spent."
        )
    name = route.removeprefix(f"{RouteDefaults._block_type_slug}/")  # noqa: SLF001 - our own class
    try:
        return await RouteDefaults.aload(name)
    except (ValueError, RuntimeError) as error:
        raise UserMistake(
            f"There is no saved route block {name!r} that can be used ({error}). Save one in the "
            "Prefect UI (Blocks, Seedance Route Defaults) or with RouteDefaults(...).save(name). Nothing was spent."
        ) from None
