"""Spread over Prefect workers: a server on PostgreSQL, processes that are killed and added, a ledger restarted."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from prefect_seedance.cli.app import run
from prefect_seedance.cli.console import out
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.distributed import over_workers
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.deployments.worker import Ui
from tests.flows.distributed.fleet import (
    Run,
    Workers,
    calls,
    children_of,
    kill_between_creates,
    rows,
    saved_route,
    server_on,
    shards,
    taken_over,
    until,
)
from tests.patience import patience
from tests.postgres import PostgresServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(patience(1800)),
    pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning"),
]

ROWS = 80
CEILING = 5


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Jobs of 5 to 10 seconds."""
    with SandboxServer(SandboxSettings(speed=4.0)) as server:
        yield server


def test_three_workers_one_killed_one_added_and_the_ledger_restarted(
    postgres_server: PostgresServer, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres = PostgresServer()  # the ledger's own, which is restarted
    postgres.start()
    database = postgres.database()
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", postgres.url(database))
    with server_on(postgres_server, tmp_path) as server, Ui(server) as ui:
        with out.capture():
            assert run(["setup", "--sandbox", sandbox.url, "--folder", str(tmp_path), "--overwrite", "--deploy"]) == 0
        route = saved_route(sandbox, "spread", max_in_flight=CEILING)
        workers = Workers(tmp_path, postgres.url(database))
        try:
            for _ in range(3):
                workers.add()
            started, before = time.monotonic(), calls(tmp_path)
            parent = Run(rows(ROWS), route=route, batch="fleet", output=tmp_path / "videos", spread="workers:4")
            until(lambda: len(shards(postgres, database)) == 3 or not parent.alive, "three shards")
            assert parent.alive, parent.end()
            until(lambda: len(sandbox.state.bill()) >= 8, "eight jobs")
            ready = time.monotonic()
            workers.add()

            victim, its_run = shards(postgres, database)[0]
            boss = next(each for each in workers.running if victim in children_of(each.pid))
            os.kill(boss.pid, signal.SIGKILL)
            orphans = kill_between_creates(postgres, database, victim, its_run)
            killed = time.monotonic()
            until(lambda: taken_over(postgres, database, its_run), "the others take over")
            takeover = time.monotonic() - killed

            until(lambda: len(sandbox.state.bill()) >= 30, "thirty jobs")
            postgres.die()
            time.sleep(1)
            postgres.start()

            result = parent.end()
            asked = calls(tmp_path) - before
            assert (result.name, result.counts) == ("All stored", {"stored": ROWS})
            bill = sandbox.state.bill()
            assert len(bill) == len({line.prompt for line in bill}) == ROWS
            assert sandbox.state.peak["jimmy"] <= CEILING
            assert len(list((tmp_path / "videos/fleet").glob("*.mp4"))) == ROWS
            worked = postgres.execute(
                database, "SELECT run_id, count(*) FROM seedance_attempts WHERE outcome = 'created' GROUP BY run_id"
            )
            assert len(worked) >= 4, "the one that was added did nothing"
            assert postgres.execute(database, "SELECT count(*) FROM seedance_seats") == [(0,)]
            runs = [
                each for each in ui.api.post("/flow_runs/filter", json={}).json() if each["name"].startswith("shard")
            ]
            states = Counter(each["state_name"] for each in runs)
            assert states["Crashed"] == 1, states
            assert states["Completed"] >= 3
            assert not states.keys() - {"Crashed", "Completed", "Cancelled"}, states
        finally:
            workers.close()
            postgres.close()
    text = (
        f"{ROWS} rows, {CEILING} in flight: {time.monotonic() - started:.0f} s ({ready - started:.0f} s to 8 "
        f"jobs); {orphans} orphans taken over in {takeover:.2f} s; rows by shard {sorted(n for _, n in worked)}; "
        f"peak {sandbox.state.peak['jimmy']}; {asked / ROWS:.1f} API calls a row; {dict(states)}\n"
    )
    with Path(os.environ.get("CHAOS_LOG", os.devnull)).open("a") as log:
        log.write(text)


def test_workers_that_never_come_are_told_and_not_waited_for_for_ever(
    postgres_server: PostgresServer, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = postgres_server.database()
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", postgres_server.url(database))
    monkeypatch.setattr(over_workers, "WARN_AFTER", 3.0)
    with server_on(postgres_server, tmp_path), out.capture():
        assert run(["setup", "--sandbox", sandbox.url, "--folder", str(tmp_path), "--overwrite", "--deploy"]) == 0
        route = saved_route(sandbox, "alone")
        alone = Run(rows(2), route=route, batch="alone", output=tmp_path / "videos", spread="workers:1", patience=5)
        with pytest.raises(SeedanceError, match=r"No worker has taken a shard .* as long as patience allows"):
            alone.end()
    assert sandbox.state.jobs() == []
    assert postgres_server.execute(database, "SELECT DISTINCT state FROM seedance_rows") == [("planned",)]
