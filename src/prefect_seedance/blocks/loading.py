"""Turns what a user passes as `route` into plain route settings."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound

from prefect_seedance.blocks.route_defaults import SLUG, RouteDefaults, block_name
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes.pricing.spending_limit import strictest

__all__ = ["RouteLike", "load_fallback", "load_routes", "saved_routes"]

RouteLike = RouteDefaults | str | Sequence[RouteDefaults | str]
"""One route block or its name, or several of them: the first is the default."""


async def load_routes(route: RouteLike) -> tuple[RouteSettings, ...]:
    """The settings of one or several routes, and of the routes that they fall back to.

    Raises:
        InputError: A block cannot be loaded, or no route was given.
    """
    listed: Sequence[Any] = route if isinstance(route, list | tuple) else [route]
    if not listed:
        raise InputError(message("block.none_given"))
    found = [(await _load(one)).to_settings() for one in listed]
    # Blocks fall back to others by name. Those are routes of the run as well, after the ones that were given.
    for settings in found:  # the list grows during the loop
        for name in settings.fall_back:
            if all(known.block != name for known in found):
                found.append((await load_fallback(name, settings)).to_settings())
    return tuple(_with_strictest_limits(found))


def _with_strictest_limits(found: Sequence[RouteSettings]) -> list[RouteSettings]:
    """The routes, each under the spending limits of all blocks of its account."""
    together = []
    for settings in found:
        same = [each.account for each in found if each.account.identity == settings.account.identity]
        limits = strictest(limit for account in same for limit in account.spending_limits)
        together.append(replace(settings, account=replace(settings.account, spending_limits=limits)))
    return together


async def load_fallback(name: str, settings: RouteSettings) -> RouteDefaults:
    """Load a saved block to which another route falls back.

    Raises:
        InputError: The block cannot be loaded.
    """
    try:
        return await _load(name)
    except InputError as error:
        if settings.block:
            text = message("block.fall_back_of_block", block=settings.block, name=name, reason=error.text)
        else:
            text = message("block.fall_back_of_route", route=settings.label, name=name, reason=error.text)
        raise InputError(text) from None


async def saved_routes(provider: str, account: str) -> tuple[RouteSettings, ...]:
    """The saved route of an account, if there is one; blocks that cannot be loaded are left out."""
    async with get_client() as client:
        try:
            documents = await client.read_block_documents_by_type(SLUG)
        except ObjectNotFound:
            return ()  # no route was ever saved on this server
    for document in documents:
        if document.name is None:
            continue
        with contextlib.suppress(SeedanceError):
            settings = (await _load(document.name)).to_settings()
            if (settings.account.provider, settings.account.label) == (provider, account):
                return (settings,)
    return ()


async def _load(route: Any) -> RouteDefaults:
    if isinstance(route, RouteDefaults):
        return route
    if not isinstance(route, str):
        raise InputError(message("block.wrong_type", type=type(route).__name__))
    name = block_name(route)
    try:
        return await RouteDefaults.aload(name)
    except (ValueError, RuntimeError) as error:
        raise InputError(message("block.not_found", name=name, reason=error)) from None
