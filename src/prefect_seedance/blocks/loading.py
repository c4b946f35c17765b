"""From what a user hands over as `route` to plain route settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect_seedance.blocks.route_defaults import RouteDefaults, block_name
from prefect_seedance.errors import InputError
from prefect_seedance.providers import RouteSettings

__all__ = ["RouteLike", "fallen_back_to", "load_routes"]

RouteLike = RouteDefaults | str | Sequence[RouteDefaults | str]
"""One route block, its name, or several of them: the first is the default."""


async def load_routes(route: RouteLike) -> tuple[RouteSettings, ...]:
    """The settings of one or several routes.

    Raises:
        InputError: A block of that name cannot be loaded, or none was given.
    """
    listed: Sequence[Any] = route if isinstance(route, list | tuple) else [route]
    if not listed:
        raise InputError(
            "route=[] names no route: give a RouteDefaults block, its name, or several. Nothing was spent."
        )
    found = [(await _block(one)).to_settings() for one in listed]
    # Blocks fall back to others by name: those are routes of the run as well, behind the ones that were given.
    for settings in found:  # it grows meanwhile
        for name in settings.fall_back:
            if all(known.block != name for known in found):
                found.append((await fallen_back_to(name, settings)).to_settings())
    return tuple(found)


async def fallen_back_to(name: str, settings: RouteSettings) -> RouteDefaults:
    """The saved block to which another one falls back.

    Raises:
        InputError: It cannot be loaded.
    """
    try:
        return await _block(name)
    except InputError as error:
        whose = f"the block {settings.block!r}" if settings.block else f"the route {settings.label}"
        raise InputError(f"{whose} falls back to {name!r}. {error.message}") from None


async def _block(route: Any) -> RouteDefaults:
    if isinstance(route, RouteDefaults):
        return route
    if not isinstance(route, str):
        raise InputError(
            f"route={type(route).__name__}: expected a RouteDefaults block or the name of a saved one. "
            "Nothing was spent."
        )
    name = block_name(route)
    try:
        return await RouteDefaults.aload(name)
    except (ValueError, RuntimeError) as error:
        raise InputError(
            f"There is no saved route block {name!r} that can be used ({error}). Save one in the "
            "Prefect UI (Blocks, Seedance Route Defaults) or with RouteDefaults(...).save(name). Nothing was spent."
        ) from None
