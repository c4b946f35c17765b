"""What a run sends where nothing is answered: how many rows become unknown, and what becomes of the rest."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from prefect_seedance.accounts.limiter import UNANSWERED
from prefect_seedance.accounts.send_gate import IN_A_ROW, PROBES
from prefect_seedance.core.events import RowEvent, listening, watching
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import RoutePaused, SeedanceError, UnknownOutcome
from prefect_seedance.ledger import State
from prefect_seedance.planning.plan import BatchPlan, prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.reports.results.result import build_result
from prefect_seedance.routes import VideoRequest, find
from prefect_seedance.runs.batch import RunOutcome, run_batch
from prefect_seedance.runs.single import MADE, carry_out, create_with_media
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.tables.reader import Table, read_table
from tests.engine.asked import asked
from tests.patience import patience

ROWS, AT_ONCE = 1000, 20
HANDFUL = IN_A_ROW + PROBES
MODELS = {"jimmy": "seedance2.0-mini", "anyfast": "seedance-2.0-mini"}


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    return SandboxSettings(speed=400.0)


class Runs:
    """Runs over one sandbox, without what comes after a create: the jobs are left running."""

    def __init__(self, sandbox: SandboxServer, folder: Path, provider: str = "jimmy") -> None:
        key = {"jimmy": "sk_sandbox", "anyfast": "sk-sandbox"}[provider]
        self.sandbox, self.folder = sandbox, folder
        account = Account(provider=provider, label="default", base_url=sandbox.url, api_key=SecretStr(key))
        defaults = VideoRequest(duration=4, resolution="480p")
        self.route = RouteSettings(account, find(MODELS[provider]), defaults=defaults, max_in_flight=AT_ONCE)

    def table(self, rows: int) -> Table:
        return read_table([{"id": f"r{number}", "prompt": f"a lamp {number}"} for number in range(rows)])

    def plan(self, rows: int) -> BatchPlan:
        return prepare(self.table(rows), (self.route,))

    async def __call__(self, rows: int, batch: str = "spring", limit_patience: float = 0.0) -> RunOutcome:
        spec, context = asked(
            self.plan(rows),
            (self.route,),
            batch=batch,
            output=self.folder / "videos",
            ledger_url=f"sqlite+aiosqlite:///{self.folder / 'ledger.db'}",
            patience=0,
            limits=RunLimits(limit_patience=limit_patience),
        )
        async with asyncio.timeout(patience(300)):
            return await run_batch(spec, context, lambda _rows: PLAIN)

    def sent(self) -> int:
        """Creates that the sandbox has seen, by whatever answered."""
        calls = self.sandbox.state.calls
        return sum(calls[name] for name in ("jimmy.create", "anyfast.create", "wrong_host.POST"))


def states(outcome: RunOutcome) -> Counter[str]:
    return Counter(row.state.value for row in outcome.records.values())


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("kind", ["nginx_404", "index_page", "redirect", "waf_403"])
async def test_a_wrong_host_gets_no_create(sandbox: SandboxServer, tmp_path: Path, kind: str, provider: str) -> None:
    sandbox.faults.update(wrong_host=kind)
    runs = Runs(sandbox, tmp_path, provider)
    outcome = await runs(ROWS)
    assert (runs.sent(), states(outcome)) == (0, {"deferred": ROWS})
    assert {row.error_message.split(":")[0] for row in outcome.records.values()} == {
        f"Nothing is sent to {MODELS[provider]}"
    }
    assert len(outcome.notices) == 1
    assert "free question" in outcome.notices[0]
    sandbox.faults.rest()
    await runs(5)
    assert len(sandbox.state.jobs()) == 5, "the same process asks again, and goes on"


@pytest.mark.parametrize("fault", ["create_storm", "error_after", "broken_after", "cut_after", "error_before"])
async def test_a_storm_of_unknown_outcomes_costs_a_handful_of_rows(
    sandbox: SandboxServer, tmp_path: Path, fault: str
) -> None:
    sandbox.faults.update(**{fault: 1.0})
    runs = Runs(sandbox, tmp_path)
    outcome = await runs(ROWS)
    assert (runs.sent(), states(outcome)) == (HANDFUL, {"unknown": HANDFUL, "deferred": ROWS - HANDFUL})
    assert len(outcome.notices) == 2, "that the circuit has opened, and that the probes are used up"
    # Another batch of this process begins with a free question, and has probes of its own, but no new start.
    again = await runs(ROWS, batch="summer")
    assert states(again) == {"unknown": PROBES, "deferred": ROWS - PROBES}


async def test_a_storm_that_begins_in_mid_run_stops_it_too(sandbox: SandboxServer, tmp_path: Path) -> None:
    runs, accepted = Runs(sandbox, tmp_path), 100

    def watch(event: RowEvent) -> None:
        if event.state == State.CREATED and len(sandbox.state.jobs()) >= accepted:
            sandbox.faults.create_storm = 1.0

    with watching(watch):
        outcome = await runs(ROWS)
    found = states(outcome)
    assert HANDFUL <= found["unknown"] < HANDFUL + UNANSWERED, "those that were on their way with the third"
    made = found["created"] + found["succeeded"] + found["stored"]
    assert (made >= accepted, found["deferred"]) == (True, ROWS - found["unknown"] - made)


async def test_the_first_answer_opens_the_way_for_all_at_once(sandbox: SandboxServer, tmp_path: Path) -> None:
    """One create goes alone; after its answer the account is as fast as it was without a gate."""
    sandbox.state.settings = replace(sandbox.state.settings, speed=0.01)  # no job ends
    runs, at_once = Runs(sandbox, tmp_path), []

    def watch(event: RowEvent) -> None:
        if event.state == State.SENT:
            at_once.append(sandbox.state.calls["jimmy.create"])

    with watching(watch):
        await runs(AT_ONCE)
    assert len(sandbox.state.jobs()) == AT_ONCE
    assert at_once[:2] == [0, 1], "the second create leaves after the first was answered"
    assert max(number - seen for number, seen in enumerate(at_once)) >= UNANSWERED - 1, "and then several at once"
    assert sandbox.state.calls["jimmy.query"] - 1 <= AT_ONCE, "one free question"


async def test_single_tasks_of_one_flow_run_share_the_circuit_and_its_probes(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    """As in `create_video.map`: each opens a session, and often a client, of its own."""
    sandbox.faults.create_storm = 1.0
    runs = Runs(sandbox, tmp_path)
    spec = RunSpec(batch="hand", output=str(tmp_path / "v"), patience=0, limits=RunLimits(limit_patience=0))
    context = RunContext(
        routes=(runs.route,), ledger_url=f"sqlite+aiosqlite:///{tmp_path}/ledger.db", flow_run_id="one flow run"
    )

    async def one(number: int) -> type[BaseException]:
        try:
            await carry_out(
                create_with_media,
                MADE,
                spec=spec,
                context=context,
                key=f"r{number}",
                request=VideoRequest(prompt=f"a lamp {number}"),
            )
        except SeedanceError as error:
            return type(error)
        raise AssertionError("it cannot be made")

    found = Counter([await one(number) for number in range(12)])
    found += Counter(await asyncio.gather(*(one(number) for number in range(12, 40))))
    assert found == {UnknownOutcome: HANDFUL, RoutePaused: 40 - HANDFUL}
    assert runs.sent() == HANDFUL


@pytest.mark.parametrize(("faults", "resolves"), [({"create_storm": 1.0}, True), ({"wrong_host": "waf_403"}, False)])
async def test_a_run_that_held_rows_back_ends_with_what_to_do(
    sandbox: SandboxServer, tmp_path: Path, faults: dict[str, object], resolves: bool
) -> None:
    sandbox.faults.update(**faults)
    runs, heard = Runs(sandbox, tmp_path), []
    with listening(heard.append):
        outcome = await runs(20)
    assert heard == outcome.notices != [], "said at once, and once"
    result = build_result(runs.table(20), runs.plan(20), outcome, batch="spring", take="1")
    assert result.warnings[-len(heard) :] == heard
    hints = " ".join(result.hints)
    assert ("prefect-seedance resolve-all spring" in hints) is resolves
    assert hints.endswith("it sends what was not sent.")
