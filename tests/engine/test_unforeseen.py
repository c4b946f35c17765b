"""An error that nobody foresaw is that of its row; three alike end the run (law 8)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from prefect_seedance.engine.row import Row
from prefect_seedance.engine.step_runner import PLAIN, Step
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, ProviderClient, RouteSettings
from prefect_seedance.routes import VideoRequest, find
from prefect_seedance.runs.batch import RunOutcome, run_batch
from prefect_seedance.sandbox import SandboxServer
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked

ROWS = 20


async def run(sandbox: SandboxServer, folder: Path, create: Step = PLAIN.create) -> tuple[RunOutcome, Counter[str]]:
    account = Account("jimmy", "default", sandbox.url, SecretStr("sk_sandbox"))
    route = RouteSettings(account, find("seedance2.0-mini"), defaults=VideoRequest(duration=4, resolution="480p"))
    table = read_table([{"id": f"r{number}", "prompt": f"a lamp {number}"} for number in range(ROWS)])
    spec, context = asked(
        prepare(table, (route,)),
        (route,),
        batch="spring",
        output=folder / "videos",
        ledger_url=f"sqlite+aiosqlite:///{folder / 'ledger.db'}",
        patience=0,
        limits=RunLimits(limit_patience=0),
    )
    outcome = await run_batch(spec, context, lambda _rows: replace(PLAIN, create=create))
    return outcome, Counter(row.state.value for row in outcome.records.values())


async def test_one_row_fails_alone_and_unlike_errors_are_not_added_up(sandbox: SandboxServer, tmp_path: Path) -> None:
    def fails(row: Row) -> None:
        if row.key in {"r1", "r2"}:
            raise ValueError("unforeseen")
        if row.key in {"r3", "r4"}:
            raise KeyError("unforeseen, too")

    async def create(row: Row) -> None:
        fails(row)
        await PLAIN.create(row)

    outcome, found = await run(sandbox, tmp_path, create)
    assert outcome.stopped is None
    assert found["planned"] == 4
    assert len(sandbox.state.jobs()) == ROWS - 4
    assert "ValueError: unforeseen" in outcome.troubles["r1"]


async def test_three_alike_after_the_create_was_sent_end_the_run_with_three_unknown_rows(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(ProviderClient, "_decode", broken)
    outcome, found = await run(sandbox, tmp_path)
    assert isinstance(outcome.stopped, RuntimeError)
    assert found == {"unknown": 3, "planned": ROWS - 3}
    assert sandbox.state.calls["jimmy.create"] == 3
    assert len(outcome.notices) == 1, "they count as unknown: the circuit has opened"
