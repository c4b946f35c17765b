"""Uses a model by its name alone, and says what it saw as JSON; for `test_new_model.py`."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from prefect_seedance.cli.app import run
from prefect_seedance.cli.demo import sandbox_key, sandbox_prices
from prefect_seedance.flows import forms
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import VideoRequest, find, quote
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.accounts.faultline import World


def seen(model: str, folder: Path) -> dict[str, Any]:
    """Everything that a user meets of a model."""
    route = find(model)
    prices = sandbox_prices().to_prices()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        run(["routes"])
    flows = [getattr(forms, name) for name in forms.__all__]
    menus = [flow.parameters.properties["model"]["enum"] for flow in flows if "model" in flow.parameters.properties]
    with SandboxServer(SandboxSettings(speed=400.0)) as server:
        account = Account(route.provider, "default", server.url, api_key=sandbox_secret(route.provider))
        settings = RouteSettings(account, route, VideoRequest(duration=4), prices, poll_seconds=0.05)
        world = World((server, server), (settings,), folder)
        result = asyncio.run(
            world.run([{"id": "a", "prompt": "a lamp", "model": model}], limits=RunLimits(), patience=60)
        )
        bill = [(line.model, str(line.amount)) for line in server.state.bill()]
    record = result.records["a"]
    quoted = quote(route, VideoRequest(prompt="a lamp", duration=4), prices)
    return {
        "menus": [model in menu for menu in menus],
        "printed": model in printed.getvalue(),
        "quoted": str(quoted.low),
        "state": str(record.state),
        "bill": bill,
    }


def sandbox_secret(provider: str) -> SecretStr:
    """The sandbox's key."""
    return SecretStr(sandbox_key(provider))


if __name__ == "__main__":
    sys.stdout.write(json.dumps({model: seen(model, Path(sys.argv[1]) / model) for model in sys.argv[2:]}) + "\n")
