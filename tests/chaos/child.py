"""The program that is killed: the real one, in a process of its own, which may be told at which instant to die."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.core import checkpoints
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows import generate_videos
from prefect_seedance.ledger import ledger_url
from prefect_seedance.media import MediaAccess
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.routes import find
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked

MODELS = ("seedance2.0-mini", "seedance2.0-md", "seedance-2.0-mini")
PRICES = {"seedance2.0-mini-720p": "0.05", "seedance2.0-md": "0.9", "seedance-2.0-mini": "23"}


@dataclass(frozen=True)
class Task:
    """One run of the program.

    Attributes:
        ledger: A file's path, or a URL.
        kill_at: Die when this instant is reached for the `kill_nth` time.
        with_prefect: Run the whole flow, at a Prefect server; else the same jobs code without Prefect.
        machine: The name of the machine that this process takes itself to be on; None means this one.
        lease: Seconds for which its runs may be silent.
        stop_at: Stand still (SIGSTOP) when this instant is reached for the first time.
        media: An image that every row refers to.
    """

    rows: tuple[tuple[str, str, str], ...]
    sandbox: str
    ledger: str
    output: str
    batch: str = "chaos"
    kill_at: str | None = None
    kill_nth: int = 1
    with_prefect: bool = False
    api_url: str | None = None
    retries: int = 0
    budget: str | None = None
    machine: str | None = None
    lease: float | None = None
    stop_at: str | None = None
    media: str | None = None


def routes(sandbox: str) -> list[RouteDefaults]:
    prices = PriceBook(currency="CNY", prices=PRICES)
    blocks = []
    for model in MODELS:
        anyfast = find(model).provider == "anyfast"
        key, kind = ("sk-sandbox", AnyfastCredentials) if anyfast else ("sk_sandbox", JimmyCredentials)
        blocks.append(
            RouteDefaults(
                credentials=kind(api_key=key, base_url=sandbox),
                model=model,
                duration=5,
                ratio="16:9",
                prices=prices,
                max_in_flight=4,
                poll_seconds=0.05,
            )
        )
    return blocks


def run(task: Task) -> None:
    """Run it. Ends with the process's death where that was asked for."""
    if task.kill_at is not None:
        checkpoints.listen(_killer(task.kill_at, task.kill_nth, signal.SIGKILL))
    if task.stop_at is not None:
        checkpoints.listen(_killer(task.stop_at, 1, signal.SIGSTOP))
    if task.machine is not None:
        socket.gethostname = lambda: str(task.machine)
    if task.lease is not None:
        os.environ["PREFECT_SEEDANCE_LEASE"] = str(task.lease)
    with contextlib.suppress(SeedanceError):
        if task.with_prefect:
            _flow(task)
        else:
            run_jobs(task)
    # No clean-up of threads and servers that this forked process has only inherited.
    os._exit(0)


def table_of(task: Task) -> list[dict[str, str]]:
    more = {"images": Path(task.media).name} if task.media else {}
    return [{"id": key, "prompt": prompt, "model": model, **more} for key, prompt, model in task.rows]


def _flow(task: Task) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    os.environ["PREFECT_API_URL"] = task.api_url or ""
    with temporary_settings({PREFECT_API_URL: task.api_url}):
        generate_videos.with_options(retries=task.retries)(
            table_of(task),
            route=routes(task.sandbox),
            batch=task.batch,
            output=task.output,
            ledger=task.ledger,
            patience=600,
            **({"budget": task.budget} if task.budget else {}),
        )


def run_jobs(task: Task) -> None:
    """The jobs of a run, without Prefect."""
    settings = tuple(block.to_settings() for block in routes(task.sandbox))
    spec, context = asked(
        prepare(read_table(table_of(task)), settings),
        settings,
        batch=task.batch,
        output=task.output,
        ledger_url=ledger_url(task.ledger, Path()),
        patience=600,
        limits=RunLimits.parse(budget=task.budget),
        media_access=MediaAccess(folder=Path(task.media).parent if task.media else None, loopback=True),
    )
    call_core(lambda: run_batch(spec, context, lambda _rows: PLAIN))


def _killer(name: str, nth: int, how: signal.Signals):
    seen = 0

    def listener(instant: str) -> None:
        nonlocal seen
        seen += instant == name
        if instant == name and seen == nth:
            os.kill(os.getpid(), how)

    return listener
