"""The shard task: one of several processes that work on a batch; its parameters are names and plain numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import AsyncClientContext

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.core.portal import call_core
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import ledger_url
from prefect_seedance.media import MediaAccess
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.runs.distributed.shard import ShardOutcome, ShardSpec, carry
from prefect_seedance.tasks.home import parts_home, prefect_home
from prefect_seedance.tasks.media_places import media_hosts, media_roots
from prefect_seedance.tasks.step_runner import plain_step_runner, step_runner_for

__all__ = ["carry_shard", "run_shard"]


def _may_retry(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """Whether a failed shard is tried again: not where a person has to correct something first."""
    error = state.data if isinstance(state.data, BaseException) else None
    return not isinstance(error, InputError)


@task(
    name="carry shard",
    task_run_name="shard {number}",
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=2,
    retry_delay_seconds=2,
    retry_condition_fn=_may_retry,
)
def carry_shard(call: dict[str, Any], number: int) -> dict[str, Any]:  # noqa: ARG001 - it names the task run
    """Work on rows of a batch until no shard has anything left to do.

    Args:
        call: The parameters from the run that began the work, as `SpreadPlan.call` builds them.
        number: Which shard it is.

    Returns:
        How many of its rows are in which state, and how often it claimed rows.
    """
    outcome = call_core(lambda: run_shard(call, None))
    return {"counts": dict(outcome.counts), "portions": outcome.portions}


async def run_shard(call: Mapping[str, Any], flow_run_id: str | None) -> ShardOutcome:
    """Run a shard with the parameters of another process; on the core loop.

    Raises:
        InputError: This machine reaches another ledger or output folder, or lacks a block. Nothing was spent.
        LedgerError: Nothing more could be recorded.
    """
    routes = await load_routes(list(call["routes"]))
    folders = tuple(Path(each) for each in call["media"])
    spec = ShardSpec(
        batch=call["batch"],
        take=call["take"],
        routes=routes,
        ledger_url=ledger_url(call["ledger"], prefect_home()),
        identity=call["identity"],
        output=call["output"],
        parent=call["parent"],
        patience=float(call["patience"]),
        limits=RunLimits.parse(
            budget=call["budget"],
            max_charge=call["max_charge"],
            max_failures=call["max_failures"],
            fall_back_on_moderation=call["fall_back_on_moderation"],
            limit_patience=call["limit_patience"],
        ),
        failures_allowed=None if call["failures_allowed"] is None else Decimal(call["failures_allowed"]),
        retry_refused=bool(call["again"]),
        flow_run_id=flow_run_id,
        media_access=MediaAccess(
            folder=folders[0] if folders else None,
            roots=(*folders[1:], *media_roots(None)),
            hosts=media_hosts(list(call["hosts"])),
            loopback=any(settings.account.on_loopback for settings in routes),
        ),
        parts=parts_home(),
    )
    step_runner = step_runner_for("per_step") if call["per_step"] else plain_step_runner
    async with AsyncClientContext.get_or_create():
        outcome = await carry(spec, step_runner)
    if outcome.stopped is not None and not outcome.orderly:
        raise outcome.stopped
    return outcome
