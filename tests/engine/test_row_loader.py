"""Rows are made in one place; a job belongs to the route that made it, whatever the run would choose today."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.ledger import Ledger, RowRecord, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.route_policy import RoutePolicy
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import Prices, VideoRequest, find
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.runs.sweep import sweep
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked

BY_SECOND, BY_JOB = find("seedance2.0-mini"), find("seedance2.0-mini-sp")
SMALL = VideoRequest(duration=4, resolution="480p")
BOTH = Prices.parse("CNY", {"seedance2.0-mini-480p": "0.03", "seedance2.0-mini-sp-480p": "3"})
DEAR_ONLY = Prices.parse("CNY", {"seedance2.0-mini-sp-480p": "3"})


class Scene:
    """One account with two routes: by the second and cheap, by the job and dear."""

    def __init__(self, folder: Path, sandbox: SandboxServer) -> None:
        self.folder = folder
        self.url = f"sqlite+aiosqlite:///{folder}/ledger.db"
        account = Account(provider="jimmy", label="default", base_url=sandbox.url, api_key=SecretStr("sk_sandbox"))
        settings = {"defaults": SMALL, "poll_seconds": 0.05, "prices": BOTH}
        self.cheap = RouteSettings(account, BY_SECOND, **settings)
        self.dear = RouteSettings(account, BY_JOB, **settings)

    async def run(self, *routes: RouteSettings, patience: float) -> RowRecord:
        plan = prepare(read_table([{"prompt": "a kite"}]), routes, policy=RoutePolicy("cheapest", "CNY"))
        spec, context = asked(
            plan, routes, batch="b", output=self.folder / "videos", ledger_url=self.url, patience=patience
        )
        await run_batch(spec, context, lambda _: PLAIN)
        return await self.row()

    async def row(self) -> RowRecord:
        ledger = await Ledger.open(self.url)
        try:
            (row,) = await ledger.read(lookups.rows_of, "b")
            return row
        finally:
            await ledger.close()


@pytest.fixture
def slow() -> SandboxServer:
    with SandboxServer(SandboxSettings(speed=15.0)) as server:
        yield server


@pytest.mark.parametrize("by", ["run", "sweep"])
async def test_a_job_is_charged_by_the_route_that_made_it(tmp_path: Path, slow: SandboxServer, by: str) -> None:
    """The cheap route has lost its price, so that only the dear one is a candidate of the row."""
    scene = Scene(tmp_path, slow)
    made = await scene.run(scene.cheap, scene.dear, patience=0)
    assert (made.state, made.model) == (State.CREATED, BY_SECOND.model)
    unpriced = (replace(scene.cheap, prices=DEAR_ONLY), scene.dear)
    if by == "run":
        row = await scene.run(*unpriced, patience=600)
    else:
        context = RunContext(routes=(scene.dear,), ledger_url=scene.url)
        await sweep(context, lambda _: PLAIN, patience=600)
        row = await scene.row()
    assert (row.state, row.model) == (State.STORED, BY_SECOND.model)
    assert row.attempt is not None
    assert (row.attempt.charge, row.attempt.currency) == (Decimal("0.12"), "CNY")
    assert [line.cost for line in slow.state.bill()] == [Decimal("0.12")]


async def test_a_job_of_an_account_that_is_not_used_is_left_alone_and_told(tmp_path: Path, slow: SandboxServer) -> None:
    scene = Scene(tmp_path, slow)
    await scene.run(scene.cheap, patience=0)
    before = slow.state.calls["jimmy.query"]
    other = replace(scene.cheap, account=replace(scene.cheap.account, label="other"))
    plan = prepare(read_table([{"prompt": "a kite"}]), (other,))
    spec, context = asked(plan, (other,), batch="b", output=tmp_path / "videos", ledger_url=scene.url, patience=0)
    outcome = await run_batch(spec, context, lambda _: PLAIN)
    assert (await scene.row()).state is State.CREATED
    (reason,) = outcome.troubles.values()
    assert "jimmy/default" in reason
    assert slow.state.calls["jimmy.query"] == before, "the other account's key asks nothing"


async def test_a_spec_without_a_plan_needs_the_ledger_alone(tmp_path: Path, slow: SandboxServer) -> None:
    """What a shard or a sweep has: names of routes, and the ledger."""
    scene = Scene(tmp_path, slow)
    made = await scene.run(scene.cheap, patience=0)
    spec = RunSpec(batch="b", patience=600)
    context = RunContext(routes=(scene.cheap,), ledger_url=scene.url)
    outcome = await sweep(context, lambda _: PLAIN, batch=spec.batch, patience=spec.patience)
    assert [row.id for row in outcome.saved] == [made.id]
