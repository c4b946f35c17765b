"""The program on a journey of many days: one run or one sweep, in a process of its own, on a machine of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.core import checkpoints
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine.run_spec import RunContext
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows import generate_videos
from prefect_seedance.ledger import ledger_url
from prefect_seedance.planning.plan import prepare
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.runs.sweep import sweep
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked

MODELS = {"seedance2.0-mini": "jimmy", "seedance-2.0-mini": "anyfast"}
BILLING = {"jimmy": "seedance2.0-mini-480p", "anyfast": "seedance-2.0-mini"}
IN_FLIGHT = 5
"""Of each route: ten in all."""

BATCH = "chaos"
INTERRUPTED = 130
FELL = 3


@dataclass(frozen=True)
class Leg:
    """What one process is to do.

    Attributes:
        rows: Key, prompt and model of each.
        sandbox: Its address.
        ledger: Its URL.
        output: The output folder.
        machine: The name of the machine on which the process takes itself to be.
        keys: The API key by provider.
        prices: What the user takes to be the price, by billing model.
        api_url: Run the whole flow at this Prefect server; None runs its jobs without Prefect.
        sweeps: Fetch only what is paid.
        kill_at: Die when this instant is reached for the `kill_nth` time.
    """

    rows: tuple[tuple[str, str, str], ...]
    sandbox: str
    ledger: str
    output: str
    machine: str
    keys: Mapping[str, str] = field(repr=False)
    prices: Mapping[str, Decimal]
    lease: float = 2.0
    api_url: str | None = None
    sweeps: bool = False
    kill_at: str | None = None
    kill_nth: int = 1


def routes(leg: Leg) -> list[RouteDefaults]:
    kinds = {"jimmy": JimmyCredentials, "anyfast": AnyfastCredentials}
    book = PriceBook(currency="CNY", prices=dict(leg.prices))
    return [
        RouteDefaults(
            # No label is given: the account is the same one, whatever its key is today.
            credentials=kinds[provider](api_key=leg.keys[provider], base_url=leg.sandbox),
            model=model,
            duration=4,
            resolution="480p",
            ratio="16:9",
            prices=book,
            max_in_flight=IN_FLIGHT,
            poll_seconds=0.05,
        )
        for model, provider in MODELS.items()
    ]


def travel(leg: Leg) -> None:
    """Do it. Ends with the process's death where that was asked for, with 130 where it was interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if leg.kill_at is not None:
        checkpoints.listen(_killer(leg.kill_at, leg.kill_nth))
    socket.gethostname = lambda: leg.machine
    os.environ["PREFECT_SEEDANCE_LEASE"] = str(leg.lease)
    code = 0
    try:
        if leg.sweeps:
            _sweep(leg)
        elif leg.api_url is None:
            _run(leg)
        else:
            _flow(leg)
    except SeedanceError as error:
        sys.stderr.write(f"{error}\n")
        code = FELL
    except KeyboardInterrupt:
        code = INTERRUPTED
    # No clean-up of threads and servers that this forked process has only inherited.
    os._exit(code)


def _table(leg: Leg) -> list[dict[str, str]]:
    return [{"id": key, "prompt": prompt, "model": model} for key, prompt, model in leg.rows]


def _run(leg: Leg) -> None:
    settings = tuple(block.to_settings() for block in routes(leg))
    spec, context = asked(
        prepare(read_table(_table(leg)), settings),
        settings,
        batch=BATCH,
        output=leg.output,
        ledger_url=ledger_url(leg.ledger, Path()),
        patience=60,
    )
    call_core(lambda: run_batch(spec, context, lambda _rows: PLAIN))


def _flow(leg: Leg) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    os.environ["PREFECT_API_URL"] = leg.api_url or ""
    with temporary_settings({PREFECT_API_URL: leg.api_url}):
        generate_videos(_table(leg), route=routes(leg), batch=BATCH, output=leg.output, ledger=leg.ledger, patience=60)


def _sweep(leg: Leg) -> None:
    settings = tuple(block.to_settings() for block in routes(leg))
    context = RunContext(routes=settings, ledger_url=ledger_url(leg.ledger, Path()))
    call_core(lambda: sweep(context, lambda _rows: PLAIN, patience=30))


def _killer(name: str, nth: int):
    seen = 0

    def listener(instant: str) -> None:
        nonlocal seen
        seen += instant == name
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return listener
