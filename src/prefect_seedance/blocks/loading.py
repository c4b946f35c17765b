"""From what a user hands over as `route` to plain route settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect_seedance.blocks.route_defaults import RouteDefaults, block_name
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
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
        raise InputError(message("block.none_given"))
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
        if settings.block:
            text = message("block.fall_back_of_block", block=settings.block, name=name, reason=error.text)
        else:
            text = message("block.fall_back_of_route", route=settings.label, name=name, reason=error.text)
        raise InputError(text) from None


async def _block(route: Any) -> RouteDefaults:
    if isinstance(route, RouteDefaults):
        return route
    if not isinstance(route, str):
        raise InputError(message("block.wrong_type", type=type(route).__name__))
    name = block_name(route)
    try:
        return await RouteDefaults.aload(name)
    except (ValueError, RuntimeError) as error:
        raise InputError(message("block.not_found", name=name, reason=error)) from None
