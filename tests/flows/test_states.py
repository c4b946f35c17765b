"""How a run ends: a few fixed, named states, as the server keeps them."""

from __future__ import annotations

from collections import Counter

import pytest
from prefect.logging.handlers import APILogWorker

from prefect_seedance import NothingStored, generate_videos
from tests.patience import eventually, patience


@pytest.fixture
def ended(prefect_server, route_to, output, api):
    """Runs a table and answers with the flow run as the server has it."""

    def call(table, **options):
        settings = {"route": route_to(max_in_flight=1), "batch": "spring", "output": output, **options}
        state = generate_videos(table, return_state=True, **settings)
        return api.get(f"/flow_runs/{state.state_details.flow_run_id}").json()

    return call


@pytest.mark.slow
def test_the_state_says_how_it_went(ended, sandbox):
    pair = [{"id": "a", "prompt": "x"}, {"id": "b", "prompt": "y"}]

    def state(batch: str, *faults: str, table=pair, **options) -> tuple[str, str]:
        sandbox.faults.queue("create", *faults)
        run = ended(table, batch=batch, **options)
        assert batch in run["name"], "the run is named after its batch"
        return run["state"]["type"], run["state"]["name"]

    assert state("all") == ("COMPLETED", "All stored")
    assert state("all") == ("COMPLETED", "Nothing new")
    assert state("failed", "failed", "ok") == ("COMPLETED", "Some failed")
    assert state("unknown", "cut_after", "ok") == ("COMPLETED", "Some unknown")
    assert state("slow", "never_ending", "ok", patience=1) == ("COMPLETED", "Some unfinished")
    assert state("none", "failed", "failed") == ("FAILED", "None stored")
    # Nothing of this run could be stored, but the batch has a video: still not a failure of the whole.
    assert state("failed", table=[*pair, {"id": "c", "prompt": "z"}], patience=5)[0] == "COMPLETED"


def test_a_mistake_of_the_input_fails_the_run_before_it_spends(ended, sandbox):
    run = ended([{"words": "x"}])
    assert run["state"]["type"] == "FAILED"
    assert "prompt" in run["state"]["message"]
    assert "Nothing was spent" in run["state"]["message"]
    assert not sandbox.state.calls


def test_the_error_carries_the_rows(prefect_server, route_to, output):
    with pytest.raises(NothingStored, match="TRADEMARK") as caught:
        generate_videos([{"id": "m", "prompt": "米老鼠"}], route=route_to(), batch="spring", output=output)
    frame = caught.value.result.to_dataframe()
    assert frame[["id", "status"]].values.tolist() == [["m", "failed"]]


def test_task_runs_are_named_after_the_row_and_few(ended, api):
    run = ended([{"id": "tea-01", "prompt": "x"}, {"id": "茶/02", "prompt": "y"}])
    of_run = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    # Prefect makes them out of events, a moment later.
    named = complete(api, of_run, 6)
    assert len(named) == 6, "a create, a poll and a download for each row"
    for row in ("tea-01", "茶/02"):
        assert sum(row in task["name"] for task in named) == 3
    assert Counter(task["state"]["type"] for task in named) == {"COMPLETED": 6}
    APILogWorker.drain_all(timeout=patience())
    logs = api.post("/logs/filter", json={"logs": {"flow_run_id": {"any_": [run["id"]]}}}).json()
    assert 1 <= len(logs) < 40


def complete(api, wanted, number):
    """The task runs, once so many of them are completed."""

    def completed():
        runs = api.post("/task_runs/filter", json=wanted).json()
        return runs if sum(run["state"]["type"] == "COMPLETED" for run in runs) >= number else None

    return eventually(completed, f"{number} completed task runs", every=0.1)
