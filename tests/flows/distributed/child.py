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
from prefect_seedance.engine.dispatcher import PLAIN_STEPS
from prefect_seedance.runs.distributed.shard import ShardSpec, carry


def processes() -> multiprocessing.context.ForkServerContext:
    """Processes that are forked from one that has imported the program."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.flows.distributed.child"])
    return context


@dataclass(frozen=True)
class ShardTask:
    """A shard, in words that cross to another process."""

    order: dict[str, Any]
    sandbox: str
    in_flight: int
    kill_at: str
    kill_nth: int = 0
    duration: int | None = 5

    @classmethod
    def of(cls, order: ShardSpec, sandbox: str, **options: Any) -> Self:
        plain = {name: getattr(order, name) for name in order.__dataclass_fields__ if name not in {"routes", "limits"}}
        return cls(plain, sandbox, order.routes[0].max_in_flight, **options)


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
    order = ShardSpec(routes=(block.to_settings(),), **task.order)
    outcome = call_core(lambda: carry(order, lambda _: PLAIN_STEPS))
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
