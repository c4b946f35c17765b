"""What a Prefect server needs before people can start videos from its UI: blocks, a limit, a work pool, deployments.

It can be run again at any time: what exists is left unchanged, unless `--overwrite` is given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings
from prefect.workers.process import ProcessWorker
from pydantic import SecretStr
from rich.markup import escape
from rich.table import Table

from prefect_seedance.blocks import PriceBook, RouteDefaults
from prefect_seedance.blocks.credentials import CREDENTIALS, AnyCredentials
from prefect_seedance.cli.console import out
from prefect_seedance.cli.demo import sandbox_key, sandbox_prices
from prefect_seedance.cli.deploy import read_deployments
from prefect_seedance.cli.keys import read_prices
from prefect_seedance.errors import InputError
from prefect_seedance.flows.forms.making import LIMIT
from prefect_seedance.ledger import ledger_url, shown_url
from prefect_seedance.messages import Message, message
from prefect_seedance.routes import CATALOGUE

__all__ = ["set_up"]

POOL = "seedance"
SANDBOX = "sandbox"
RUNS_AT_ONCE = 4

Line = tuple[str, str, Message | str]
"""The kind of object, its name, and what was done."""


def set_up(*, sandbox: str | None, prices: Path | None, folder: Path, deploy: bool, overwrite: bool) -> int:
    """Set up the connected server, and print what was done or found.

    Args:
        sandbox: The address of a sandbox: blocks for it are made instead of those for the providers.
        prices: A JSON file with your prices.
        folder: The folder in which the runs work: relative paths in forms start there.
        deploy: Whether to make the deployments too.
        overwrite: Whether to replace what exists.

    Raises:
        InputError: No server is connected, or the prices cannot be read.
    """
    if not get_current_settings().api.url:
        raise InputError(message("setup.no_server"))
    book = read_prices(prices)
    table = Table(header_style="dim", title=str(message("setup.title")), title_justify="left", title_style="bold")
    for heading in ("what", "name", ""):
        table.add_column(heading, overflow="fold")
    with get_client(sync_client=True) as client:
        for line in _steps(client, sandbox, book, folder.expanduser().absolute(), deploy=deploy, overwrite=overwrite):
            table.add_row(*(escape(str(text)) for text in line))
    out.print(table)
    out.print(str(message("setup.next", pool=POOL)), highlight=False)
    return 0


def _steps(
    client: SyncPrefectClient,
    sandbox: str | None,
    book: PriceBook | None,
    folder: Path,
    *,
    deploy: bool,
    overwrite: bool,
) -> Iterator[Line]:
    for kind in (*CREDENTIALS.values(), PriceBook, RouteDefaults):
        kind.register_type_and_schema(_sync=True)  # type: ignore[call-arg]
        yield "block type", kind.get_block_type_slug(), message("setup.registered")
    yield from _blocks(sandbox, book, overwrite=overwrite)
    yield _limit(client)
    yield _pool(client, folder, overwrite=overwrite)
    yield _ledger()
    if deploy:
        yield from _deployments(client, SANDBOX if sandbox else None, overwrite=overwrite)


def _blocks(sandbox: str | None, book: PriceBook | None, *, overwrite: bool) -> Iterator[Line]:
    providers = [name for name in CREDENTIALS if sandbox or os.environ.get(f"{name.upper()}_API_KEY", "").strip()]
    for name in CREDENTIALS.keys() - set(providers):
        yield "credentials", name, message("setup.no_key", variable=f"{name.upper()}_API_KEY")
    if sandbox:
        book = book or sandbox_prices()
    prefix = "sandbox-" if sandbox else ""
    prices, done = _saved(PriceBook, f"{prefix}prices", lambda: book, overwrite=overwrite)
    yield "price book", f"{prefix}prices", done or message("setup.no_prices")
    for index, provider in enumerate(providers):
        kind, model = CREDENTIALS[provider], _first_model(provider)
        credentials, done = _saved(
            kind, prefix + provider, partial(_credentials, provider, sandbox), overwrite=overwrite
        )
        yield "credentials", prefix + provider, done or ""
        # The first one is the route in the deployments' forms.
        name = (SANDBOX if sandbox else "main") if index == 0 else f"{prefix}{provider}-mini"
        fields = {"credentials": credentials, "prices": prices, "model": model}
        _, done = _saved(RouteDefaults, name, partial(RouteDefaults, **fields), overwrite=overwrite)
        yield "route", name, message("setup.route", done=done, provider=provider, model=model)


def _first_model(provider: str) -> str:
    """The model of a provider's first route in the catalogue."""
    return next(route.model for route in CATALOGUE if route.provider == provider)


