"""Shards as tasks of a Dask cluster or of Ray: an inner flow with the task runner of Dask or Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

from prefect import flow

from prefect_seedance.core.portal import GRACE
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.errors import InputError
from prefect_seedance.flows.distributed.shard_task import carry_shard
from prefect_seedance.flows.distributed.target import SpreadPlan, SpreadTarget
from prefect_seedance.messages import message
from prefect_seedance.runs.distributed.coordinator import Begun, Launcher

__all__ = ["over_tasks"]


@flow(name="seedance shards", flow_run_name="{number} shards", persist_result=False)
def carry_shards(call: dict[str, Any], number: int) -> list[str]:
    """Run the shards of a batch as `number` tasks. Returns why some of them failed."""
    futures = [carry_shard.submit(call, each) for each in range(1, number + 1)]
    failures = []
    for future in futures:
        future.wait()
        if not future.state.is_completed():
            ended = message("spread.task_ended", state=future.state.name, reason=future.state.message)
            failures.append(str(ended))
    return failures


async def over_tasks(plan: SpreadPlan, spec: RunSpec, context: RunContext) -> Launcher:
    """The launcher that runs shards as Dask or Ray tasks.

    Raises:
        InputError: The extra is not installed, or the cluster cannot be reached. Nothing was spent.
    """
    spread = plan.spread
    number: int = await asyncio.to_thread(_workers, spread) if spread.number is None else spread.number
    runner = _runner(spread, number)

    async def launch(begun: Begun) -> list[str]:
        inner: Callable[[dict[str, Any], int], list[str]] = carry_shards.with_options(task_runner=runner)
        call = plan.shard_spec(spec, context, begun.parent).model_dump(mode="json")
        running = asyncio.ensure_future(asyncio.to_thread(inner, call, number))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            # The shards have read in the ledger that they must stop, and end by themselves.
            await asyncio.wait({running}, timeout=GRACE)
            raise
        except Exception as error:  # noqa: BLE001 - Dask and Ray have many
            return [str(message("spread.engine_failed", spread=spread, kind=type(error).__name__, reason=error))]

    return launch


def _runner(spread: SpreadTarget, number: int) -> Any:
    if spread.kind == "dask":
        runner = _imported("prefect_dask", "dask").DaskTaskRunner
        if spread.where is not None:
            return runner(address=spread.where)
        local = {"n_workers": number, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
        return runner(cluster_kwargs=local)
    runner = _imported("prefect_ray", "ray").RayTaskRunner
    if spread.where is not None:
        return runner(address=spread.where)
    return runner(init_kwargs={"num_cpus": number, "include_dashboard": False})


def _workers(spread: SpreadTarget) -> int:
    """How many workers a cluster has; one at least, since others may join."""
    try:
        if spread.kind == "dask":
            with _imported("distributed", "dask").Client(spread.where, timeout="20s") as client:
                return max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        ray = _imported("ray", "ray")
        ray.init(address=spread.where, ignore_reinit_error=True)
        return max(1, int(ray.cluster_resources().get("CPU", 1)))
    except (OSError, TimeoutError, ConnectionError) as error:
        raise InputError(message("spread.no_cluster", spread=spread, reason=error)) from None


def _imported(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(message("spread.no_package", extra=extra, reason=error)) from None
