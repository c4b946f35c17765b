"""Shards over one sandbox: whatever happens to them, each row is carried once, and the ceiling holds over all."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from prefect_seedance.core import checkpoints
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import TooManyFailures
from prefect_seedance.ledger import AttemptRecord, Ledger, State
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.route_policy import RoutePolicy
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.runs.batch import RunOutcome, run_batch
from prefect_seedance.runs.distributed.coordinator import Begun, distribute
from prefect_seedance.runs.distributed.shard import ShardOutcome, carry
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked
from tests.flows.distributed.child import ShardTask, processes, run_shard
from tests.patience import patience

RouteTo = Callable[..., Any]

Order = tuple[RunSpec, RunContext]


class Scene:
    """One batch, and the shards that carry it."""

    def __init__(self, folder: Path, routes: list[Any], ledger: str | None = None) -> None:
        self.folder = folder
        # Each has a name, as a saved block has.
        self.routes = tuple(replace(block.to_settings(), block=f"route-{at}") for at, block in enumerate(routes))
        self.ledger = ledger or f"sqlite+aiosqlite:///{folder}/ledger.db"
        self.shards: list[ShardOutcome] = []

    def order(self, table: list[dict[str, Any]], choice: RoutePolicy | None = None, **options: Any) -> Order:
        limits = RunLimits.parse(**options.pop("limits", {}))
        return asked(
            prepare(read_table(table), self.routes, policy=choice, limits=limits),
            self.routes,
            batch="b",
            output=self.folder / "videos",
            ledger_url=self.ledger,
            limits=limits,
            **options,
        )

    def run(self, order: Order, engine: Callable[[Order, Begun], Any]) -> RunOutcome:
        async def carried(begun: Begun) -> list[str]:
            return await engine(order, begun)

        return call_core(lambda: run_batch(*order, lambda _: PLAIN, distribution=partial(distribute, launcher=carried)))

    def shard_order(self, order: Order, begun: Begun) -> Order:
        """What each shard gets: the plan stays with the parent."""
        spec, context = order
        return spec.model_copy(update={"parent": begun.parent}), replace(context, plan=None)

    async def three(self, order: Order, begun: Begun) -> list[str]:
        """Three shards in this process."""
        shard = self.shard_order(order, begun)
        self.shards = await asyncio.gather(*(carry(*shard, PLAIN) for _ in range(3)))
        return []

    def rows(self) -> list[Any]:
        return self._asked(lambda ledger: ledger.read(lookups.rows_of, "b"))

    def attempts(self) -> list[AttemptRecord]:
        return self._asked(lambda ledger: ledger.read(lookups.attempts_of, "b"))

    def _asked(self, question: Callable[[Ledger], Any]) -> Any:
        async def read() -> Any:
            ledger = await Ledger.open(self.ledger)
            try:
                return await question(ledger)
            finally:
                await ledger.close()

        return asyncio.run(read())


def table(number: int, **cells: Any) -> list[dict[str, Any]]:
    return [{"id": f"r{each}", "prompt": f"a kite {each}", **cells} for each in range(number)]


def test_all_are_carried_and_the_same_call_again_does_nothing(
    tmp_path: Path, route_to: RouteTo, sandbox: SandboxServer
) -> None:
    scene = Scene(tmp_path, [route_to(duration=5, max_in_flight=4), route_to("seedance2.0-md", max_in_flight=2)])
    rows = [
        {**row, "model": ("seedance2.0-mini", "seedance2.0-md")[number % 2]} for number, row in enumerate(table(16))
    ]
    outcome = scene.run(scene.order(rows), scene.three)
    assert Counter(record.state for record in outcome.records.values()) == {State.STORED: 16}
    assert (len(outcome.done), outcome.stopped, len(sandbox.state.bill())) == (16, None, 16)
    assert sandbox.state.peak["jimmy"] <= 6
    assert sum(shard.counts["stored"] for shard in scene.shards) == 16

    # A file is lost: it is fetched again, and nothing is made.
    Path(next(iter(outcome.records.values())).path or "").unlink()
    again = scene.run(scene.order(rows), scene.three)
    assert (len(again.done), len(sandbox.state.bill())) == (1, 16)
    assert sum(shard.counts["stored"] for shard in scene.shards) == 1
    assert len(list((tmp_path / "videos/b").glob("*.mp4"))) == 16


def test_shards_without_any_account_of_the_rows_tell_the_parent(
    tmp_path: Path, route_to: RouteTo, sandbox: SandboxServer
) -> None:
    """The block was saved under another label after the parent had read it."""
    scene = Scene(tmp_path, [route_to(duration=5, max_in_flight=4)])

    async def engine(order: Order, begun: Begun) -> list[str]:
        spec, context = scene.shard_order(order, begun)
        routes = tuple(replace(each, account=replace(each.account, label="other")) for each in context.routes)
        outcome = await carry(spec, replace(context, routes=routes), PLAIN)
        return [] if outcome.orderly else [str(outcome.stopped)]

    outcome = scene.run(scene.order(table(8)), engine)
    assert {record.state for record in outcome.records.values()} == {State.PLANNED}
    assert "8 rows are left for jimmy/default:seedance2.0-mini" in str(outcome.stopped)
    assert "jimmy/other:seedance2.0-mini" in str(outcome.stopped)
    assert sandbox.state.bill() == []


def test_a_shard_whose_row_was_taken_over_lets_go_of_it_and_goes_on(
    tmp_path: Path, route_to: RouteTo, sandbox: SandboxServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It stood still; the other has moved the unfinished file away. That is no trouble with the disk."""
    scene = Scene(tmp_path, [route_to(duration=5, max_in_flight=1)])
    stored = tmp_path / "ledger.db"
    fresh: list[Path] = []

    def taken_over(point: str) -> None:
        if point != "proof written" or fresh:
            return
        with contextlib.closing(sqlite3.connect(stored)) as ledger, ledger:
            proven = "SELECT id, file_name FROM seedance_rows WHERE state = 'succeeded' AND sha256 IS NOT NULL"
            row, name = ledger.execute(proven).fetchone()
            ledger.execute("UPDATE seedance_rows SET holder = 'other' WHERE id = ?", (row,))
        part = tmp_path / f"videos/b/.parts/{name}.part"
        part.rename(part.with_suffix(".elsewhere"))
        fresh.append(part)

    async def engine(order: Order, begun: Begun) -> list[str]:
        checkpoints.listen(taken_over)
        try:
            scene.shards = [await carry(*scene.shard_order(order, begun), PLAIN)]
        finally:
            checkpoints.listen(None)
        return [] if scene.shards[0].orderly else [str(scene.shards[0].stopped)]

    order = scene.order(table(3), patience=5)
    outcome = scene.run(order, engine)
    (shard,) = scene.shards
    assert (shard.stopped, outcome.stopped) == (None, None)
    assert len(fresh) == 1
    assert "its lease ended, and another run has taken it over" in caplog.text
    assert Counter(row.state for row in scene.rows()) == {State.STORED: 2, State.SUCCEEDED: 1}
    assert len(sandbox.state.bill()) == 3


