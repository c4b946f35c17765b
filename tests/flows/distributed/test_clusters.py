"""Spread over Dask and Ray, for real: processes of a cluster, one of which is killed in the middle."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.flows.distributed.fleet import Run, kill_between_creates, rows, saved_route, shards, taken_over, until
from tests.patience import patience
from tests.postgres import PostgresServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(patience(1800)),
    # What Dask and Ray leave to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ROWS = 40
CEILING = 6


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """Jobs of 3.3 to 6.7 seconds."""
    with SandboxServer(SandboxSettings(speed=6.0)) as server:
        yield server


@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_two_processes_one_killed_in_the_middle(
    engine: str,
    prefect_server: str,
    postgres_server: PostgresServer,
    sandbox: SandboxServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if importlib.util.find_spec(f"prefect_{engine}") is None:
        pytest.skip(f"the extra [{engine}] is not installed")
    database = postgres_server.database()
    monkeypatch.setenv("PREFECT_SEEDANCE_LEDGER", postgres_server.url(database))
    monkeypatch.setenv("PREFECT_API_URL", f"{prefect_server}/api")
    route = saved_route(sandbox, f"spread-{engine}", max_in_flight=CEILING)
    begun = time.monotonic()
    parent = Run(rows(ROWS), route=route, batch=engine, output=tmp_path / "videos", spread=f"{engine}:2")
    until(lambda: len(shards(postgres_server, database)) == 2 or not parent.alive, "two shards")
    assert parent.alive, parent.end()
    until(lambda: len(sandbox.state.bill()) >= 8, "eight jobs")
    ready = time.monotonic()
    victim, its_run = shards(postgres_server, database)[0]
    orphans = kill_between_creates(postgres_server, database, victim, its_run)
    killed = time.monotonic()
    until(lambda: taken_over(postgres_server, database, its_run), "the other takes over")
    takeover = time.monotonic() - killed
    result = parent.end()

    assert (result.name, result.counts) == ("All stored", {"stored": ROWS})
    bill = sandbox.state.bill()
    assert len(bill) == len({line.prompt for line in bill}) == ROWS
    assert sandbox.state.peak["jimmy"] <= CEILING
    assert len(list((tmp_path / "videos" / engine).glob("*.mp4"))) == ROWS
    worked = postgres_server.execute(database, "SELECT run_id, count(*) FROM seedance_attempts GROUP BY run_id")
    assert len(worked) >= 2
    assert postgres_server.execute(database, "SELECT count(*) FROM seedance_seats") == [(0,)]
    with Path(os.environ.get("CHAOS_LOG", os.devnull)).open("a") as log:
        log.write(
            f"{engine}: {ROWS} rows, {CEILING} in flight, {time.monotonic() - begun:.0f} s ({ready - begun:.0f} s to 8 "
            f"jobs); {orphans} orphans taken over in {takeover:.2f} s; rows by shard {sorted(n for _, n in worked)}\n"
        )
