"""The catalogue: every route that the package knows, and the search by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import get_args

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.capabilities import Provider
from prefect_seedance.routes.catalogue.anyfast import ANYFAST
from prefect_seedance.routes.catalogue.jimmy import JIMMY
from prefect_seedance.routes.route import Route

CATALOGUE: tuple[Route, ...] = (*JIMMY, *ANYFAST)
"""All known routes. Menus and lists show them in this order; the setup suggests the first route of a provider."""


def find(model: str, provider: str | None = None, extra: Iterable[Route] = ()) -> Route:
    """Find a route by its model.

    Args:
        model: The `model` value, as the provider writes it.
        provider: `jimmy` or `anyfast`; needed only where both sell a model of that name.
        extra: The user's own routes. One with the provider and model of a catalogue route replaces it; of two with the
            same provider and model, the later one applies.

    Raises:
        InputError: No such provider or model (the text lists similar names), or two providers sell it.
    """
    known = get_args(Provider)
    if provider is not None and provider not in known:
        raise InputError(message("catalogue.provider", provider=provider, known=known))
    routes = {(route.provider, route.model): route for route in (*CATALOGUE, *extra)}
    found = [route for route in routes.values() if route.model == model and provider in {None, route.provider}]
    if len(found) == 1:
        return found[0]
    if found:
        sellers = [route.provider for route in found]
        raise InputError(message("catalogue.several_sellers", model=model, sellers=sellers))
    raise InputError(_not_found(model, provider, list(routes.values())))


def _not_found(model: str, provider: str | None, routes: list[Route]) -> Message:
    name = f"{provider}:{model}" if provider else model
    elsewhere = [route.provider for route in routes if route.model == model]
    if elsewhere:
        return message("catalogue.other_seller", model=name, sellers=elsewhere)
    names = {route.model.casefold(): route.model for route in routes if provider in {None, route.provider}}
    # The providers' names differ by one character (seedance-2.0-mini, seedance2.0-mini): show several matches.
    near = difflib.get_close_matches(model.strip().casefold(), names, n=3, cutoff=0.6)
    if near:
        return message("catalogue.misspelt", model=name, similar=[names[each] for each in near])
    return message("catalogue.no_model", model=name, known=list(names.values()))
