"""The time zone of a batch's name, by the schedules of a real Prefect server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.flow_engine import run_flow
from prefect.states import AwaitingRetry, Scheduled

from prefect_seedance import GenerateResult, generate_videos
from prefect_seedance.errors import InputError
from prefect_seedance.flows import schedule_zone
from prefect_seedance.flows.run_batch_name import name_of_run
from prefect_seedance.sandbox import SandboxServer
from tests.conftest import RouteTo

pytestmark = pytest.mark.usefixtures("prefect_server")

NIGHTLY = "nightly-{scheduled:%Y-%m-%d}"
BERLIN = CronSchedule(cron="30 1 * * *", timezone="Europe/Berlin")
SHANGHAI = CronSchedule(cron="0 2 * * *", timezone="Asia/Shanghai")
WINTER = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
"""01:30 in Berlin."""
NEW_YORK = CronSchedule(cron="30 19 * * *", timezone="America/New_York")
NIGHT = datetime(2026, 3, 29, 18, tzinfo=UTC)
"""02:00 on 30 March in Shanghai."""


@pytest.fixture
def prefect(prefect_server: str) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def paid(route_to: RouteTo, tmp_path: Path) -> Callable[..., str]:
    """Carries a flow run out, as a worker does: a table of one row. Returns the name of its batch."""

    def call(run: FlowRun, batch: str = NIGHTLY) -> str:
        options = {"route": route_to(), "output": tmp_path / "videos", "batch": batch}
        result = run_flow(generate_videos, flow_run=run, parameters={"table": [{"prompt": "a lantern"}], **options})
        assert isinstance(result, GenerateResult)
        assert result.counts == {"stored": 1}
        return result.batch

    return call


@flow(name="name of a night")
def name_of_night(batch: str = NIGHTLY) -> str:
    named = name_of_run(batch)
    return f"{named.name}: {named.explained()}"


@flow(name="calls another flow")
def caller() -> str:
    return name_of_night()


def deployed(prefect: SyncPrefectClient, made: Any, *schedules: Any) -> UUID:
    """A deployment of a flow with these schedules, which are not active."""
    listed = [DeploymentScheduleCreate(schedule=each, active=False) for each in schedules]
    return prefect.create_deployment(flow_id=prefect.create_flow(made), name=uuid4().hex, schedules=listed)


def nights(prefect: SyncPrefectClient, api: httpx.Client, deployment: UUID, start: str, end: str) -> list[FlowRun]:
    """The runs that the server makes for a deployment's schedules, for nights that are past."""
    for each in prefect.read_deployment_schedules(deployment):
        prefect.update_deployment_schedule(deployment, each.id, active=True)
    body = {"start_time": start, "end_time": end, "max_runs": 50}
    api.post(f"/deployments/{deployment}/schedule", json=body).raise_for_status()
    found = api.post("/flow_runs/filter", json={"deployments": {"id": {"any_": [str(deployment)]}}}).json()
    for each in prefect.read_deployment_schedules(deployment):
        prefect.update_deployment_schedule(deployment, each.id, active=False)
    past = [FlowRun.model_validate(each) for each in found if each["expected_start_time"] < "2026-06"]
    return sorted(past, key=lambda run: run.expected_start_time)


def by_hand(prefect: SyncPrefectClient, deployment: UUID, moment: datetime = NIGHT) -> FlowRun:
    """A run that a person started at that moment."""
    return prefect.create_flow_run_from_deployment(deployment, state=Scheduled(scheduled_time=moment))


def again(prefect: SyncPrefectClient, run: FlowRun) -> FlowRun:
    """The same run once more, as the button Retry makes it."""
    prefect.set_flow_run_state(run.id, AwaitingRetry(scheduled_time=datetime.now(UTC)), force=True)
    return prefect.read_flow_run(run.id)


@pytest.mark.parametrize(
    "schedule",
    [
        CronSchedule(cron="30 1 * * *", timezone="Europe/Berlin"),
        RRuleSchedule(rrule="FREQ=DAILY;BYHOUR=1;BYMINUTE=30", timezone="Europe/Berlin"),
        IntervalSchedule(interval=timedelta(days=1), anchor_date=WINTER, timezone="Europe/Berlin"),
    ],
    ids=["cron", "rrule", "interval"],
)
def test_the_schedule_that_made_a_run_gives_the_zone(
    prefect: SyncPrefectClient, api: httpx.Client, schedule: Any
) -> None:
    """Three nights over the change to summer time: by UTC, the last two had one name."""
    deployment = deployed(prefect, name_of_night, schedule)
    runs = nights(prefect, api, deployment, "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z")
    said = [run_flow(name_of_night, flow_run=run) for run in runs]
    assert [each.split(": ")[0] for each in said] == [f"nightly-2026-03-{day}" for day in (28, 29, 30)]
    assert "2026-03-30 01:30 in Europe/Berlin, the time zone of the schedule that made this run" in said[-1]


def test_the_zone_of_a_run_that_no_schedule_made(prefect: SyncPrefectClient) -> None:
    said = run_flow(name_of_night, flow_run=by_hand(prefect, deployed(prefect, name_of_night, SHANGHAI)))
    assert said.startswith("nightly-2026-03-30: ")
    assert "2026-03-30 02:00 in Asia/Shanghai, the time zone of the deployment's schedules" in said

    said = run_flow(name_of_night, flow_run=by_hand(prefect, deployed(prefect, name_of_night)))
    assert said.startswith("nightly-2026-03-29: ")
    assert "2026-03-29 18:00 in UTC, since neither this run nor its deployment has a schedule" in said


