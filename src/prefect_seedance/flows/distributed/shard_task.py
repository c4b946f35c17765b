"""The shard task: one of several processes that work on a batch; its parameters are names and plain numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import AsyncClientContext
from pydantic import ValidationError

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import ledger_url
from prefect_seedance.media import MediaAccess
from prefect_seedance.messages import listing, message
from prefect_seedance.runs.distributed.shard import ShardOutcome, carry
from prefect_seedance.tasks.home import parts_home, prefect_home
from prefect_seedance.tasks.media_places import media_hosts, media_roots
from prefect_seedance.tasks.step_runner import PER_STEP

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
        call: What the run is asked to do, as JSON of a `RunSpec`, from the run that began the work.
        number: Which shard it is.

    Returns:
        How many of its rows are in which state, and how often it claimed rows.
    """
    outcome = call_core(lambda: run_shard(call, None))
    return {"counts": dict(outcome.counts), "claims": outcome.claims}


async def run_shard(call: Mapping[str, Any], flow_run_id: str | None) -> ShardOutcome:
    """Run a shard with the parameters of another process; on the core loop.

    Raises:
        InputError: This machine reaches another ledger or output folder, or lacks a block. Nothing was spent.
        LedgerError: Nothing more could be recorded.
    """
    try:
        spec = RunSpec.model_validate(dict(call))
    except ValidationError as error:
        reasons = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        raise InputError(message("run.shard_other_version", reason=listing(reasons))) from None
    routes = await load_routes(list(spec.routes or ()))
    folders = spec.media_folders
    context = RunContext(
        routes=routes,
        ledger_url=ledger_url(spec.ledger, prefect_home()),
        media_access=MediaAccess(
            folder=folders[0] if folders else None,
            roots=(*folders[1:], *media_roots(None)),
            hosts=media_hosts(sorted(spec.media_hosts)),
            loopback=any(settings.account.on_loopback for settings in routes),
        ),
        parts=parts_home(),
        flow_run_id=flow_run_id,
    )
    async with AsyncClientContext.get_or_create():
        outcome = await carry(spec, context, PER_STEP if spec.per_step else PLAIN)
    if outcome.stopped is not None and not outcome.orderly:
        raise outcome.stopped
    return outcome
