"""The demo: the whole path on the sandbox, with a Prefect server and its UI on loopback."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx

from prefect_seedance.cli.console import out
from prefect_seedance.cli.live import live_view
from prefect_seedance.cli.prefect_server import free_port, local_server, spawned
from prefect_seedance.errors import SeedanceError
from prefect_seedance.messages import message

__all__ = ["run_demo"]

BATCH = "demo"

MODELS: tuple[str, ...] = (
    "seedance2.0-mini",
    "seedance2.0-mini-video",
    "seedance2.0-mini-sp",
    "seedance2.0-sp",
    "seedance2.0-of-fast-sp",
    "seedance2.0-md",
    "seedance2.0-fast-i2v",
    "seedance2.0-std",
    "sd2_mx_fast_720p",
    "seedance-2.0-mini",
)
"""The demo's routes: the first one is the default."""

PRICES = {
    "seedance2.0-mini-480p": "0.03",
    "seedance2.0-mini-720p": "0.05",
    "seedance2.0-mini-1080p": "0.10",
    "seedance2.0-mini-720p-video": "0.06",
    "seedance2.0-mini-sp-720p": "0.40",
    "seedance2.0-sp-720p": "0.20",
    "seedance2.0-sp-1080p": "0.45",
    "seedance2.0-of-fast-sp-720p": "0.30",
    "seedance2.0-md": "0.90",
    "seedance2.0-fast-i2v": "0.50",
    "seedance2.0-std": "0.80",
    "sd2_mx_fast_720p": "0.35",
    "seedance-2.0-mini": "23",
}
"""Made-up prices: the providers publish none."""


def run_demo(folder: Path, *, keep: bool, speed: float) -> int:
    """Run the demo in `folder`, and show what came of it. Returns the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
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


def _save_blocks(sandbox: str) -> list[str]:
    """Register the block types and save the demo's blocks; returns the names of its routes."""
    from prefect_seedance.blocks import (  # noqa: PLC0415
        AnyfastCredentials,
        JimmyCredentials,
        PriceBook,
        RouteDefaults,
    )
    from prefect_seedance.routes import find  # noqa: PLC0415

    prices = PriceBook(currency="CNY", prices=PRICES)
    prices.save("demo-prices", overwrite=True)
    jimmy = JimmyCredentials(api_key="sk_sandbox", base_url=sandbox, account="demo")
    jimmy.save("demo-jimmy", overwrite=True)
    anyfast = AnyfastCredentials(api_key="sk-sandbox", base_url=sandbox, account="demo")
    anyfast.save("demo-anyfast", overwrite=True)
    names = []
    for model in MODELS:
        credentials = anyfast if find(model).provider == "anyfast" else jimmy
        route = RouteDefaults(credentials=credentials, model=model, prices=prices, max_in_flight=5, poll_seconds=0.5)
        name = "demo-" + model.lower().replace(".", "-").replace("_", "-")
        route.save(name, overwrite=True)
        names.append(name)
    return names