def test_a_shard_without_access_to_the_output_says_so(
    tmp_path: Path, route_to: RouteTo, sandbox: SandboxServer
) -> None:
    scene = Scene(tmp_path, [route_to(duration=5, max_in_flight=4)])

    async def engine(order: Order, begun: Begun) -> list[str]:
        folder = tmp_path / "videos" / "b"
        if folder.is_dir():  # shards are started again, and fail again
            folder.rmdir()
            folder.write_text("a file where the folder was")
        outcome = await carry(*scene.shard_order(order, begun), PLAIN)
        return [] if outcome.orderly else [str(outcome.stopped)]

    outcome = scene.run(scene.order(table(3)), engine)
    assert str(tmp_path / "videos" / "b") in str(outcome.stopped)
    assert sandbox.state.bill() == []
    assert not any(row.holder for row in scene.rows())


@pytest.mark.slow
def test_budget_and_failures_hold_over_all_shards(tmp_path: Path, route_to: RouteTo, sandbox: SandboxServer) -> None:
    scene = Scene(tmp_path, [route_to(duration=5, max_in_flight=4)])
    outcome = scene.run(scene.order(table(8), limits={"budget": "1.10 CNY"}), scene.three)
    assert Counter(record.state for record in outcome.records.values()) == {State.STORED: 4, State.OVER_BUDGET: 4}
    assert str(outcome.committed) == "1.00"

    sandbox.faults.update(failed=1.0)
    more = scene.run(scene.order(table(24), limits={"max_failures": 4}), scene.three)
    states = Counter(record.state for record in more.records.values())
    assert isinstance(more.stopped, TooManyFailures), more.stopped
    # Those in flight end in order, and those that began before the others had heard of it (jobs last 0.1 s here).
    assert 4 <= states[State.FAILED] <= 20
    assert len(sandbox.state.bill()) == states[State.FAILED] + 4

    sandbox.faults.rest()
    last = scene.run(scene.order(table(24), retry=frozenset({State.FAILED})), scene.three)
    assert Counter(record.state for record in last.records.values()) == {State.STORED: 24}


