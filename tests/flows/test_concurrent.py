"""Two runs of one batch at once, big tables, and what the server is told of them."""

from __future__ import annotations

import contextvars
import json
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

from prefect_seedance import generate_videos, quote_videos
from tests.patience import patience

TWIN = """
import json, sys
from prefect_seedance import NothingStored, generate_videos
from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
url, output = sys.argv[1:]
route = RouteDefaults(credentials=JimmyCredentials(api_key="sk_sandbox", base_url=url), model="seedance2.0-mini",
    prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05"}), poll_seconds=0.1, max_in_flight=3)
table = [{"id": f"{n}", "prompt": f"prompt {n}"} for n in range(8)]
print("ready", flush=True)
sys.stdin.readline()
result = generate_videos(table, route=route, batch="spring", output=output)
print(json.dumps({"made": result.made, "jobs": [row.job_id for row in result.rows],
    "statuses": [row.status for row in result.rows], "cost": str(result.cost().get("CNY", 0))}))
"""


def check_once(sandbox, prompts: int) -> None:
    counts = Counter(line.prompt for line in sandbox.state.bill())
    assert len(counts) == prompts
    assert set(counts.values()) == {1}
    assert sandbox.state.calls["jimmy.create"] == prompts


@pytest.mark.slow
def test_two_runs_in_one_process(make, route_to, sandbox):
    table = [{"id": f"{n}", "prompt": f"prompt {n}"} for n in range(8)]
    route = route_to(max_in_flight=3)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(contextvars.copy_context().run, make, table, route=route) for _ in range(2)]
        results = [run.result() for run in runs]
    check_once(sandbox, 8)
    for result in results:
        assert [row.status for row in result.rows] == ["stored"] * 8
    assert [row.job_id for row in results[0].rows] == [row.job_id for row in results[1].rows]
    assert sum(result.made for result in results) == 8
    # Each run tells only what it paid itself.
    assert sum(sum(result.cost().values()) for result in results) == sum(line.cost for line in sandbox.state.bill())
    # Both share one account in one process: the limit holds for both together.
    assert sandbox.state.peak["jimmy"] <= 3


@pytest.mark.slow
def test_two_runs_in_two_processes(prefect_server, output, sandbox, tmp_path):
    script = tmp_path / "twin.py"
    script.write_text(TWIN)
    twins = [
        subprocess.Popen(
            [sys.executable, script, sandbox.url, output],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for twin in twins:
        assert twin.stdout.readline() == "ready\n"
    answers = []
    for twin in twins:
        twin.stdin.write("go\n")
        twin.stdin.flush()
    for twin in twins:
        out, err = twin.communicate(timeout=patience(300))
        assert twin.returncode == 0, err
        assert "Traceback" not in err
        answers.append(json.loads(out.splitlines()[-1]))
    check_once(sandbox, 8)
    assert [answer["statuses"] for answer in answers] == [["stored"] * 8] * 2
    assert answers[0]["jobs"] == answers[1]["jobs"]
    assert sum(answer["made"] for answer in answers) == 8


@pytest.mark.parametrize(
    ("which", "size"),
    [
        ("quote", 20_000),
        pytest.param("generate", 20_000, marks=pytest.mark.slow),
        pytest.param("generate", 100_000, marks=pytest.mark.slow),
    ],
)
def test_the_server_keeps_a_short_summary_of_a_big_table(prefect_server, route_to, output, api, which, size, sandbox):
    table = pd.DataFrame({"prompt": [f"secret wish number {n}" for n in range(size)], "mine": range(size)})
    if which == "quote":
        state = quote_videos(table, route=route_to(), limit=3, return_state=True)
        result = state.result()
        assert "0.75" in str(result.total)
    else:
        state = generate_videos(table, route=route_to(), batch="big", output=output, limit=3, return_state=True)
        result = state.result()
        assert result.made == 3
    assert len(result.to_dataframe()) == size
    run = api.get(f"/flow_runs/{state.state_details.flow_run_id}").text
    parameters = json.loads(run)["parameters"]
    assert len(run) < 20_000
    assert "secret wish" not in run
    assert "sk_sandbox" not in run
    assert str(size) in json.dumps(parameters).replace(",", ""), "how many rows there were is worth keeping"
    assert len(sandbox.state.bill()) == (3 if which == "generate" else 0)
