"""The route expression: a row's list of routes in order of preference, or a choice by price.

| a cell, or a list in JSON | meaning |
| --- | --- |
| `seedance2.0-mini` | this model, on the first of the given routes that sells it |
| `seedance2.0-mini > anyfast:seedance-2.0-mini` | the first route; after a proven refusal the second |
| `jimmy/studio:seedance2.0-mini` | the same model of one account |
| `night-mini` | the saved route block of that name |
| `cheapest` | the cheapest of the given routes that can honour the row |
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from prefect_seedance.messages import message

__all__ = ["CHEAPEST", "RouteName", "parse_route_expression"]

CHEAPEST = "cheapest"

MAX_ROUTES = 20
"""The largest number of routes that one row can name."""

_CHEAPEST = frozenset({CHEAPEST, "最便宜", "最低价"})
_ARROW = re.compile(r"\s*(?:[-=]*[>＞→›»]+|\n)\s*")
_NAME = re.compile(r"(?:(?P<provider>[^\s/:]+)(?:/(?P<account>[^:]+))?\s*:\s*)?(?P<name>[^\s:]+)")
_OTHER_SEPARATORS = re.compile(r"[,;，；、|｜<>＞→›»\[\]{}\"'\n]")


@dataclass(frozen=True, slots=True)
class RouteName:
    """The name of one route in an expression.

    Attributes:
        name: A model, or the name of a saved block.
        provider: The provider; None: any.
        account: The label of the account that pays; None: any.
    """

    name: str
    provider: str | None = None
    account: str | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `model`, `provider:model` or `provider/account:model`.

        Raises:
            ValueError: The text has none of these forms; the message says what is expected.
        """
        found = _NAME.fullmatch(text.strip().replace("：", ":"))
        if found is None or _OTHER_SEPARATORS.search(text.strip()):
            raise ValueError(message("route_expression.not_a_route", name=text.strip()[:80]))
        provider, account = found["provider"], found["account"]
        return cls(found["name"], provider and provider.lower(), account and account.strip())

    def fits(self, *, provider: str, account: str, model: str, block: str | None = None) -> bool:
        """Return whether this name refers to such a route."""
        same_account = self.provider in {None, provider} and self.account in {None, account}
        return same_account and (self.name == model or (self.name == block and block is not None))

    def __str__(self) -> str:
        account = f"/{self.account}" if self.account else ""
        return f"{self.provider}{account}:{self.name}" if self.provider else self.name


def parse_route_expression(text: str | Sequence[Any]) -> tuple[str, ...]:
    """Return the routes that a row names, first choice first, each as `RouteName` formats it; or `("cheapest",)`.

    Args:
        text: Names separated by `>`, `→` or line breaks; a JSON array as text; or a list.

    Raises:
        ValueError: It cannot be read; the message says what is wrong and what is expected.
    """
    parts = _parts(text) if isinstance(text, str) else list(text)
    if not parts:
        raise ValueError(message("route_expression.empty_list"))
    if not all(isinstance(part, str) and part.strip() for part in parts):
        raise ValueError(message("route_expression.empty_entry"))
    if len(parts) > MAX_ROUTES:
        raise ValueError(message("route_expression.too_many", count=len(parts), most=MAX_ROUTES))
    cheapest = [part for part in parts if part.strip().casefold() in _CHEAPEST]
    if cheapest and len(parts) > 1:
        raise ValueError(message("route_expression.cheapest_beside_others", cheapest=CHEAPEST))
    if cheapest:
        return (CHEAPEST,)
    names = tuple(str(RouteName.read(part)) for part in parts)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(message("route_expression.twice", name=twice))
    return names


def _parts(text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(message("route_expression.not_a_list")) from None
        return list(found)
    return _ARROW.split(text.strip())
