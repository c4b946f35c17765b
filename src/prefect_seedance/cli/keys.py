"""The routes of a command: saved blocks by name, or models with a key from the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from prefect_seedance.blocks import PriceBook, RouteDefaults
from prefect_seedance.blocks.credentials import CREDENTIALS, AnyCredentials
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.routes import find

__all__ = ["read_prices", "routes_of"]

MAX_IN_FLIGHT = 20
"""Jobs of a route in flight, unless the command says otherwise."""


def routes_of(
    blocks: Sequence[str], models: Sequence[str], prices: PriceBook | None, max_in_flight: int | None = None
) -> list[RouteDefaults | str]:
    """The routes that a command names.

    Args:
        blocks: Names of saved route blocks.
        models: Models, whose providers' keys are in the environment.
        prices: Prices for `models`.
        max_in_flight: Jobs in flight, for `models`.

    Raises:
        InputError: No route was named, a provider's key is missing, or an option for `models` came with a saved block.
    """
    if blocks:
        for option, value in (("--prices", prices), ("--max-in-flight", max_in_flight)):
            if value is not None:
                raise InputError(message("cli.option_of_model", option=option, block=blocks[0]))
    routes: list[RouteDefaults | str] = list(blocks)
    for model in models:
        fields: dict[str, Any] = {"model": model, "prices": prices, "max_in_flight": max_in_flight or MAX_IN_FLIGHT}
        try:
            routes.append(RouteDefaults(credentials=_credentials(find(model).provider), **fields))
        except ValidationError as error:
            reasons = [problem["msg"] for problem in error.errors()]
            raise InputError(message("block.invalid", reasons=reasons)) from None
    if not routes:
        raise InputError(message("cli.no_route"))
    return routes


def _credentials(provider: str) -> AnyCredentials:
    name = provider.upper()
    key = os.environ.get(f"{name}_API_KEY", "").strip()
    if not key:
        raise InputError(message("cli.no_key", provider=provider, variable=f"{name}_API_KEY"))
    fields: dict[str, Any] = {"api_key": SecretStr(key), "account": os.environ.get(f"{name}_ACCOUNT", "default")}
    if base_url := os.environ.get(f"{name}_BASE_URL", "").strip():
        fields["base_url"] = base_url
    return CREDENTIALS[provider](**fields)


def read_prices(path: Path | None) -> PriceBook | None:
    """A price book from a JSON file: `{"currency": "CNY", "prices": {"seedance2.0-mini-720p": "0.05"}}`.

    Raises:
        InputError: The file cannot be read or is no price book.
    """
    if path is None:
        return None
    try:
        return PriceBook.model_validate(json.loads(path.read_text(encoding="utf-8"), parse_float=str))
    except ValidationError as error:
        reasons = "; ".join(str(problem["msg"]) for problem in error.errors())
        raise InputError(message("block.bad_price_book", path=path, reasons=reasons)) from None
    except (OSError, ValueError) as error:
        raise InputError(message("block.unreadable_price_book", path=path, reason=error)) from None
