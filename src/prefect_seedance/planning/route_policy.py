"""Chooses the candidate routes of a row: those that it names, or those of the run, by order or by price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes.route_expression import CHEAPEST, RouteName
from prefect_seedance.tables.reader import TableRow

__all__ = ["Choose", "RoutePolicy", "wanted_routes"]

Choose = Literal["first", "in_order", "cheapest"]


@dataclass(frozen=True, slots=True)
class RoutePolicy:
    """How a run chooses the route of a row that names none.

    Attributes:
        how: `first`: the first route that fits the row's `model` and `provider`, then those to which its block falls
            back; `in_order`: all that fit, in the order given; `cheapest`: all that fit, by price.
        currency: The currency in which prices are compared; None takes that of the first route with a price.
    """

    how: Choose = "first"
    currency: str | None = None

    def __post_init__(self) -> None:
        if self.how not in get_args(Choose):
            raise InputError(message("choice.unknown", choose=self.how, known=get_args(Choose)))


def wanted_routes(
    row: TableRow, routes: Sequence[RouteSettings], policy: RoutePolicy
) -> tuple[list[RouteSettings], bool]:
    """The candidate routes of a row in order, and whether they are to be ordered by price.

    Raises:
        InputError: The row names an unknown route, or names routes in two ways.
    """
    if row.routes and row.routes != (CHEAPEST,):
        if row.model or row.provider:
            raise InputError(message("choice.named_twice", routes=" > ".join(row.routes), named=_constraints(row)))
        return _distinct(_named(name, routes) for name in row.routes), False
    fitting = [settings for settings in routes if _fits(row, settings)]
    if not fitting:
        raise InputError(message("choice.none_fits", named=_constraints(row), routes=_names(routes)))
    if row.routes or policy.how == "cheapest":
        return _distinct(fitting), True
    if policy.how == "in_order":
        return _distinct(fitting), False
    first = fitting[0]
    fall_back = (settings for name in first.fall_back for settings in routes if settings.block == name)
    return _distinct([first, *fall_back]), False


def _named(text: str, routes: Sequence[RouteSettings]) -> RouteSettings:
    name = _read(text)
    for settings in routes:
        account = settings.account
        if name.fits(
            provider=account.provider, account=account.label, model=settings.route.model, block=settings.block
        ):
            return settings
    raise InputError(message("choice.unknown_route", name=text, routes=_names(routes)))


_read = lru_cache(1000)(RouteName.read)


def _fits(row: TableRow, settings: RouteSettings) -> bool:
    if row.model not in {None, settings.route.model}:
        return False
    return row.provider is None or row.provider.casefold() == settings.account.provider


def _distinct(routes: Iterable[RouteSettings]) -> list[RouteSettings]:
    """The routes without repetitions: two names may mean the same route."""
    known: dict[tuple[Account, str], RouteSettings] = {}
    for settings in routes:
        known.setdefault((settings.account, settings.route.model), settings)
    return list(known.values())


def _constraints(row: TableRow) -> str:
    columns = (("model", row.model), ("provider", row.provider))
    return " ".join(f"{name}={value!r}" for name, value in columns if value)


def _names(routes: Sequence[RouteSettings]) -> tuple[str, ...]:
    """The routes' names, as a cell may give them."""
    names = []
    for each in routes:
        name = f"{each.account.provider}/{each.account.label}:{each.route.model}"
        names.append(f"{each.block} ({name})" if each.block else name)
    return tuple(names)
