"""A shard in a process of its own, which may be told at which instant to die."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import dataclass
from typing import Any, Self

from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.core import checkpoints
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.runs.distributed.shard import carry


def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that are forked from one that has imported the program."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flows.distributed.child"])
    return context


@dataclass(frozen=True)
class ShardTask:
    """A shard, in words that cross to another process."""

    spec: dict[str, Any]
    ledger: str
    sandbox: str
    in_flight: int
    kill_at: str
    kill_nth: int = 0
    duration: int | None = 5

    @classmethod
    def of(cls, spec: RunSpec, context: RunContext, sandbox: str, **options: Any) -> Self:
        plain = spec.model_dump(mode="json")
        return cls(plain, context.ledger_url, sandbox, context.routes[0].max_in_flight, **options)


def run_shard(task: ShardTask) -> None:
    """Run it. Ends with the process's death where that was asked for."""
    os.environ["PREFECT_SEEDANCE_LEASE"] = "4"
    if task.kill_nth:
        checkpoints.listen(_killer(task.kill_at, task.kill_nth))
    block = RouteDefaults(
        credentials=JimmyCredentials(api_key="sk_sandbox", base_url=task.sandbox),
        model="seedance2.0-mini",
        prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05"}),
        duration=task.duration,
        max_in_flight=task.in_flight,
        poll_seconds=0.05,
    )
    context = RunContext(routes=(block.to_settings(),), ledger_url=task.ledger)
    outcome = call_core(lambda: carry(RunSpec.model_validate(task.spec), context, PLAIN))
    # No clean-up of threads and servers that this forked process has only inherited.
    os._exit(0 if outcome.stopped is None else 1)


def _killer(name: str, nth: int) -> Any:
    seen = 0

    def listener(instant: str) -> None:
        nonlocal seen
        seen += instant == name
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return listener