@pytest.mark.slow
def test_rows_fall_back_in_whichever_process(tmp_path: Path, route_to: RouteTo) -> None:
    """Anyfast's account has not enough for one video: each row goes on to Jimmy AI, in the shard that has taken it."""
    with SandboxServer(SandboxSettings(speed=200.0, funds=Decimal(2))) as sandbox:
        given = [route_to("seedance-2.0-mini", max_in_flight=3), route_to("seedance2.0-mini", max_in_flight=3)]
        for block in given:
            block.credentials.base_url = sandbox.url
        scene = Scene(tmp_path, given)
        order = scene.order(table(6, duration=5), choice=RoutePolicy("in_order", None))
        assert order[1].plan.rows[0].others
        outcome = scene.run(order, scene.three)
        assert Counter((record.state, record.kind.provider) for record in outcome.records.values()) == {
            (State.STORED, "jimmy"): 6
        }
        assert all("remaining quota" in " ".join(record.kind.passed) for record in outcome.records.values())
        assert len(sandbox.state.bill()) == 6


@pytest.mark.slow
def test_who_is_cancelled_tells_the_shards_and_they_end_in_order(
    tmp_path: Path, route_to: RouteTo, sandbox: SandboxServer
) -> None:
    sandbox.faults.update(slow_create=1.0, slow_create_seconds=0.2)
    scene = Scene(tmp_path, [route_to(duration=5, max_in_flight=2)])
    order = scene.order(table(40))
    shards: list[asyncio.Task[ShardOutcome]] = []

    async def engine(begun: Begun) -> list[str]:
        shards.append(asyncio.create_task(carry(*scene.shard_order(order, begun), PLAIN)))
        await asyncio.Event().wait()
        return []

    async def scene_of() -> ShardOutcome:
        parent = asyncio.create_task(
            run_batch(*order, lambda _: PLAIN, distribution=partial(distribute, launcher=engine))
        )
        while len(sandbox.state.bill()) < 4:
            await asyncio.sleep(0.02)
        parent.cancel()
        with pytest.raises(asyncio.CancelledError):
            await parent
        return await asyncio.wait_for(shards[0], patience())

    outcome = call_core(scene_of)
    assert outcome.orderly
    assert "has ended" in str(outcome.stopped)
    states = Counter(row.state for row in scene.rows())
    assert not states[State.SENT] + states[State.UNKNOWN]
    assert states[State.PLANNED] > 20
    assert not any(row.holder for row in scene.rows())


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_process_is_killed_and_another_is_added(
    tmp_path: Path, database: str, request: pytest.FixtureRequest, route_to: RouteTo, sandbox: SandboxServer
) -> None:
    """Two processes; one is killed between its creates, and a third takes its part. Nobody waits for a lease."""
    ledger = request.getfixturevalue("postgres") if database == "postgresql" else None
    scene = Scene(tmp_path, [route_to(duration=5, max_in_flight=4)], ledger)
    sandbox.faults.update(slow_create=1.0, slow_create_seconds=0.15)
    order = scene.order(table(36))
    took: list[float] = []

    async def engine(order_: Order, begun: Begun) -> list[str]:
        task = ShardTask.of(*scene.shard_order(order_, begun), sandbox.url, kill_at="job written", kill_nth=3)
        doomed, steady = (
            processes().Process(target=run_shard, args=(each,)) for each in (task, replace(task, kill_nth=0))
        )
        added = processes().Process(target=run_shard, args=(replace(task, kill_nth=0),))
        try:
            doomed.start()
            steady.start()
            await asyncio.to_thread(doomed.join, patience())
            assert doomed.exitcode == -9
            killed = time.monotonic()
            added.start()
            while any(row.holder and row.state is State.CREATED for row in await _rows_of(scene, dead=doomed.pid)):
                await asyncio.sleep(0.05)
            took.append(time.monotonic() - killed)
            for process in (steady, added):
                await asyncio.to_thread(process.join, patience(300))
                assert process.exitcode == 0
        finally:
            for process in (doomed, steady, added):
                if process.pid is not None:
                    process.kill()
        return ["one was killed"]

    outcome = scene.run(order, engine)
    states = Counter(record.state for record in outcome.records.values())
    unknown = states[State.UNKNOWN]  # creates that were on the wire when it died
    assert states == {State.STORED: 36 - unknown, **({State.UNKNOWN: unknown} if unknown else {})}
    assert unknown <= 3
    bill = sandbox.state.bill()
    assert len({line.prompt for line in bill}) == len(bill) >= 36 - unknown
    assert sandbox.state.peak["jimmy"] <= 4
    assert len({attempt.run_id for attempt in scene.attempts()}) >= 2
    with Path(os.environ.get("CHAOS_LOG", os.devnull)).open("a") as log:
        log.write(f"a killed shard over {database}: taken over in {took[0]:.2f} s; {unknown} unknown\n")


