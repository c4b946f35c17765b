"""Budgets, limits of failure, and approval: what may be spent is never exceeded, and what does not fit waits."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateName
from prefect.exceptions import PrefectHTTPStatusError

from prefect_seedance import generate_videos
from prefect_seedance.errors import InputError
from prefect_seedance.flows import NothingStored
from prefect_seedance.reports.summary import summary
from prefect_seedance.sandbox import SandboxServer
from tests.conftest import RouteTo
from tests.patience import patience

pytestmark = pytest.mark.usefixtures("prefect_server")


def rows(number: int, prompt: str = "a lantern") -> list[dict[str, str]]:
    return [{"id": f"r{index}", "prompt": f"{prompt} {index}"} for index in range(number)]


def spent(sandbox: SandboxServer) -> Decimal:
    return sum((line.cost for line in sandbox.state.bill()), Decimal(0))


def test_a_budget_bounds_the_whole_life_of_a_batch(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    route = route_to(duration=5)  # 0.25 CNY a row
    first = generate_videos(rows(10), route=route, batch="b", output=tmp_path, budget="1 CNY")
    assert first.counts == {"stored": 4, "over_budget": 6}
    assert first.name == "Some unfinished"
    assert any("1.00 of 1 CNY" in hint for hint in first.hints)
    assert any("Balance of jimmy/default" in hint and "→" in hint for hint in first.hints)
    assert all(hint.split(":")[0] in summary(first) for hint in first.hints)
    assert spent(sandbox) == Decimal("1.00")
    again = generate_videos(rows(10), route=route, batch="b", output=tmp_path, budget="1 CNY")
    assert again.made == 0
    assert spent(sandbox) == Decimal("1.00")
    more = generate_videos(rows(10), route=route, batch="b", output=tmp_path, budget="1.6 CNY")
    assert more.counts == {"stored": 6, "over_budget": 4}
    rest = generate_videos(rows(10), route=route, batch="b", output=tmp_path)
    assert rest.counts == {"stored": 10}
    assert spent(sandbox) == Decimal("2.50")


def test_a_take_spends_from_the_same_budget(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    route = route_to(duration=5)
    generate_videos(rows(2), route=route, batch="b", output=tmp_path, budget="0.75 CNY")
    second = generate_videos(rows(2), route=route, batch="b", output=tmp_path, budget="0.75 CNY", take="2")
    assert second.counts == {"stored": 1, "over_budget": 1}
    assert spent(sandbox) == Decimal("0.75")


@pytest.mark.slow
def test_refunds_and_refusals_give_back_and_unknown_outcomes_do_not(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    route = route_to("seedance2.0-md", max_in_flight=1)  # 0.9 CNY a row
    sandbox.faults.queue("create", "cut_after", "ok")
    result = generate_videos(rows(3), route=route, batch="b", output=tmp_path, budget="1.8 CNY")
    assert result.counts == {"unknown": 1, "stored": 1, "over_budget": 1}
    anyfast = route_to("seedance-2.0-mini", max_in_flight=1, duration=5, ratio="16:9")  # 2.5047 CNY a row
    sandbox.faults.queue("create", "failed", "ok")
    result = generate_videos(rows(2), route=anyfast, batch="a", output=tmp_path, budget="2.6 CNY")
    assert result.counts == {"failed": 1, "stored": 1}


@pytest.mark.slow
def test_many_runs_at_once_cannot_spend_the_same_money_twice(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    route = route_to(duration=5)

    def run(part: int) -> None:
        table = [row for index, row in enumerate(rows(24)) if index % 3 == part]
        # One of them may find all of it spent.
        with contextlib.suppress(NothingStored):
            generate_videos(table, route=route, batch="b", output=tmp_path, budget="2 CNY")

    # A thread has no context of its own, and Prefect keeps its settings there.
    threads = [threading.Thread(target=contextvars.copy_context().run, args=(run, part)) for part in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert spent(sandbox) == Decimal("2.00")


def test_rows_that_a_budget_cannot_hold_are_told_before_anything_is_spent(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    unpriced = route_to("sd2_mx_720p")
    with pytest.raises(InputError, match="max_charge"):
        generate_videos(rows(1), route=unpriced, batch="b", output=tmp_path, budget="9 CNY")
    with pytest.raises(InputError, match="never converted"):
        generate_videos(rows(1), route=route_to(), batch="b", output=tmp_path, budget="9 USD")
    with pytest.raises(InputError, match="budget is "):
        generate_videos(rows(1), route=route_to(), batch="b", output=tmp_path, budget="100")
    assert sandbox.state.bill() == []
    bounded = generate_videos(rows(3), route=unpriced, batch="b", output=tmp_path, budget="9 CNY", max_charge="4 CNY")
    assert bounded.counts == {"stored": 2, "over_budget": 1}


@pytest.mark.slow
def test_too_many_failures_end_the_taking_of_new_rows(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    route = route_to(max_in_flight=2)
    table = rows(2) + [{"id": f"bad{index}", "prompt": f"Mickey Mouse {index}"} for index in range(20)]
    result = generate_videos(table, route=route, batch="b", output=tmp_path, max_failures=3)
    assert result.counts["stored"] == 2
    assert 3 <= result.counts["failed"] <= 4
    assert result.counts["planned"] >= 16
    assert any("max_failures" in warning for warning in result.warnings)
    assert len(sandbox.state.bill()) == result.counts["stored"] + result.counts["failed"]
    with pytest.raises(NothingStored) as caught:
        generate_videos(table[2:], route=route, batch="c", output=tmp_path, max_failures=0.1)
    assert caught.value.result is not None
    assert 2 <= caught.value.result.counts["failed"] <= 3  # a tenth of twenty, and one more in flight


@pytest.mark.slow
def test_who_waits_while_the_run_stops_is_not_sent(route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path) -> None:
    sandbox.faults.retry_after = 600.0
    sandbox.faults.queue("create", "ok", "rate_limited")
    table = [{"id": f"bad{number}", "prompt": f"Mickey Mouse {number}"} for number in range(9)]
    with pytest.raises(NothingStored) as caught:
        generate_videos(table, route=route_to(max_in_flight=2), batch="b", output=tmp_path, max_failures=1)
    # The failure came while another waited out the provider's ten minutes: it does not, and nothing more is bought.
    assert caught.value.result is not None
    counts = caught.value.result.counts
    assert counts.pop("failed") == 1
    assert set(counts) <= {"planned", "deferred"}
    assert len(sandbox.state.bill()) == 1


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "many", 0.0])
def test_max_failures_that_mean_nothing_are_refused(wrong: object, route_to: RouteTo, tmp_path: Path) -> None:
    with pytest.raises((InputError, Exception), match="max_failures"):
        generate_videos(rows(1), route=route_to(), batch="b", output=tmp_path, max_failures=wrong)


@pytest.mark.slow
@pytest.mark.parametrize("approve", [True, False])
def test_a_person_is_asked_above_a_limit(
    approve: bool, route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    async def answer() -> str:
        async with get_client() as client:
            wanted = FlowRunFilter(state=FlowRunFilterState(name=FlowRunFilterStateName(any_=["Paused"])))
            while not (found := await client.read_flow_runs(flow_run_filter=wanted)):
                await asyncio.sleep(0.1)
            assert sandbox.state.bill() == []
            key = found[0].state.state_details.run_input_keyset["description"]
            shown = None
            while shown is None:  # the question is stored a moment after the state
                with contextlib.suppress(PrefectHTTPStatusError):
                    shown = await client.read_flow_run_input(flow_run_id=found[0].id, key=key)
            await client.resume_flow_run(found[0].id, run_input={"approve": approve})
            return str(shown)

    shown: list[str] = []
    context = contextvars.copy_context()
    person = threading.Thread(target=lambda: shown.append(context.run(asyncio.run, answer())))
    person.start()
    outcome = "made"
    try:
        generate_videos(rows(2), route=route_to(duration=5), batch="b", output=tmp_path, approve_above="0.4 CNY")
    except InputError as error:
        outcome = str(error)
    person.join(patience())
    assert "0.5" in shown[0]
    assert (outcome == "made") is approve
    assert len(sandbox.state.bill()) == (2 if approve else 0)


@pytest.mark.slow
def test_nobody_is_asked_below_the_limit(route_to: RouteTo, tmp_path: Path) -> None:
    result = generate_videos(rows(1), route=route_to(duration=5), batch="b", output=tmp_path, approve_above="0.25 CNY")
    assert result.name == "All stored"
