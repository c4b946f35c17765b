"""The demo: a whole run on the sandbox, with a Prefect server and its UI on loopback."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from prefect_seedance.cli.console import out
from prefect_seedance.cli.live import live_view
from prefect_seedance.cli.prefect_server import free_port, local_server, spawned
from prefect_seedance.errors import SeedanceError
from prefect_seedance.messages import message

if TYPE_CHECKING:
    from prefect_seedance.blocks import PriceBook

__all__ = ["prompts", "run_demo", "sandbox_key", "sandbox_prices"]

BATCH = "demo"


def run_demo(folder: Path, *, keep: bool, speed: float) -> int:
    """Run the demo in `folder` and show its result. Returns the exit code."""
    from prefect_seedance.media.storage.folders import make_folder  # noqa: PLC0415 - a heavy import

    make_folder(folder)
    # Prefect reads its settings while it is imported, so they are set before that.
    os.environ["PREFECT_HOME"] = str(folder / "prefect")
    os.environ["PREFECT_SEEDANCE_LEDGER"] = str(folder / "ledger.db")
    out.print(f"[bold]prefect-seedance demo[/]  {message('demo.title')}")
    with contextlib.ExitStack() as stack:
        with out.status(str(message("demo.starting"))):
            sandbox = stack.enter_context(_sandbox(folder, speed))
            server = stack.enter_context(local_server(folder / "prefect", folder / "logs" / "prefect-server.log"))
        os.environ["PREFECT_API_URL"] = f"{server}/api"
        out.print(f"Sandbox of both providers   {sandbox}\nPrefect UI                  {server}")
        code = _generate(folder, sandbox)
        out.print(f"Ledger   {folder / 'ledger.db'}")
        if keep:
            out.print(f"\n{message('demo.ui_stays', server=server)}")
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
        else:
            out.print(f"\n{message('demo.look', server=server)}")
    return code


@contextlib.contextmanager
def _sandbox(folder: Path, speed: float) -> Iterator[str]:
    port = free_port(8765)
    command = [sys.executable, "-m", "prefect_seedance.sandbox", "--port", str(port), "--speed", str(speed)]
    log = folder / "logs" / "sandbox.log"
    with spawned([*command, "--state", str(folder / "sandbox.db")], os.environ, log) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            if process.poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(url, timeout=2, trust_env=False)
                yield url
                return
            time.sleep(0.05)
        raise SeedanceError(message("demo.sandbox_failed", log=log))


def _generate(folder: Path, sandbox: str) -> int:
    with out.status(str(message("demo.saving_blocks"))):
        names = _save_blocks(sandbox)
    from prefect_seedance.flows import generate_videos  # noqa: PLC0415
    from prefect_seedance.reports.terminal import show_result  # noqa: PLC0415

    table = prompts()
    out.print(f"Table                       {table}\n")
    with live_view(len(table.read_text(encoding="utf-8").splitlines()) - 1):
        result = generate_videos(str(table), route=names, batch=BATCH, output=folder / "videos")
    show_result(out, result)
    if not result.made:
        out.print(str(message("demo.nothing_new")), style="bold")
    return 0


def prompts() -> Path:
    """The demo's table: the one in the repository, or the copy that is installed with the package."""
    checkout = Path(__file__).parents[3] / "examples" / "prompts.csv"
    return checkout if checkout.exists() else Path(str(files("prefect_seedance.cli") / "prompts.csv"))


def sandbox_prices() -> PriceBook:
    """The prices of the sandbox. They are invented: the providers publish none."""
    from prefect_seedance.blocks import PriceBook  # noqa: PLC0415
    from prefect_seedance.sandbox.world.prices import price_list  # noqa: PLC0415

    return PriceBook(currency="CNY", prices={line: str(price) for line, price in price_list().items()})


def sandbox_key(provider: str) -> str:
    """The key of a provider's API in a new sandbox."""
    from prefect_seedance.sandbox.settings import DEFAULT_KEYS  # noqa: PLC0415

    return next(key for key, owner in DEFAULT_KEYS.items() if owner == provider)


def _models() -> tuple[str, ...]:
    """The first model of the catalogue, which makes the rows that name none, and the models that the table names."""
    from prefect_seedance.routes import CATALOGUE  # noqa: PLC0415

    with prompts().open(encoding="utf-8", newline="") as table:
        named = [row["model"] for row in csv.DictReader(table)]
    return tuple(dict.fromkeys(filter(None, (CATALOGUE[0].model, *named))))


def _save_blocks(sandbox: str) -> list[str]:
    """Register the block types and save the demo's blocks; returns the names of its routes."""
    from prefect_seedance.blocks import RouteDefaults  # noqa: PLC0415
    from prefect_seedance.blocks.credentials import CREDENTIALS  # noqa: PLC0415
    from prefect_seedance.routes import find  # noqa: PLC0415

    prices = sandbox_prices()
    prices.save("demo-prices", overwrite=True)
    accounts = {}
    for provider, kind in CREDENTIALS.items():
        accounts[provider] = kind(api_key=SecretStr(sandbox_key(provider)), base_url=sandbox, account="demo")
        accounts[provider].save(f"demo-{provider}", overwrite=True)
    names = []
    for model in _models():
        credentials = accounts[find(model).provider]
        route = RouteDefaults(credentials=credentials, model=model, prices=prices, max_in_flight=5, poll_seconds=0.5)
        name = "demo-" + model.lower().replace(".", "-").replace("_", "-")
        route.save(name, overwrite=True)
        names.append(name)
    return names
