"""Shards as runs of a deployment: each is a flow run that any Prefect worker picks up, in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.states import Cancelled, Cancelling, Crashed

from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.flows.distributed.target import SHARD, SpreadPlan, SpreadTarget
from prefect_seedance.messages import message
from prefect_seedance.runs.distributed.coordinator import Begun, Launcher

__all__ = ["over_workers"]

log = logging.getLogger(__name__)

LOOK = 2.0
"""Seconds between two reads of the shards' flow runs."""

GRACE = 10.0
"""Seconds in which a shard should report its own end to Prefect, once its process is gone or nothing is left to do."""

RESTARTS = 3
"""How often each shard is started again, on average, where its process died."""

PAGE = 200
"""Flow runs in one API call."""

WARN_AFTER = 60.0
"""Seconds after which a warning says that no worker has picked up a shard."""


async def over_workers(plan: SpreadPlan, spec: RunSpec, context: RunContext) -> Launcher:
    """The launcher that runs shards as runs of a deployment.

    Raises:
        InputError: There is no such deployment. Nothing was spent.
    """
    spread = plan.spread
    name = spread.where or SHARD
    async with get_client() as client:
        try:
            await client.read_deployment_by_name(name)
        except ObjectNotFound:
            raise InputError(message("spread.no_deployment", spread=spread, deployment=name)) from None

    async def launch(begun: Begun) -> list[str]:
        async with get_client() as client:
            call = plan.shard_spec(spec, context, begun.parent).model_dump(mode="json")
            return await _ShardRuns(client, name, spread, call, begun, spec.patience).run()

    return launch


@dataclass
class _ShardRuns:
    """The flow runs of the shards: starts them, restarts those whose process died, and waits for all."""

    client: PrefectClient
    deployment: str
    spread: SpreadTarget
    call: dict[str, Any]
    begun: Begun
    patience: float
    open: dict[UUID, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    restarts: int = 0
    gone: dict[UUID, float] = field(default_factory=dict)
    done_since: float | None = None
    picked_up: bool = False
    warned: bool = False

    async def run(self) -> list[str]:
        number = self.spread.number or 1
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            for each in range(1, number + 1):
                await self._start(each)
            while self.open:
                await asyncio.sleep(LOOK)
                # A server that is out of reach for a moment must not stop the run: its jobs are paid for.
                try:
                    await self._check_runs()
                except Exception as error:  # noqa: BLE001 - HTTP and Prefect have many
                    log.warning("The flow runs of the shards could not be read: %s", error)
                if not self.picked_up:
                    self._check_wait(clock() - begun)
        except (asyncio.CancelledError, SeedanceError):
            await self._cancel()
            raise
        return self.failures

    def _check_wait(self, seconds: float) -> None:
        """Warn, and in the end give up, while no worker has picked up a shard.

        Raises:
            SeedanceError: No worker did within the patience of the run.
        """
        why = message("spread.no_worker", deployment=self.deployment, seconds=f"{seconds:.0f}")
        if seconds > max(self.patience, WARN_AFTER):
            raise SeedanceError(message("spread.no_worker_in_time", reason=why))
        if seconds > WARN_AFTER and not self.warned:
            self.warned = True
            get_run_logger().warning(str(why))

    async def _start(self, number: int) -> None:
        made: FlowRun = await arun_deployment(
            self.deployment, parameters={"call": self.call, "number": number}, timeout=0, as_subflow=True
        )
        self.open[made.id] = number

    async def _check_runs(self) -> None:
        clock = asyncio.get_running_loop().time()
        runs = await self._runs()
        remaining = await self.begun.left()
        left = bool(remaining.free or remaining.held)
        for run in runs:
            state = run.state
            if state is not None and state.is_final():
                await self._ended(run, again=left and state.type is StateType.CRASHED)
        waiting = [run for run in runs if run.id in self.open]
        running = any(run.state is not None and run.state.type is StateType.RUNNING for run in waiting)
        self.picked_up = self.picked_up or running or len(waiting) < len(runs) or not left
        gone = await self.begun.gone([str(run.id) for run in waiting])
        for run in waiting:
            if str(run.id) not in gone:
                self.gone.pop(run.id, None)
            elif clock - self.gone.setdefault(run.id, clock) > GRACE:
                await self._crashed(run, again=left)
        self.done_since = None if left else self.done_since or clock
        if self.done_since is not None:
            for run in waiting:
                started = run.state is not None and run.state.type is StateType.RUNNING
                if run.id in self.open and (not started or clock - self.done_since > 3 * GRACE):
                    # Nothing is left for it: no worker has picked it up, or it does not end.
                    await self._set(run, Cancelled(message=str(message("spread.nothing_left"))))
                    self.open.pop(run.id, None)

    async def _runs(self) -> list[FlowRun]:
        wanted, found = list(self.open), []
        for start in range(0, len(wanted), PAGE):
            ids = FlowRunFilter(id=FlowRunFilterId(any_=wanted[start : start + PAGE]))
            found += await self.client.read_flow_runs(flow_run_filter=ids, limit=PAGE)
        return found

    async def _ended(self, run: FlowRun, *, again: bool) -> None:
        number = self.open.pop(run.id)
        if run.state is None or run.state.is_completed():
            return
        ended = message("spread.shard_ended", number=number, state=run.state.name, reason=run.state.message)
        self.failures.append(str(ended))
        if again:
            await self._restart(number)

    async def _crashed(self, run: FlowRun, *, again: bool) -> None:
        """Record in Prefect that a shard's process is gone. Only the ledger knows it, so the run seems to go on."""
        number = self.open.pop(run.id)
        await self._set(run, Crashed(message=str(message("spread.process_gone"))))
        self.failures.append(str(message("spread.shard_gone", number=number)))
        if again:
            await self._restart(number)

    async def _restart(self, number: int) -> None:
        if self.restarts < RESTARTS * (self.spread.number or 1):
            self.restarts += 1
            await self._start(number)

    async def _set(self, run: FlowRun, state: Any) -> None:
        with contextlib.suppress(Exception):
            await self.client.set_flow_run_state(run.id, state, force=True)

    async def _cancel(self) -> None:
        """Have the workers cancel running shards and start no more. By the ledger the shards know already."""
        with contextlib.suppress(Exception):
            for run in await self._runs():
                if run.state is not None and not run.state.is_final():
                    running = run.state.type is StateType.RUNNING
                    await self._set(run, Cancelling() if running else Cancelled())
