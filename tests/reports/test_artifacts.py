"""What people look at in the UI, read back from the server."""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal

import httpx
import pytest

from prefect_seedance import generate_videos
from prefect_seedance.blocks import JimmyCredentials
from prefect_seedance.sandbox import SandboxSettings
from tests.patience import hasten

SECRET = "sk_do_not_show_77c2"


@pytest.fixture
def sandbox_settings():
    return SandboxSettings(speed=200, keys={SECRET: "jimmy", "sk-sandbox": "anyfast"})


@pytest.fixture
def run(prefect_server, route_to, sandbox, tmp_path):
    def call(table, **options):
        route = [
            route_to(credentials=JimmyCredentials(api_key=SECRET, base_url=sandbox.url), **options.pop("route", {})),
            route_to("seedance-2.0-mini"),
        ]
        settings = {"route": route, "batch": "spring", "output": tmp_path / "v", **options}
        state = generate_videos(table, return_state=True, **settings)
        return str(state.state_details.flow_run_id), state

    return call


def artifacts(server: str, flow_run: str) -> dict[str, list[dict]]:
    wanted = {"artifacts": {"flow_run_id": {"any_": [flow_run]}}, "limit": 200}
    found = httpx.post(f"{server}/api/artifacts/filter", json=wanted).json()
    by_type: dict[str, list[dict]] = {}
    for each in found:
        by_type.setdefault(each["type"], []).append(each)
    return by_type


def rows_of(artifact: dict) -> list[dict]:
    return json.loads(artifact["data"]) if isinstance(artifact["data"], str) else artifact["data"]


@pytest.mark.slow
def test_a_run_leaves_a_summary_its_costs_and_its_rows(run, prefect_server, sandbox, tmp_path):
    table = [
        {"id": "one", "prompt": "a <b>bold</b> | lantern"},
        {"id": "two|<i>", "prompt": "Mickey Mouse"},
        {"id": "three", "prompt": "tokens", "model": "seedance-2.0-mini", "ratio": "16:9", "duration": 5},
    ]
    first_id, _ = run(table)
    second_id, state = run([*table, {"id": "four", "prompt": "one more"}])
    first, second = artifacts(prefect_server, first_id), artifacts(prefect_server, second_id)
    result = state.result()

    for found in (first, second):
        assert len(found["markdown"]) == 1
        assert len(found["progress"]) == 1
        assert found["progress"][0]["data"] == 100
        assert len(found["table"]) in {2, 3}
        keys = [each["key"] for kind in found.values() for each in kind if each["key"]]
        assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for key in keys)

    summary = first["markdown"][0]["data"]
    for piece in ("spring", "CNY", "TRADEMARK", "two"):
        assert piece in summary
    assert "<i>" not in summary, "what a user or provider wrote is no markup"

    def cost_tables(found):
        return [rows for each in found["table"] if (rows := rows_of(each)) and "billing model" in rows[0]]

    everything = json.dumps([rows_of(each) for each in second["table"]], ensure_ascii=False)
    for piece in ("seedance2.0-mini-720p", "seedance-2.0-mini", "CNY"):
        assert piece in everything
    paid = {line.job_id: line for line in sandbox.state.bill()}
    to_date = sum(line.cost for line in result.costs_to_date)
    assert to_date == sum(line.cost for line in paid.values() if line.state == "succeeded")
    assert result.cost() == {"CNY": Decimal("0.25")}, "the second run paid for one row alone"
    costs = [value for rows in cost_tables(second) for row in rows for value in row.values()]
    assert any(Decimal(str(value)) == Decimal("0.25") for value in costs if _is_number(value)), costs
    assert any(Decimal(str(value)) == Decimal("0.5") for value in costs if _is_number(value)), costs
    # The failed job's charge is not documented: told apart, and not as a zero.
    assert "undocumented" in everything.lower() or "not documented" in everything.lower() or "unknown" in everything

    # Nothing secret anywhere that anybody looks at: server, files, ledger.
    text = json.dumps([first, second])
    text += httpx.get(f"{prefect_server}/api/flow_runs/{second_id}").text
    for kind in ("task_runs", "logs"):
        wanted = {"flow_runs": {"id": {"any_": [first_id, second_id]}}} if kind == "task_runs" else {}
        text += httpx.post(f"{prefect_server}/api/{kind}/filter", json=wanted).text
    for path in tmp_path.rglob("*"):
        if path.is_file() and path.suffix != ".mp4":
            text += path.read_bytes().decode("latin-1")
    assert SECRET not in text
    assert "sk-sandbox" not in text
    assert "sig=" not in text, "a signed link is a key for whoever reads it"
    assert SECRET not in repr(result)


def _is_number(value: object) -> bool:
    try:
        Decimal(str(value))
    except ArithmeticError:
        return False
    return not isinstance(value, bool)


@pytest.mark.slow
def test_the_progress_moves_while_the_run_lasts(run, prefect_server, sandbox):
    from dataclasses import replace

    sandbox.state.settings = replace(sandbox.state.settings, speed=1)
    seen: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            wanted = {"artifacts": {"type": {"any_": ["progress"]}}, "sort": "CREATED_DESC", "limit": 1}
            found = httpx.post(f"{prefect_server}/api/artifacts/filter", json=wanted).json()
            known = set(seen)
            seen.extend(each["data"] for each in found if each["flow_run_id"] in fresh())
            if set(seen) - known:
                hasten(sandbox)  # the jobs end once the progress before was seen
            time.sleep(0.15)

    def fresh() -> set[str]:
        # By its name: the server is that of other tests, too, and lists 200 runs at most.
        wanted = {"flow_runs": {"name": {"any_": ["generate moving"]}}}
        return {each["id"] for each in httpx.post(f"{prefect_server}/api/flow_runs/filter", json=wanted).json()}

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        flow_run, _ = run([{"prompt": f"x{n}"} for n in range(6)], route={"max_in_flight": 2}, batch="moving")
    finally:
        done.set()
        watcher.join()
    assert seen == sorted(seen), "progress never goes back"
    assert len(set(seen)) >= 3, seen
    assert artifacts(prefect_server, flow_run)["progress"][0]["data"] == 100


@pytest.mark.slow
def test_the_table_of_rows_is_bounded(run, prefect_server):
    """A table of thousands must not flood the server: some rows, and where the whole file is."""
    size = 3000
    flow_run, state = run([{"prompt": f"prompt {n} " + "x" * 400} for n in range(size)], limit=2)
    found = artifacts(prefect_server, flow_run)
    body = json.dumps(found)
    assert len(body) < 1_000_000
    longest = max(len(rows_of(each)) for each in found["table"])
    assert 1 <= longest <= 1000
    assert "results.csv" in body
    assert len(state.result().to_dataframe()) == size


def test_a_run_that_holds_rows_back_says_so_in_its_progress_its_summary_and_its_log(run, prefect_server, sandbox):
    sandbox.faults.create_storm = 1.0
    flow_run, state = run([{"prompt": f"x{n}"} for n in range(12)], batch="storm", limit_patience=0)
    assert state.name == "None stored"
    found = artifacts(prefect_server, flow_run)
    (progress,) = found["progress"]
    (summary,) = found["markdown"]
    for said in ("end without proof of what became of them", "Nothing more is sent to seedance2.0-mini"):
        assert said in progress["description"]
        assert said in summary["data"]
    assert "prefect-seedance resolve-all storm" in summary["data"]
    assert len(sandbox.state.bill()) == 8