def test_zones_that_disagree_are_refused_and_an_active_schedule_outranks_the_others(prefect: SyncPrefectClient) -> None:
    deployment = deployed(prefect, name_of_night, BERLIN, SHANGHAI)
    with pytest.raises(InputError, match=r"nightly-2026-03-30 .Asia/Shanghai.*Nothing was spent"):
        run_flow(name_of_night, flow_run=by_hand(prefect, deployment))
    in_the_morning = by_hand(prefect, deployment, datetime(2026, 3, 29, 6, tzinfo=UTC))  # one date in both
    assert run_flow(name_of_night, flow_run=in_the_morning).startswith("nightly-2026-03-29: ")

    (berlin,) = (
        each for each in prefect.read_deployment_schedules(deployment) if each.schedule.timezone == "Europe/Berlin"
    )
    prefect.update_deployment_schedule(deployment, berlin.id, active=True)
    assert run_flow(name_of_night, flow_run=by_hand(prefect, deployment)).startswith("nightly-2026-03-29: ")
    prefect.update_deployment_schedule(deployment, berlin.id, active=False)


def test_a_subflow_has_the_night_of_the_scheduled_flow_that_called_it(
    prefect: SyncPrefectClient, api: httpx.Client
) -> None:
    """It began long after it: by its own time, a retry on the next day would name another batch."""
    (run,) = nights(prefect, api, deployed(prefect, caller, SHANGHAI), "2026-03-29T17:00:00Z", "2026-03-29T19:00:00Z")
    assert run_flow(caller, flow_run=run).startswith("nightly-2026-03-30: ")


def test_a_prefect_that_does_not_answer_is_not_guessed_for(
    prefect: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = by_hand(prefect, deployed(prefect, name_of_night, SHANGHAI))
    monkeypatch.setattr(schedule_zone, "get_client", lambda **_: _unreachable())
    with pytest.raises(InputError, match=r"Prefect's API did not give it \(ConnectError\).*Nothing was spent"):
        run_flow(name_of_night, flow_run=run)
    named = run_flow(
        name_of_night, flow_run=again(prefect, run), parameters={"batch": "n-{scheduled@Asia/Shanghai:%d}"}
    )
    assert named.startswith("n-30: ")


def _unreachable() -> SyncPrefectClient:
    return SyncPrefectClient("http://127.0.0.1:9/api")


@pytest.mark.slow
def test_a_night_keeps_its_batch_when_the_rule_or_the_schedule_changes(
    prefect: SyncPrefectClient, api: httpx.Client, paid: Callable[..., str], sandbox: SandboxServer
) -> None:
    """The night was made under its date in UTC, as older versions named it."""
    deployment = deployed(prefect, generate_videos, SHANGHAI)
    run, after = nights(prefect, api, deployment, "2026-03-29T17:00:00Z", "2026-03-30T19:00:00Z")
    assert paid(run, "nightly-2026-03-29") == "nightly-2026-03-29"
    assert sandbox.state.calls["jimmy.create"] == 1

    # The same run, and another run for the same night: nothing is paid again.
    assert paid(again(prefect, run)) == "nightly-2026-03-29"
    assert paid(by_hand(prefect, deployment, NIGHT + timedelta(hours=8))) == "nightly-2026-03-29"
    assert sandbox.state.calls["jimmy.create"] == 1

    # The zone is changed between a run and its retry.
    assert paid(after) == "nightly-2026-03-31"
    (schedule,) = prefect.read_deployment_schedules(deployment)
    moved = CronSchedule(cron="0 14 * * *", timezone="America/New_York")
    prefect.update_deployment_schedule(deployment, schedule.id, schedule=moved)
    assert paid(again(prefect, after)) == "nightly-2026-03-31"
    assert sandbox.state.calls["jimmy.create"] == 2


@pytest.mark.slow
def test_nights_that_begin_late_and_other_deployments_have_their_own_batches(
    prefect: SyncPrefectClient, api: httpx.Client, paid: Callable[..., str], sandbox: SandboxServer
) -> None:
    """Both nights begin now: when a batch was begun does not say for which night."""
    one, other = deployed(prefect, generate_videos, SHANGHAI), deployed(prefect, generate_videos, NEW_YORK)
    late = nights(prefect, api, one, "2026-03-28T17:00:00Z", "2026-03-29T19:00:00Z")
    assert [paid(run) for run in late] == ["nightly-2026-03-29", "nightly-2026-03-30"]
    (evening,) = nights(prefect, api, other, "2026-03-28T23:00:00Z", "2026-03-29T00:00:00Z")
    assert paid(evening) == "nightly-2026-03-28"
    assert sandbox.state.calls["jimmy.create"] == 3


@pytest.mark.slow
def test_a_name_that_another_night_took_is_said(
    prefect: SyncPrefectClient, api: httpx.Client, route_to: RouteTo, tmp_path: Path
) -> None:
    """West of Greenwich the evening's date in UTC is the next evening's own: its batch exists already."""
    first, second = nights(
        prefect, api, deployed(prefect, generate_videos, NEW_YORK), "2026-01-15T20:00:00Z", "2026-01-17T01:00:00Z"
    )
    options = {"table": [{"prompt": "a lantern"}], "route": route_to(), "output": tmp_path / "videos"}
    run_flow(generate_videos, flow_run=first, parameters={"batch": "nightly-2026-01-16", **options})
    result = run_flow(generate_videos, flow_run=second, parameters={"batch": NIGHTLY, **options})
    assert result.batch == "nightly-2026-01-16"
    assert any("was begun for another time (2026-01-16 00:30 UTC)" in each for each in result.warnings)
