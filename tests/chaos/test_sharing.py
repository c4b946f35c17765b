"""Several processes over one PostgreSQL share a batch, a budget and uploads, though the server is restarted."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import State
from prefect_seedance.ledger.db import server_driver
from prefect_seedance.sandbox.http.media import media_bytes
from tests.chaos.child import MODELS, run_jobs
from tests.chaos.scene import Scene
from tests.postgres import PostgresServer

pytestmark = pytest.mark.chaos


def test_three_processes_share_rows_budget_and_uploads(tmp_path: Path, postgres: str) -> None:
    """36 rows at 0.25 CNY, a budget for 20 of them and no cent more, and one picture that all of them show.

    Each process is given two thirds of the rows, so each row is wanted by two.
    """
    logo = tmp_path / "logo.png"
    logo.write_bytes(media_bytes(logo.name, width=640, height=640, seconds=Decimal(1)))
    with Scene(tmp_path, seed=3, rows=36, ledger=postgres, models=MODELS[:1]) as scene:
        scene.server.faults.update(slow_create=0.3, slow_create_seconds=0.2)
        table = scene.task.rows * 2
        parts = {name: table[12 * number : 12 * number + 24] for number, name in enumerate("abc")}
        limits = {"media": str(logo), "budget": "5.10 CNY"}
        scene.end(*[scene.begin(machine=name, rows=rows, **limits) for name, rows in parts.items()])
        reckoning = scene.check()
        assert Counter(row.state for row in scene.rows()) == {State.STORED: 20, State.OVER_BUDGET: 16}
        assert (reckoning.jobs, reckoning.billed) == (20, Decimal("5.00"))
        workers = Counter(attempt.run_id for attempt in scene.attempts())
        assert len(workers) >= 2, "one of them did all the work"
        assert scene.server.state.calls["jimmy.upload"] == 1

        scene.end(*[scene.begin(machine=name, media=str(logo), budget="9.00 CNY") for name in "abc"])
        assert Counter(row.state for row in scene.rows()) == {State.STORED: 36}
        assert scene.check().billed == Decimal("9.00")
        assert scene.server.state.calls["jimmy.upload"] == 1


def test_the_ledgers_server_is_restarted_in_the_middle(tmp_path: Path) -> None:
    """As by `pg_ctl restart -m immediate`, again and again, under two runs of 40 rows on two machines."""
    postgres = PostgresServer()
    postgres.start()
    try:
        with Scene(tmp_path, seed=4, rows=40, ledger=postgres.url(postgres.empty_database())) as scene:
            runs = [scene.begin(machine=name) for name in "ab"]
            restarts = 0
            while any(run.is_alive() for run in runs):
                time.sleep(0.4)
                if len(scene.server.state.bill()) >= 4 * (restarts + 1):
                    postgres.die()
                    time.sleep(0.2)
                    postgres.start()
                    restarts += 1
            scene.end(*runs)
            assert restarts >= 2
            # Not one row fell over it, and nothing was left for a later run.
            assert Counter(row.state for row in scene.rows()) == {State.STORED: 40}
            assert scene.check().jobs == 40
    finally:
        postgres.close()


def test_a_server_that_stays_away_ends_the_run_which_says_what_was_spent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_driver, "PATIENCE", 1.5)
    # The run's process lives on, and its end could not be written: its rows are free after a lease.
    monkeypatch.setenv("PREFECT_SEEDANCE_LEASE", "3")
    postgres = PostgresServer()
    postgres.start()
    try:
        with Scene(tmp_path, seed=5, rows=30, ledger=postgres.url(postgres.empty_database())) as scene:

            def die() -> None:
                while len(scene.server.state.bill()) < 9:
                    time.sleep(0.01)
                postgres.die()

            killer = threading.Thread(target=die)
            killer.start()
            with pytest.raises(LedgerError) as fallen:
                run_jobs(scene.task)
            killer.join()
            billed = len(scene.server.state.bill())
            text = re.search(r"did not answer for (\d+) s.* (\d+) jobs? of this run", fallen.value.message)
            assert text is not None, fallen.value.message
            assert int(text[1]) >= 1
            assert 1 <= int(text[2]) <= billed
            left = re.search(r"The outcome of (\d+) creates? could not be recorded", fallen.value.message)
            assert int(text[2]) + (int(left[1]) if left else 0) >= billed
            assert "run the same call again" in fallen.value.message
            postgres.start()
            scene.finish()
            scene.check()
            scene.evidence()
    finally:
        postgres.close()
