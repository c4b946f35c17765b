"""A flow whose parameters are described to Prefect's server.

The server refuses parameters above 512 KB, on direct calls too, and stores all others. So the table and the routes stay
in this process, and the server gets a short description of them: never rows, never a key. Of every address, in
whatever parameter, it gets what stands before the query, without user and password.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, cast

import pandas as pd
from prefect import Flow

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.core.redaction import bare
from prefect_seedance.ledger import shown_url
from prefect_seedance.messages import message

__all__ = ["TableFlow", "table_flow"]

P = ParamSpec("P")
R = TypeVar("R")

NAMED_COLUMNS = 12
"""Columns that the description of a DataFrame names at most."""


class TableFlow(Flow[P, R]):
    """A flow whose `table` and `route` parameters may be of any size, and hold secrets."""

    def serialize_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters as the server gets them: large and secret ones are only described."""
        shown = {name: value for name, value in parameters.items() if name not in _DESCRIBED}
        described = {name: _DESCRIBED[name](value) for name, value in parameters.items() if name in _DESCRIBED}
        return {**_bare(super().serialize_parameters(shown)), **described}

    def with_options(self, **options: Any) -> TableFlow[P, R]:
        """The same flow with other options."""
        made = super().with_options(**options)
        made.__class__ = type(self)
        return cast("TableFlow[P, R]", made)


def table_flow(**options: Any) -> Callable[[Callable[P, R]], TableFlow[P, R]]:
    """`@flow` for a function that takes a whole table."""

    def decorate(function: Callable[P, R]) -> TableFlow[P, R]:
        return TableFlow(function, **options)

    return decorate


def _bare(value: Any) -> Any:
    if isinstance(value, str):
        return bare(value)
    if isinstance(value, Mapping):
        return {bare(str(name)): _bare(part) for name, part in value.items()}
    return [_bare(part) for part in value] if isinstance(value, list | tuple) else value


def _table(table: Any) -> str:
    if isinstance(table, str | os.PathLike):
        return bare(str(table))
    if isinstance(table, pd.DataFrame):
        columns = [
            *map(bare, map(str, table.columns[:NAMED_COLUMNS])),
            *(["…"] if len(table.columns) > NAMED_COLUMNS else []),
        ]
        return str(message("shown.frame", rows=len(table), columns=columns))[:500]
    if isinstance(table, Sequence):
        return str(message("shown.rows", rows=len(table)))
    return str(message("value.other", type=type(table).__name__))


def _route(route: Any) -> Any:
    if isinstance(route, RouteDefaults):
        saved = getattr(route, "_block_document_name", None)
        account = route.credentials.account
        return saved or str(message("shown.unsaved_route", model=route.model, provider=route.provider, account=account))
    if isinstance(route, str):
        return bare(route)
    return [_route(one) for one in route] if isinstance(route, Sequence) else str(type(route).__name__)


def _ledger(url: Any) -> Any:
    if isinstance(url, os.PathLike):
        return bare(os.fspath(url))
    return bare(shown_url(url) if "://" in url else url) if isinstance(url, str) else url


def _only(keys: Any) -> Any:
    if keys is None or isinstance(keys, str):
        return keys if keys is None else bare(keys)
    return [bare(str(key)) for key in keys] if len(keys) <= SHOWN_KEYS else str(message("shown.keys", keys=len(keys)))


SHOWN_KEYS = 100
"""Row keys that a description lists at most."""

_DESCRIBED: Mapping[str, Any] = {"table": _table, "request": _table, "route": _route, "ledger": _ledger, "only": _only}