@pytest.mark.slow
def test_a_providers_own_limit_is_shared_by_three_processes(tmp_path: Path, postgres: str, route_to: RouteTo) -> None:
    """The account bears five jobs at once, and says so to nobody; twenty are allowed by the user."""
    with SandboxServer(SandboxSettings(speed=40.0)) as sandbox:
        sandbox.faults.update(concurrency=5, retry_after=0.3)
        block = route_to(duration=5, max_in_flight=20)
        block.credentials.base_url = sandbox.url
        scene = Scene(tmp_path, [block], postgres)
        order = scene.order(table(60))

        async def engine(order_: Order, begun: Begun) -> list[str]:
            task = ShardTask.of(*scene.shard_order(order_, begun), sandbox.url, kill_at="", kill_nth=0)
            running = [processes().Process(target=run_shard, args=(task,)) for _ in range(3)]
            for process in running:
                process.start()
            for process in running:
                await asyncio.to_thread(process.join, patience(300))
                assert process.exitcode == 0
            return []

        began = time.monotonic()
        outcome = scene.run(order, engine)
        took = time.monotonic() - began
        states = Counter(record.state for record in outcome.records.values())
        refused = sandbox.state.calls["jimmy.create"] - len(sandbox.state.bill())
        workers = Counter(attempt.run_id for attempt in scene.attempts() if attempt.job_id)
        text = f"a hidden limit of 5 over 3 processes: {refused} refusals of {60 + refused} creates, {took:.0f} s"
        text += f", rows by process {sorted(workers.values())}"
        with Path(os.environ.get("CHAOS_LOG", os.devnull)).open("a") as log:
            log.write(f"{text}; {dict(states)}\n")
        assert states == {State.STORED: 60}
        assert sandbox.state.peak["jimmy"] <= 5
        assert refused <= 40 + took, text  # now and then one more job is tried


async def _rows_of(scene: Scene, dead: int | None) -> list[Any]:
    import sqlalchemy as sa

    from prefect_seedance.ledger.db.schema import rows, runs

    ledger = await Ledger.open(scene.ledger)
    try:
        mine = sa.select(rows.c.holder, rows.c.state).join(runs, rows.c.holder == runs.c.id).where(runs.c.pid == dead)
        return list(await ledger._database.read(lambda connection: connection.execute(mine).all()))
    finally:
        await ledger.close()
