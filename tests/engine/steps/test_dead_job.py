"""A job that never ends is called probably dead after a time that its kind never took, and a person can settle it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from prefect_seedance.engine.steps import dead_job
from prefect_seedance.ledger import Settlement
from prefect_seedance.runs.resolve import resolve_row
from prefect_seedance.sandbox.world.faults import Faults
from tests.accounts.faultline import world


def table(*keys: str) -> list[dict[str, Any]]:
    return [{"id": key, "prompt": f"a lamp {key}"} for key in keys]


async def test_a_job_that_never_ends_is_asked_about_shortly_and_can_be_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "anyfast", "anyfast") as both:
        faults = both.servers[0].state.faults = Faults(retry_after=0.05)
        await both.run(table("a"))
        faults.queue("create", "never_ending")
        young = await both.run(table("b"), patience=0.5)
        assert young.records["b"].state.value == "created"
        assert "probably dead" not in young.outcome.troubles["b"]
        monkeypatch.setattr(dead_job, "SHORTEST", timedelta(seconds=0.1))
        monkeypatch.setattr(dead_job, "TIMES", 0)
        monkeypatch.setattr(dead_job, "ASKED", 0.2)
        monkeypatch.setattr("prefect_seedance.engine.steps.poll.ASKED", 0.2)
        old = await both.run(table("b"), patience=10_000)  # it would wait for hours otherwise
        assert old.records["b"].state.value == "created", "it is kept"
        assert "probably dead" in old.outcome.troubles["b"]
        ledger = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
        await resolve_row(ledger_url=ledger, batch="spring", row="b", verdict="lost", cost="1 CNY")
        done = await both.run(table("a", "b"))
        assert {key: record.state.value for key, record in done.records.items()} == {"a": "stored", "b": "failed"}
        attempt = done.records["b"].attempt
        assert attempt is not None
        assert attempt.settlement is Settlement.CHARGED
        assert both.asked() == (2, 0)
