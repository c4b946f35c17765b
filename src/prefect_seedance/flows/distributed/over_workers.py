"""Shards as runs of a deployment: each is a flow run, which any Prefect worker takes up, and a process of its own."""

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

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.flows.distributed.target import SHARD, SpreadPlan, SpreadTarget
from prefect_seedance.messages import message
from prefect_seedance.runs.batch import RunSpec
from prefect_seedance.runs.distributed.coordinator import Begun, Launcher

__all__ = ["over_workers"]

log = logging.getLogger(__name__)

LOOK = 2.0
"""Seconds between two looks at the runs of the shards: two API calls at most, however many they are."""

GRACE = 10.0
"""Seconds that a shard whose process is gone, or which has nothing left to do, gets to say so to Prefect."""

RESTARTS = 3
"""How often each shard is started again, on average, where its process died."""

PAGE = 200

LATE = 60.0
"""Seconds after which it is told that no worker has taken a shard up."""


async def over_workers(spreading: SpreadPlan, order: RunSpec) -> Launcher:
    """The engine that carries an order in runs of a deployment.

    Raises:
        InputError: There is no such deployment. Nothing was spent.
    """
    spread = spreading.spread
    name = spread.where or SHARD
    async with get_client() as client:
        try:
            await client.read_deployment_by_name(name)
        except ObjectNotFound:
            raise InputError(message("spread.no_deployment", spread=spread, deployment=name)) from None

    async def engine(begun: Begun) -> list[str]:
        async with get_client() as client:
            return await _Fleet(client, name, spread, spreading.call(order, begun), begun, order.patience).carry()

    return engine


@dataclass
class _Fleet:
    client: PrefectClient
    deployment: str
    spread: SpreadTarget
    call: dict[str, Any]
    begun: Begun
    patience: float
    open: dict[UUID, int] = field(default_factory=dict)
    fallen: list[str] = field(default_factory=list)
    restarts: int = 0
    gone: dict[UUID, float] = field(default_factory=dict)
    done_since: float | None = None
    taken_up: bool = False
    told: bool = False

    async def carry(self) -> list[str]:
        number = self.spread.number or 1
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            for each in range(1, number + 1):
                await self._start(each)
            while self.open:
                await asyncio.sleep(LOOK)
                # A server that cannot be reached for a moment is no reason to lose sight of paid jobs.
                try:
                    await self._look()
                except Exception as error:  # noqa: BLE001 - HTTP and Prefect have many
                    log.warning("The shards' runs could not be looked at: %s", error)
                if not self.taken_up:
                    self._waits(clock() - begun)
        except (asyncio.CancelledError, SeedanceError):
            await self._cancel()
            raise
        return self.fallen

    def _waits(self, seconds: float) -> None:
        """No worker has taken up a shard yet."""
        why = message("spread.no_worker", deployment=self.deployment, seconds=f"{seconds:.0f}")
        if seconds > max(self.patience, LATE):
            raise SeedanceError(message("spread.no_worker_in_time", reason=why))
        if seconds > LATE and not self.told:
            self.told = True
            get_run_logger().warning(str(why))

    async def _start(self, number: int) -> None:
        made: FlowRun = await arun_deployment(
            self.deployment, parameters={"call": self.call, "number": number}, timeout=0, as_subflow=True
        )
        self.open[made.id] = number

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time()
        runs = await self._runs()
        standing = await self.begun.left()
        left = bool(standing.free or standing.held)
        for run in runs:
            state = run.state
            if state is not None and state.is_final():
                await self._ended(run, again=left and state.type is StateType.CRASHED)
        waiting = [run for run in runs if run.id in self.open]
        running = any(run.state is not None and run.state.type is StateType.RUNNING for run in waiting)
        self.taken_up = self.taken_up or running or len(waiting) < len(runs) or not left
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
                    # Nobody took it up, and there is nothing left for it.
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
        self.fallen.append(str(ended))
        if again:
            await self._again(number)

    async def _crashed(self, run: FlowRun, *, again: bool) -> None:
        """The ledger knows that its process is gone; Prefect does not, and would show it as running for ever."""
        number = self.open.pop(run.id)
        await self._set(run, Crashed(message=str(message("spread.process_gone"))))
        self.fallen.append(str(message("spread.shard_gone", number=number)))
        if again:
            await self._again(number)

    async def _again(self, number: int) -> None:
        if self.restarts < RESTARTS * (self.spread.number or 1):
            self.restarts += 1
            await self._start(number)

    async def _set(self, run: FlowRun, state: Any) -> None:
        with contextlib.suppress(Exception):
            await self.client.set_flow_run_state(run.id, state, force=True)

    async def _cancel(self) -> None:
        """Have the workers end what runs, and start nothing more; the ledger has told the shards already."""
        with contextlib.suppress(Exception):
            for run in await self._runs():
                if run.state is not None and not run.state.is_final():
                    running = run.state.type is StateType.RUNNING
                    await self._set(run, Cancelling() if running else Cancelled())
