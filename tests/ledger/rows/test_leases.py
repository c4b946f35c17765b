"""Who holds rows: real processes that live and die, and machines that can only be heard of."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import Ledger, Outcome, Settlement, State
from prefect_seedance.ledger.rows import leases, lookups, planning

WORKER = textwrap.dedent(
    """
    import asyncio, sys
    from prefect_seedance.ledger import Intent, Ledger, Plan
    from prefect_seedance.ledger.rows import planning

    async def main(url):
        print("ready", flush=True)
        sys.stdin.readline()
        ledger = await Ledger.open(url)
        run = await ledger.begin_run("spring")
        plans = [Plan(f"k{n}", f"1:{n}", {}, "jimmy", "default", "m", f"k{n}") for n in range(300)]
        ids = await ledger.write(planning.plan, run, "1", plans)
        half = sorted(ids.values())
        taken = sorted(
            await ledger.write(planning.claim, run, half[:150]) | await ledger.write(planning.claim, run, half[150:])
        )
        print(*taken, flush=True)
        if sys.stdin.readline().strip() == "work":
            for row in taken[:2]:
                attempt = await ledger.intend(
                    run, Intent(row, "jimmy", "default", "m", "1:x", "m", "second", None, None, None, None)
                )
            await ledger.created(run, taken[1], attempt, job_id="j", http_status=200, request_id=None)
            print("worked", flush=True)
        sys.stdin.readline()

    asyncio.run(main(sys.argv[1]))
    """
)


class Worker:
    """Another process with a run over the same batch."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def workers(url: str) -> Iterator[list[Worker]]:
    workers = [Worker(url), Worker(url)]
    yield workers
    for worker in workers:
        worker.close()


async def test_two_processes_share_no_row_and_the_death_of_one_is_known_at_once(
    workers: list[Worker], url: str
) -> None:
    for worker in workers:
        assert worker.hear() == "ready"
    for worker in workers:  # both make the ledger, plan the same rows, and take them, at the same moment
        worker.tell("go")
    takings = [{int(row) for row in worker.hear().split()} for worker in workers]
    assert len(takings[0] | takings[1]) == len(takings[0]) + len(takings[1]) == 300

    first, second = sorted(zip(takings, workers, strict=True), key=lambda pair: -len(pair[0]))
    first[1].tell("work")
    assert first[1].hear() == "worked"
    ledger = await Ledger.open(url)
    run = await ledger.begin_run("spring")
    everything = takings[0] | takings[1]
    assert await ledger.write(planning.claim, run, everything) == set()  # both live

    first[1].process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, first[1].process.pid, os.WEXITED | os.WNOWAIT)  # dead, though its parent has not looked yet
    assert await ledger.write(planning.claim, run, everything) == first[0]

    sent, created, *others = sorted(first[0])
    records = await ledger.read(lookups.rows_by_id, first[0])
    assert records[sent].state is State.UNKNOWN
    assert (records[sent].attempt.outcome, records[sent].attempt.settlement) == (Outcome.UNKNOWN, Settlement.UNKNOWN)
    assert records[sent].attempt.answered_at is None
    assert (records[created].state, records[created].job_id) == (State.CREATED, "j")
    assert {records[row].state for row in others} == {State.PLANNED}
    assert {record.holder for record in records.values()} == {run.id}
    if second[0]:
        assert {record.holder for record in (await ledger.read(lookups.rows_by_id, second[0])).values()}.isdisjoint(
            {run.id, None}
        )
    await ledger.close()


async def test_a_run_that_ends_lets_go(bench: Any) -> None:
    sent, planned = await bench.rows("a", "b")
    await bench.sent(sent)
    await bench.ledger.end_run(bench.run)
    assert (await bench.state(sent), await bench.state(planned)) == (State.UNKNOWN, State.PLANNED)
    assert bench.query("SELECT count(*) FROM seedance_rows WHERE holder IS NOT NULL") == [(0,)]
    with pytest.raises(LedgerError, match="no longer held"):
        await bench.sent(planned)


