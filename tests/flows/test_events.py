"""Events for automations: each end of a row once, the batch once, small, and without a secret."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest
from prefect import flow
from prefect.events.worker import EventsWorker

from prefect_seedance import JimmyCredentials, sweep_videos
from prefect_seedance.core.events import RowEvent
from prefect_seedance.flows.events import ONE_BY_ONE, RouteRef, RowEventEmitter
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.patience import eventually, hasten, patience


@pytest.fixture
def events(api):
    """Our events of one batch, once the finished one (or `last`) has come; oldest first."""

    def read(batch, number=1, last="seedance.batch.finished"):
        wanted = {
            "filter": {
                "event": {"prefix": ["seedance."]},
                "any_resource": {"id": [f"seedance.batch.{batch}"]},
                "order": "ASC",
            },
            "limit": 50,
        }

        def came():
            found = api.post("/events/filter", json=wanted).json()["events"]
            return found if sum(event["event"] == last for event in found) >= number else None

        return eventually(came, f"{last} of {batch!r}", every=0.1)

    return read


def kinds(found):
    return Counter(event["event"].removeprefix("seedance.") for event in found)


@pytest.mark.slow
def test_each_end_is_told_once_with_its_relations(make, route_to, sandbox, events):
    batch = f"茶 {uuid4().hex[:6]}"
    sandbox.faults.queue("create", "ok", "failed", "cut_after", "ok")
    table = [{"id": each, "prompt": f"shot {each}"} for each in "abcd"]
    make(table, batch=batch, route=route_to(max_in_flight=1), budget="0.80 CNY")
    found = events(batch)
    assert kinds(found) == {
        "video.stored": 1,
        "video.failed": 1,
        "video.unknown": 1,
        "budget.exhausted": 1,
        "batch.finished": 1,
    }
    facts = {event["event"].removeprefix("seedance."): event for event in found}
    stored = facts["video.stored"]
    assert stored["resource"] == {
        "prefect.resource.id": f"seedance.video.{batch}.1.a",
        "prefect.resource.name": "a",
        "seedance.state": "stored",
        "seedance.take": "1",
        "seedance.provider": "jimmy",
        "seedance.model": "seedance2.0-mini",
    }
    assert Path(stored["payload"]["video"]).is_file()
    assert stored["payload"]["job_id"] == next(line.job_id for line in sandbox.state.bill() if line.prompt == "shot a")
    related = {each["prefect.resource.role"]: each["prefect.resource.id"] for each in stored["related"]}
    assert related["batch"] == f"seedance.batch.{batch}"
    assert related["route"] == "seedance.route.jimmy.seedance2.0-mini"
    assert related["account"] == "seedance.account.jimmy.default"
    assert related["flow-run"].startswith("prefect.flow-run.")
    finished = facts["batch.finished"]
    assert finished["resource"]["seedance.state"] == "Some unknown"
    assert finished["payload"]["rows"] == {"stored": 1, "failed": 1, "unknown": 1, "over_budget": 1}
    assert finished["payload"]["cost"] == {"CNY": "0.25"}
    assert facts["budget.exhausted"]["payload"]["budget"] == "0.8 CNY"
    whole = json.dumps(found)
    assert "sk_sandbox" not in whole
    assert "/files/" not in whole, "a signed link must not be told"
    assert max(len(json.dumps(event)) for event in found) < 5_000

    # The next run tells what it did, and reminds of what a person has to settle.
    make(table, batch=batch, route=route_to(max_in_flight=1))
    later = kinds(events(batch, 2)) - kinds(found)
    assert later == {"video.stored": 1, "video.unknown": 1, "batch.finished": 1}


@pytest.fixture
def slower():
    """A sandbox whose jobs outlast a run without patience."""
    with SandboxServer(SandboxSettings()) as server:
        yield server


@pytest.mark.slow
def test_a_sweep_tells_what_it_brought_to_its_end(make, route_to, slower, events):
    batch = f"swept {uuid4().hex[:6]}"
    route = route_to(credentials=JimmyCredentials(api_key="sk_sandbox", base_url=slower.url))
    make([{"id": "a", "prompt": "x"}], batch=batch, route=route, patience=0)
    assert kinds(events(batch)) == {"batch.finished": 1}
    hasten(slower)
    sweep_videos(route, batch=batch, patience=patience())
    found = events(batch, last="seedance.video.stored")
    assert kinds(found) == {"batch.finished": 1, "video.stored": 1}, "a sweep is no run of the batch"
    assert Path(found[-1]["payload"]["video"]).is_file()


def heard(monkeypatch, rows, states, budget=None):
    """The names of the events that an emitter of so many rows sends."""
    sent = []
    monkeypatch.setattr("prefect_seedance.flows.events.emit_event", lambda name, **_: sent.append(name))
    keys = [str(number) for number in range(rows)]
    emitter = RowEventEmitter("b", "1", dict.fromkeys(keys, RouteRef("jimmy", "default", "m")), budget)
    for key in keys:
        for state in states:
            emitter.handle(RowEvent(key, state, "m"))
    return Counter(name.removeprefix("seedance.") for name in sent)


@pytest.mark.parametrize(
    ("states", "sent"),
    [
        (("planned", "sent", "created", "succeeded", "stored"), {"video.stored": 3}),
        (("stored",), {}),
        (("held", "stored"), {}),
        (("succeeded", "expired"), {"video.failed": 3}),
        (("over_budget", "over_budget"), {"budget.exhausted": 1}),
        (("unknown",), {"video.unknown": 3}),
        (("planned", "deferred"), {}),
    ],
    ids=" ".join,
)
def test_only_a_move_to_an_end_is_told(monkeypatch, states, sent):
    assert heard(monkeypatch, 3, states, Amount.parse("1 CNY", "budget")) == sent


def test_a_server_is_not_flooded(monkeypatch):
    assert heard(monkeypatch, ONE_BY_ONE + 1, ("planned", "stored")) == {}
    assert heard(monkeypatch, ONE_BY_ONE * 3, ("planned", "failed")) == {"video.failed": ONE_BY_ONE}


def test_no_row_falls_over_its_announcement(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no events today")

    monkeypatch.setattr("prefect_seedance.flows.events.emit_event", broken)
    emitter = RowEventEmitter("b", "1", {"a": RouteRef("jimmy", "default", "m")})
    emitter.handle(RowEvent("a", "planned", "m"))
    emitter.handle(RowEvent("a", "stored", "m"))


@flow(name="on call")
def on_call(batch: str, row: str, message: str) -> None:
    """What a user would have run; here the server only has to start it."""


@pytest.mark.slow
def test_the_automation_of_the_examples_fires(make, sandbox, api, events):
    path = Path(__file__).parents[2] / "examples" / "automation.py"
    spec = importlib.util.spec_from_file_location("example_automation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    batch = f"guarded-{uuid4().hex[:6]}"
    deployment = on_call.to_deployment(batch).apply()
    automation = module.when_unknown(f"on call/{batch}", batch=batch)
    try:
        sandbox.faults.queue("create", "cut_after")
        make([{"id": "lost", "prompt": "x"}], batch=batch)

        def started():
            EventsWorker.drain_all(timeout=patience())
            return api.post("/flow_runs/filter", json={"deployments": {"id": {"any_": [str(deployment)]}}}).json()

        (run,) = eventually(started, "the run of the automation", every=0.1)
        assert (run["parameters"]["batch"], run["parameters"]["row"]) == (batch, "lost")
        assert "answer" in run["parameters"]["message"].lower()
    finally:
        api.delete(f"/automations/{automation.id}")
