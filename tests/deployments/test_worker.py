"""The deployments on a real server, with a real process worker: started, cancelled, paused, and the worker replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.cli.app import run
from prefect_seedance.cli.console import out
from prefect_seedance.ledger import Ledger, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.deployments.worker import FINAL, Ui, prefect, worker
from tests.patience import hasten, patience

pytestmark = [pytest.mark.slow, pytest.mark.timeout(patience(1800))]


@pytest.fixture
def ui(prefect_server: str) -> Iterator[Ui]:
    with Ui(prefect_server) as pressed:
        yield pressed


@pytest.fixture
def slow_sandbox() -> Iterator[SandboxServer]:
    """Jobs of 200 to 400 seconds, so that none ends before a run is cancelled."""
    with SandboxServer(SandboxSettings(speed=0.1)) as server:
        yield server


def states(ledger_file: Path, batch: str) -> list[State]:
    async def read() -> list[State]:
        ledger = await Ledger.open(f"sqlite+aiosqlite:///{ledger_file}")
        try:
            return [row.state for row in await ledger.read(lookups.rows_of, batch)]
        finally:
            await ledger.close()

    return asyncio.run(read())


def set_up(sandbox: SandboxServer, folder: Path, *more: str) -> None:
    with out.capture():
        code = run(["setup", "--sandbox", sandbox.url, "--folder", str(folder), "--overwrite", *more])
    assert code == 0


def test_from_the_file_to_the_videos(ui: Ui, sandbox: SandboxServer, tmp_path: Path, ledger_file: Path) -> None:
    """Prefect's own way: `prefect deploy`, a worker, and runs that are started as the UI starts them."""
    set_up(sandbox, tmp_path)
    RouteDefaults.load("sandbox", _sync=True).save("main", overwrite=True, _sync=True)
    prefect("deploy", "--all", "--prefect-file", "deployments/prefect.yaml")
    assert not any(schedule["active"] for each in ("nightly", "sweep") for schedule in ui.deployment(each)["schedules"])
    refused = ui.start("generate", rows="a fox", resolution="999p", batch="x")
    assert refused.status_code == 409
    assert "999p" in refused.text, "a wrong choice is refused before there is a run"
    assert ui.start("generate", rows="a fox").status_code == 409, "and so is an empty field that is needed"

    with worker(tmp_path / "worker.log"):
        said = {"route": ui.block("sandbox"), "output": str(tmp_path / "videos")}
        done = ui.run("generate", rows="id,prompt\nfox,a fox\nmouse,Mickey Mouse", batch="one", **said)
        assert (done["state_name"], done["name"]) == ("Some failed", "generate one")
        assert (tmp_path / "videos/one/fox.mp4").exists()
        assert states(ledger_file, "one") == [State.STORED, State.FAILED]
        artifacts = ui.artifacts(done["id"])
        summary = artifacts["seedance-one-summary"]["data"]
        assert "data:image/jpeg" in summary
        assert "/run?parameters=" in summary, "the next step is a link"
        logs = ui.logs(done["id"])
        assert len(logs) <= 14, logs
        assert "sk_sandbox" not in str((done, artifacts, logs))

        report = ui.run("cost-report", days=1)
        assert "0.25 CNY for 1 video" in report["state"]["message"]
        assert ui.run("quote", rows="a fox", route=said["route"])["state_name"] == "Quoted"
        assert ui.run("sweep", route=said["route"])["state_name"] == "Swept"
        wrong = ui.run("resolve", batch="one", row="nobody", finding="nothing was made or charged")
        assert (wrong["state_name"], "has no row 'nobody'" in wrong["state"]["message"]) == ("Not resolved", True)
    assert len(sandbox.state.bill()) == 2


def test_cancelled_paused_and_the_worker_replaced(
    ui: Ui, slow_sandbox: SandboxServer, tmp_path: Path, ledger_file: Path
) -> None:
    """Nothing is paid twice, whatever people press."""
    sandbox = slow_sandbox
    set_up(sandbox, tmp_path, "--deploy")
    # Jobs that lasted so long would lead it to ask the next ones seldom.
    asks_often = RouteDefaults.load("sandbox", _sync=True).model_copy(update={"poll_seconds": 1.0})
    asks_often.save("sandbox", overwrite=True, _sync=True)
    table = tmp_path / "prompts.csv"
    table.write_text("id,prompt\n" + "".join(f"r{number},a lantern {number}\n" for number in range(30)))
    said = {"table": "prompts.csv", "batch": "b", "route": ui.block("sandbox")}
    with worker(tmp_path / "worker-1.log"):
        run_id = ui.start("generate", **said).json()["id"]
        ui.until(run_id, lambda run: len(sandbox.state.bill()) >= 5 or run["state_type"] in FINAL)
        ui.set_state(run_id, "CANCELLING", "Cancelling")
        ended = ui.until(run_id, lambda run: run["state_type"] in FINAL)
        assert ended["state_type"] == "CANCELLED"
        paid = len(sandbox.state.bill())
        assert 5 <= paid < 30, "it was cancelled too late to prove anything"
        found = states(ledger_file, "b")
        assert State.UNKNOWN not in found
        assert State.CREATED in found, "jobs in flight are kept"

        ui.pause(paused=True)
        waiting = ui.start("generate", **said).json()["id"]
        time.sleep(4)
        assert ui.read(waiting)["state_type"] == "SCHEDULED"
        assert len(sandbox.state.bill()) == paid
    # That worker is gone now; the next one takes the run up once the pool goes on, and the jobs have ended meanwhile.
    sandbox.state.settings = replace(sandbox.state.settings, speed=20.0)
    hasten(sandbox, 400)
    with worker(tmp_path / "worker-2.log"):
        ui.pause(paused=False)
        ended = ui.until(waiting, lambda run: run["state_type"] in FINAL)
    assert ended["state_name"] == "All stored"
    assert states(ledger_file, "b") == [State.STORED] * 30
    assert len(sandbox.state.bill()) == 30, "nothing was paid twice"