async def test_a_run_whose_end_could_not_be_written_is_dead_all_the_same(bench: Any) -> None:
    (row,) = await bench.rows("a")
    other = await bench.ledger.begin_run("spring")
    assert await bench.ledger.write(planning.claim, other, [row]) == set()
    leases.forget(bench.run)
    assert await bench.ledger.write(planning.claim, other, [row]) == {row}


@pytest.mark.parametrize(
    ("field", "value"), [("process_started", "1"), ("pid", 2**22 + 1)], ids=["id used again", "gone"]
)
async def test_a_process_id_alone_proves_no_life(bench: Any, field: str, value: object) -> None:
    (row,) = await bench.rows("a")
    bench.query(f"UPDATE seedance_runs SET {field} = ? WHERE id = ?", value, bench.run.id)
    other = await bench.ledger.begin_run("spring")
    assert await bench.ledger.write(planning.claim, other, [row]) == {row}


async def test_a_process_that_the_system_hides_is_judged_by_its_heartbeat(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = await bench.rows("a")
    bench.query("UPDATE seedance_runs SET pid = ? WHERE id = ?", 2**22 + 1, bench.run.id)

    def hidden(pid: int, sign: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", hidden)
    other = await bench.ledger.begin_run("spring")
    assert await bench.ledger.write(planning.claim, other, [row]) == set()


async def elsewhere(bench: Any, silent: timedelta) -> None:
    """Make the run one of another machine, last heard of a while ago."""
    heard = (datetime.now(UTC) - silent).isoformat(timespec="microseconds")
    bench.query("UPDATE seedance_runs SET host = 'elsewhere', heartbeat_at = ? WHERE id = ?", heard, bench.run.id)


async def test_another_machine_lives_as_long_as_it_is_heard_of(bench: Any) -> None:
    (row,) = await bench.rows("a")
    other = await bench.ledger.begin_run("spring")
    await elsewhere(bench, leases.LEASE - timedelta(seconds=30))
    assert await bench.ledger.write(planning.claim, other, [row]) == set()
    await elsewhere(bench, leases.LEASE + timedelta(seconds=1))
    await bench.ledger.write(leases.beat, bench.run)
    assert await bench.ledger.write(planning.claim, other, [row]) == set()
    await elsewhere(bench, leases.LEASE + timedelta(seconds=1))
    assert await bench.ledger.write(planning.claim, other, [row]) == {row}


async def test_a_machine_that_was_out_of_reach_loses_its_rows_and_not_its_job(bench: Any) -> None:
    sent, planned = await bench.rows("a", "b")
    attempt = await bench.sent(sent)
    other = await bench.ledger.begin_run("spring")
    await elsewhere(bench, timedelta(hours=1))
    assert await bench.ledger.write(planning.claim, other, [sent, planned]) == {sent, planned}
    assert await bench.state(sent) is State.UNKNOWN

    # It comes back: what it was told is written, what it meant to do is refused.
    with pytest.raises(LedgerError, match="Its job j-late is in the ledger"):
        await bench.ledger.created(bench.run, sent, attempt, job_id="j-late", http_status=200, request_id="q")
    record = await bench.ledger.row(sent)
    assert (record.state, record.job_id, record.holder, record.error_kind) == (State.CREATED, "j-late", other.id, None)
    assert record.attempt.settlement is Settlement.OPEN
    with pytest.raises(LedgerError, match="another run has taken it over"):
        await bench.sent(planned)
    # And it is no dead run for ever.
    await bench.ledger.write(leases.beat, bench.run)
    await bench.ledger.end_run(other)
    assert await bench.ledger.write(planning.claim, bench.run, [sent, planned]) == {sent, planned}


async def test_runs_of_one_process_race_for_one_row(bench: Any, plan_of: Any) -> None:
    (row,) = (await bench.ledger.write(planning.plan, bench.run, "1", [plan_of("a")])).values()
    runs = [await bench.ledger.begin_run("spring") for _ in range(10)]
    takings = await asyncio.gather(*(bench.ledger.write(planning.claim, run, [row]) for run in runs))
    assert sorted(map(len, takings)) == [0] * 9 + [1]
