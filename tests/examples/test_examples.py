"""Each example, run against the sandbox: what it says about itself is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import httpx
import pytest

from tests.patience import patience

EXAMPLES = Path(__file__).parents[2] / "examples"
RUNNABLE = sorted(path.name for path in EXAMPLES.glob("*.py") if path.name not in {"sandbox_route.py", "automation.py"})


def test_all_are_listed_and_explained():
    listed = set(re.findall(r"\]\(([\w.]+)\)", (EXAMPLES / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}
    tests = Path(__file__).read_text(encoding="utf-8")
    for name in RUNNABLE:
        assert f'example("{name.removesuffix(".py")}")' in tests, f"{name} has no test"


@pytest.mark.slow
def test_warehouse_pays_for_new_lines_only(prefect_server, example, route_to, sandbox, tmp_path):
    module = example("warehouse")
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as database:
        database.execute(module.PROMPTS)
    assert module.videos_of_warehouse(file, route_to(), tmp_path / "videos") == 3
    with duckdb.connect(str(file)) as database:
        rows = database.execute("SELECT sku, status, video, cost, currency FROM videos ORDER BY sku").fetchall()
        database.execute("INSERT INTO prompts VALUES ('new-01', 'A kite', 4, 'tea')")
    assert [(sku, status) for sku, status, *_ in rows] == [(sku, "stored") for sku in ("shoe-01", "tea-01", "tea-02")]
    assert all(Path(video).is_file() for _, _, video, _, _ in rows)
    assert sum(row[3] for row in rows) == sum(line.cost for line in sandbox.state.bill()) == Decimal("0.65")
    assert module.videos_of_warehouse(file, route_to(), tmp_path / "videos") == 1
    assert len(sandbox.state.bill()) == 4
    with duckdb.connect(str(file)) as database:
        assert database.execute("SELECT count(*), count(video) FROM videos").fetchone() == (4, 4)


@pytest.mark.parametrize("rows", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_subflow_quote_tells_the_server_a_line(prefect_server, example, route_to, rows, sandbox):
    state = example("subflow_quote").plan_campaign(rows, route_to(), return_state=True)
    seconds = sum(4 + number % 5 for number in range(rows))
    cost = seconds * Decimal("0.05")
    assert {key: [Decimal(part) for part in text.split(" to ")] for key, text in state.result().items()} == {
        "CNY": [cost, cost]
    }
    with httpx.Client(base_url=f"{prefect_server}/api") as client:
        parent = str(state.state_details.flow_run_id)
        children = {"flow_runs": {"parent_flow_run_id": {"any_": [parent]}}}
        (quoted,) = client.post("/flow_runs/filter", json=children).json()
        assert quoted["parameters"]["table"] == f"a DataFrame of {rows:,} rows (id, prompt, duration)"
        whole = client.get(f"/flow_runs/{quoted['id']}").text + client.get(f"/flow_runs/{parent}").text
        runs = {"flow_runs": {"id": {"any_": [quoted["id"]]}}}
        kept = client.post("/task_runs/filter", json=runs).text + client.post("/artifacts/filter", json=runs).text
    assert len(whole) < 20_000
    assert len(kept) < 50_000
    assert "Product number 1234" not in whole + kept
    assert not sandbox.state.calls, "a quote asks nobody"


@pytest.mark.slow
def test_three_tasks(prefect_server, example, route_to, sandbox, tmp_path):
    module = example("three_tasks")
    videos = [module.lantern(route_to(), tmp_path) for _ in range(2)]
    assert videos[0] == videos[1]
    assert Path(videos[0]).is_file()
    assert len(sandbox.state.bill()) == 1


# Prefect leaves a connection to its own server open when a test's event loop closes.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*socket.socket")
async def test_async_flow(prefect_server, example, route_to, sandbox, tmp_path):
    assert await example("async_flow").campaigns(route_to(), tmp_path) == {"tea": 2, "rain": 2}
    assert len(sandbox.state.bill()) == 4


@pytest.mark.slow
def test_downstream_runs_for_stored_rows_only(prefect_server, example, route_to, tmp_path):
    published = example("downstream").made_and_published(route_to(), tmp_path)
    assert [text.split()[0] for text in published] == ["tea", "rain"]


@pytest.mark.slow
def test_video_job(prefect_server, example, route_to, sandbox, tmp_path):
    module = example("video_job")
    tickets = [module.run_any_job(module.lantern(route_to(), tmp_path)) for _ in range(2)]
    assert tickets[0] == tickets[1]
    assert Path(tickets[0].video).is_file()
    assert len(sandbox.state.bill()) == 1


@pytest.mark.slow
def test_own_media(prefect_server, example, route_to, sandbox, tmp_path):
    module = example("own_media")
    result = module.with_own_media(module.a_folder(tmp_path / "in"), route_to("seedance2.0-sp"), tmp_path / "out")
    assert result.counts == {"stored": 3}, [row.error_message for row in result]
    assert sandbox.state.calls["jimmy.realperson.submit"] >= 1
    assert len(sandbox.state.bill()) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNABLE)
def test_runs_as_it_stands(prefect_server, name, tmp_path, ledger_file):
    """As a newcomer runs it: no key, no arguments, from any folder."""
    arguments = ["1000"] if name == "subflow_quote.py" else []
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", str(EXAMPLES / name), *arguments]
    environment = {**os.environ, "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=patience(300), check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stdout + done.stderr