def _credentials(provider: str, sandbox: str | None) -> AnyCredentials:
    kind = CREDENTIALS[provider]
    if sandbox:
        return kind(api_key=SecretStr(sandbox_key(provider)), base_url=sandbox, account="sandbox")
    fields: dict[str, Any] = {"api_key": SecretStr(os.environ[f"{provider.upper()}_API_KEY"].strip())}
    for field, variable in (("account", "ACCOUNT"), ("base_url", "BASE_URL")):
        if value := os.environ.get(f"{provider.upper()}_{variable}", "").strip():
            fields[field] = value
    return kind(**fields)


def _saved(
    kind: type[Block], name: str, make: Callable[[], Block | None], *, overwrite: bool
) -> tuple[Any, Message | None]:
    """The saved block of that name, created if it is missing, and what was done."""
    try:
        existing: Any = kind.load(name, _sync=True)  # type: ignore[call-arg]
    except ValueError:
        existing = None
    if existing is not None and not overwrite:
        return existing, message("setup.found")
    wanted = make()
    if wanted is None:
        return existing, message("setup.found") if existing is not None else None
    wanted.save(name, overwrite=True, _sync=True)  # type: ignore[call-arg]
    return wanted, message("setup.replaced" if existing is not None else "setup.made")


def _limit(client: SyncPrefectClient) -> Line:
    try:
        found = client.read_global_concurrency_limit_by_name(LIMIT)
    except ObjectNotFound:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=LIMIT, limit=RUNS_AT_ONCE))
        return "concurrency limit", LIMIT, message("setup.limit_made", runs=RUNS_AT_ONCE)
    return "concurrency limit", LIMIT, message("setup.limit_found", limit=found.limit)


def _pool(client: SyncPrefectClient, folder: Path, *, overwrite: bool) -> Line:
    try:
        existing = client.read_work_pool(POOL)
    except ObjectNotFound:
        existing = None
    if existing is not None and existing.type != "process":
        return "work pool", POOL, message("setup.other_pool", type=existing.type)
    if existing is not None and not overwrite:
        return "work pool", POOL, message("setup.found")
    template = ProcessWorker.get_default_base_job_template()
    variables = template["variables"]["properties"]
    # Without it, a process worker runs in a temporary folder and deletes it afterwards with all its files.
    variables["working_dir"]["default"] = str(folder)
    variables["env"]["default"] = _environment()
    client.create_work_pool(
        WorkPoolCreate(name=POOL, type="process", base_job_template=template, description="Seedance videos."),
        overwrite=True,
    )
    done = message("setup.replaced" if existing else "setup.made")
    return "work pool", POOL, message("setup.pool", done=done, folder=folder)


def _environment() -> dict[str, str]:
    """The environment variables of every run, the ledger's URL among them.

    A URL with a secret is left out: it belongs in the worker's environment.
    """
    # Otherwise Prefect logs the end of each task run: three lines for every row.
    quiet = {"PREFECT_LOGGING_LOGGERS_PREFECT_TASK_RUNS_LEVEL": "WARNING"}
    named = os.environ.get("PREFECT_SEEDANCE_LEDGER", "").strip()
    url = ledger_url(named, Path()) if named else ""
    return {**quiet, "PREFECT_SEEDANCE_LEDGER": url} if named and shown_url(url) == url else quiet


def _ledger() -> Line:
    named = os.environ.get("PREFECT_SEEDANCE_LEDGER", "").strip()
    if not named:
        return "ledger", "–", message("setup.no_ledger")
    shown = shown_url(ledger_url(named, Path()))
    in_pool = "PREFECT_SEEDANCE_LEDGER" in _environment()
    where = message("setup.ledger_in_pool" if in_pool else "setup.ledger_secret")
    return "ledger", shown, where


def _deployments(client: SyncPrefectClient, route: str | None, *, overwrite: bool) -> Iterator[Line]:
    for each in read_deployments(pool=POOL, route=route):
        name = f"{each.flow_name}/{each.name}"
        try:
            client.read_deployment_by_name(name)
        except ObjectNotFound:
            done = message("setup.made")
        else:
            if not overwrite:
                yield "deployment", name, message("setup.found")
                continue
            done = message("setup.replaced")
        each.apply(_sync=True)  # type: ignore[call-arg]
        yield "deployment", name, message("setup.schedule_off", done=done) if each.schedules else done
