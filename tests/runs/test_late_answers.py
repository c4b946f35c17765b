"""Two runs over one row: the answer to the create of the first arrives while the second is about to send it again."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_seedance.engine.row import Row
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import InsufficientFunds, LedgerError
from prefect_seedance.ledger import Ledger, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.planning.plan import prepare
from prefect_seedance.providers import Account, Created, ProviderClient, RouteSettings
from prefect_seedance.reports.results.result import build_result
from prefect_seedance.routes import VideoRequest, find
from prefect_seedance.runs.batch import RunOutcome, run_batch
from prefect_seedance.runs.resolve import resolve_row
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked
from tests.patience import eventually_async

OLD = "2020-01-01T00:00:00.000000+00:00"


class Scene:
    """A batch of two rows. The provider's answer for `late` is held back until `answered` is set."""

    def __init__(self, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.url = f"sqlite+aiosqlite:///{folder}/ledger.db"
        account = Account(provider="jimmy", label="default", base_url=url, api_key=SecretStr("sk_sandbox"))
        self.route = RouteSettings(
            account, find("seedance2.0-mini"), defaults=VideoRequest(duration=4, resolution="480p"), poll_seconds=0.05
        )
        self.made, self.answered = asyncio.Event(), asyncio.Event()
        sends = ProviderClient.create

        async def create(client: ProviderClient, model: str, request: VideoRequest) -> Created:
            made = await sends(client, model, request)
            if request.prompt == "late":
                self.made.set()
                await self.answered.wait()
            return made

        monkeypatch.setattr(ProviderClient, "create", create)

    async def run(self, *prompts: str, create: Any = PLAIN.create) -> tuple[RunOutcome, Any]:
        table = read_table([{"id": prompt, "prompt": prompt} for prompt in prompts])
        plan = prepare(table, (self.route,))
        spec, context = asked(
            plan, (self.route,), batch="b", output=self.folder / "videos", ledger_url=self.url, patience=600
        )
        outcome = await run_batch(spec, context, lambda _: replace(PLAIN, create=create))
        return outcome, build_result(table, plan, outcome, batch="b", take="1")

    async def rows(self) -> dict[str, Any]:
        ledger = await Ledger.open(self.url)
        try:
            return {row.key: row for row in await ledger.read(lookups.rows_of, "b")}
        finally:
            await ledger.close()

    async def given_up(self, verdict: Any, **values: Any) -> asyncio.Task[Any]:
        """A run whose lease ends while its create is on the wire; a person then settles the row."""
        first = asyncio.create_task(self.run("late"))
        await self.made.wait()
        with sqlite3.connect(self.folder / "ledger.db") as connection:
            connection.execute("UPDATE seedance_runs SET host = 'elsewhere', heartbeat_at = ?", (OLD,))
        connection.close()
        ledger = await Ledger.open(self.url)
        assert not await ledger.has_live_run("b")
        await ledger.close()
        await resolve_row(ledger_url=self.url, batch="b", row="late", verdict=verdict, **values)
        return first


@pytest.fixture
def sandbox() -> Any:
    with SandboxServer(SandboxSettings(speed=200.0)) as server:
        yield server


@pytest.mark.parametrize("way", ["sends it", "leaves it"])
async def test_a_run_adopts_what_a_late_answer_names(
    tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    scene = Scene(tmp_path, sandbox.url, monkeypatch)
    await scene.run("before")  # the route has accepted a create, so that the next ones need not go one at a time
    first = await scene.given_up("not_made")
    assert (await scene.rows())["late"].state is State.PLANNED
    holds, sends = asyncio.Event(), asyncio.Event()

    async def create(row: Row) -> None:
        if row.key == "late":
            holds.set()
            await sends.wait()
            if way == "leaves it":
                no = InsufficientFunds("no funds", provider="jimmy")
                row.circuit_breaker.close(None, no, for_all=True, pause=3600)
        await PLAIN.create(row)

    second = asyncio.create_task(scene.run("late", "other", create=create))
    await holds.wait()
    await eventually_async(lambda: len(sandbox.state.bill()) == 3, "the other row's create")
    scene.answered.set()
    late, _ = await first
    assert isinstance(late.stopped, LedgerError)
    row = (await scene.rows())["late"]
    assert (row.state, row.holder is not None) == (State.CREATED, True)
    sends.set()
    outcome, _ = await second
    assert outcome.stopped is None
    assert outcome.done == {"late", "other"}
    rows = await scene.rows()
    assert {row.state for row in rows.values()} == {State.STORED}
    assert {row.job_id for row in rows.values()} == {line.job_id for line in sandbox.state.bill()}
    assert len(sandbox.state.bill()) == 3, "each row was paid once"


async def test_a_persons_job_and_another_one_of_the_answer_are_both_told(
    tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prefect_seedance.cli.console import out
    from prefect_seedance.cli.status import show_status

    monkeypatch.setattr(out, "_width", 400)
    scene = Scene(tmp_path, sandbox.url, monkeypatch)
    await scene.run("other")
    other = sandbox.state.bill()[0].job_id
    with sqlite3.connect(tmp_path / "ledger.db") as connection:  # the person names a job that no row has any more
        connection.execute("UPDATE seedance_attempts SET job_id = 'x', settlement = 'nothing'")
    connection.close()
    first = await scene.given_up("job", job_id=other)
    scene.answered.set()
    late, _ = await first
    assert isinstance(late.stopped, LedgerError)
    assert other in late.stopped.message
    (named,) = [line.job_id for line in sandbox.state.bill() if line.job_id != other]
    outcome, result = await scene.run("late")
    row = (await scene.rows())["late"]
    assert (row.state, row.job_id) == (State.STORED, other)
    assert outcome.stopped is None
    (warning,) = result.warnings
    assert "Row late" in warning
    assert named in warning
    assert other in warning
    assert named in (result.rows[0].cost_note or "")
    assert [line.held for line in result.costs_to_date] == [1]
    await asyncio.to_thread(show_status, "b", None, scene.url)
    assert f"names job {named}" in capsys.readouterr().out
