"""For which time a flow run was scheduled, and in which time zone. A flow run itself knows the time in UTC only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import DeploymentSchedule, FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound, PrefectException

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["Occasion", "current_occasion", "occasion_of", "zones_of"]

UNANSWERED = (PrefectException, httpx.HTTPError, OSError, RuntimeError, ValueError)
"""What a question to Prefect's API may raise; the last two are its client's own, and for an answer in another form."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a flow run was started for.

    Attributes:
        time: The time for which it was scheduled, in UTC. Retries do not change it.
        runs: The run and the runs that called it, up to one that a schedule made. The last one's time counts, so that
            a subflow that is called once more by a retry has the same.
    """

    time: datetime
    runs: tuple[FlowRun, ...] = ()

    @property
    def deployments(self) -> set[UUID]:
        """The deployments of these runs."""
        return {run.deployment_id for run in self.runs if run.deployment_id}


@dataclass(frozen=True, slots=True)
class Zones:
    """The time zones that may be meant, and where they come from."""

    names: tuple[str, ...]
    source: Literal["schedule", "deployment", "none"]


def current_occasion() -> Occasion:
    """What the current flow run was started for.

    Raises:
        InputError: Prefect's API cannot be asked.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return Occasion(now())
    run = context.flow_run
    if _is_scheduled(run) or run.parent_task_run_id is None:
        return _occasion((run,))
    try:
        with get_client(sync_client=True) as client:
            return _occasion(_callers(client, run))
    except UNANSWERED as error:
        raise InputError(message("batch.time_unanswered", error=type(error).__name__)) from error


def occasion_of(flow_run_id: str) -> Occasion | None:
    """What another flow run was started for; None where Prefect does not know it any more, or cannot be asked."""
    try:
        with get_client(sync_client=True) as client:
            return _occasion(_callers(client, client.read_flow_run(UUID(flow_run_id))))
    except UNANSWERED:
        return None


def zones_of(occasion: Occasion) -> Zones:
    """The time zone of the schedule that made a run; else those of its deployment's schedules; else UTC.

    Of a deployment's schedules the active ones count; where none is active, all.

    Raises:
        InputError: Prefect's API cannot be asked.
    """
    if not occasion.deployments:
        return Zones(("UTC",), "none")
    try:
        with get_client(sync_client=True) as client:
            for run in occasion.runs:
                schedules = _schedules(client, run)
                own = [each for each in schedules if run.created_by is not None and each.id == run.created_by.id]
                if own:
                    return Zones(_names(own), "schedule")
                if schedules:
                    return Zones(_names([each for each in schedules if each.active] or schedules), "deployment")
    except UNANSWERED as error:
        raise InputError(message("batch.zone_unanswered", error=type(error).__name__)) from error
    return Zones(("UTC",), "none")


def _occasion(runs: Sequence[FlowRun]) -> Occasion:
    time = runs[-1].expected_start_time
    return Occasion(now() if time is None else datetime.fromtimestamp(time.timestamp(), UTC), tuple(runs))


def _is_scheduled(run: FlowRun) -> bool:
    return run.auto_scheduled or (run.created_by is not None and run.created_by.type == "SCHEDULE")


def _callers(client: SyncPrefectClient, run: FlowRun) -> list[FlowRun]:
    """The run, the run that called it, and so on, up to one that a schedule made."""
    found = [run]
    while not _is_scheduled(found[-1]) and (task := found[-1].parent_task_run_id) is not None:
        caller = client.read_task_run(task).flow_run_id
        if caller is None:
            break
        found.append(client.read_flow_run(caller))
    return found


def _schedules(client: SyncPrefectClient, run: FlowRun) -> list[DeploymentSchedule]:
    if run.deployment_id is None:
        return []
    try:
        return client.read_deployment_schedules(run.deployment_id)
    except ObjectNotFound:  # the deployment was deleted meanwhile
        return []


def _names(schedules: Sequence[DeploymentSchedule]) -> tuple[str, ...]:
    return tuple(sorted({getattr(each.schedule, "timezone", None) or "UTC" for each in schedules}))
