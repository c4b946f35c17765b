"""A run that was taken for dead wakes: what it was told is written, what it means to do is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prefect_seedance.core import clock
from prefect_seedance.errors import InputError, LedgerError, RateLimited, Refused, UnknownOutcome
from prefect_seedance.ledger import Outcome, Run, Settlement, State, heartbeat, lease
from prefect_seedance.ledger.rows import budget, leases, lookups, planning
from prefect_seedance.ledger.sharing import work_claims
from prefect_seedance.routes.pricing.amount import Amount
from tests.ledger.conftest import Bench, an_intent

NO = Refused("the prompt is not allowed", code="40003", http_status=400, request_id="q-late")
YUAN = Amount(Decimal(1), "CNY")


async def sleeps(bench: Bench, seconds: float = 3600) -> None:
    """The bench's run is one of another machine, and was last heard of a while ago."""
    heard = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    bench.query("UPDATE seedance_runs SET host = 'elsewhere', heartbeat_at = ? WHERE id = ?", heard, bench.run.id)


async def taken_over(bench: Bench, *rows: int) -> Run:
    await sleeps(bench)
    other = await bench.ledger.begin_run("spring")
    assert await bench.ledger.write(planning.claim, other, rows) == set(rows)
    return other


async def sent(bench: Bench) -> tuple[int, int]:
    (row,) = await bench.rows("a")
    attempt = await bench.ledger.intend(bench.run, an_intent(row, reserve=YUAN), YUAN)
    assert attempt is not None
    return row, attempt


@pytest.mark.parametrize("held", [True, False], ids=["held by another run", "held by nobody"])
@pytest.mark.parametrize(
    ("how", "state", "outcome", "holds"),
    [
        ("job", State.CREATED, Outcome.CREATED, 1),
        ("refused", State.REFUSED, Outcome.REFUSED, 0),
        ("limited", State.DEFERRED, Outcome.REFUSED, 0),
        ("never left", State.PLANNED, Outcome.WITHDRAWN, 0),
        ("broken", State.UNKNOWN, Outcome.UNKNOWN, 1),
    ],
)
async def test_an_answer_that_comes_late_settles_what_waits_for_it(
    bench: Bench, how: str, state: State, outcome: Outcome, holds: int, held: bool
) -> None:
    row, attempt = await sent(bench)
    other = await taken_over(bench, row)
    before = await bench.ledger.row(row)
    assert (before.state, before.holder) == (State.UNKNOWN, other.id)
    if not held:
        await bench.ledger.end_run(other)
    answers: dict[str, Any] = {
        "job": lambda: bench.ledger.created(bench.run, row, attempt, job_id="j", http_status=200, request_id="q"),
        "refused": lambda: bench.ledger.refuse(bench.run, row, attempt, NO, State.REFUSED),
        "limited": lambda: bench.ledger.refuse(bench.run, row, attempt, RateLimited("slowly"), State.DEFERRED),
        "never left": lambda: bench.ledger.withdraw(bench.run, row, attempt),
        "broken": lambda: bench.ledger.refuse(bench.run, row, attempt, UnknownOutcome("a 502 page"), State.UNKNOWN),
    }
    with pytest.raises(LedgerError, match="This run's lease expired"):
        await answers[how]()
    record = await bench.ledger.row(row)
    assert record.attempt is not None
    assert (record.state, record.attempt.outcome) == (state, outcome)
    assert record.holder == (other.id if held else None)
    assert await bench.ledger.read(budget.committed, other, "CNY") == holds
    assert record.attempt.answered_at is not None
    if how == "broken":
        assert "a 502 page" in (record.error_message or "")
        assert "a 502 page" in (record.attempt.message or "")
    with pytest.raises(LedgerError):  # an answer comes once
        await answers[how]()
    assert await bench.ledger.row(row) == record


@pytest.mark.parametrize(("verdict", "settlement"), [("not_made", Settlement.NOTHING), ("lost", Settlement.CHARGED)])
async def test_a_refusal_after_a_persons_word_is_evidence_only(
    bench: Bench, verdict: Any, settlement: Settlement
) -> None:
    row, attempt = await sent(bench)
    await bench.ledger.end_run(await taken_over(bench, row))
    await bench.ledger.resolve("spring", "1", "a", verdict)
    before = await bench.ledger.row(row)
    with pytest.raises(LedgerError, match="the prompt is not allowed"):
        await bench.ledger.refuse(bench.run, row, attempt, NO, State.REFUSED)
    after = await bench.ledger.row(row)
    assert after.attempt is not None
    assert (after.state, after.attempt.settlement) == (before.state, settlement)
    assert (after.attempt.http_status, after.attempt.code) == (400, "40003")
    assert "Its answer came later: the prompt is not allowed" in (after.attempt.message or "")


async def test_who_was_buried_sends_nothing_until_it_takes_rows_anew(bench: Bench) -> None:
    first, second = await bench.rows("a", "b")
    other = await taken_over(bench, first)
    await bench.ledger.end_run(other)
    for row in (first, second):  # `b` is held by nobody now
        with pytest.raises(LedgerError, match="no longer held by this run"):
            await bench.sent(row)
    await bench.ledger.write(leases.beat, bench.run)
    with pytest.raises(LedgerError, match="no longer held by this run"):
        await bench.sent(second)
    assert await bench.ledger.write(planning.claim, bench.run, [second]) == {second}
    await bench.sent(second)
    assert [attempt.row_id for attempt in await bench.ledger.read(lookups.attempts_of, "spring")] == [second]


async def test_a_process_of_this_machine_that_stands_still_loses_its_rows_after_its_lease(bench: Bench) -> None:
    """Or its run is over, and its end could not be written while the server was away."""
    (row,) = await bench.rows("a")
    other = await bench.ledger.begin_run("spring")
    for silent, taken in ((100, set()), (130, {row})):
        heard = clock.uptime() - silent
        bench.query("UPDATE seedance_runs SET heartbeat_uptime = ? WHERE id = ?", heard, bench.run.id)
        assert await bench.ledger.write(planning.claim, other, [row]) == taken


async def test_a_live_process_of_this_machine_keeps_its_rows_when_the_clock_is_set(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes forward or back are five leases: neither of two live runs takes the other for dead."""
    ours, theirs = await bench.rows("a", "b")
    other = await bench.ledger.begin_run("spring")
    await bench.ledger.write(work_claims.release, bench.run, [theirs])
    assert await bench.ledger.write(planning.claim, other, [ours, theirs]) == {theirs}
    for step in (600, -1200, 600):
        there = clock.now() + timedelta(seconds=step)
        monkeypatch.setattr(leases, "now", lambda there=there: there)
        if "postgresql" in bench.place.url:
            monkeypatch.setattr(leases, "clock", lambda _, there=there: there)
        for run, row in ((bench.run, ours), (other, theirs)):
            assert await bench.ledger.write(planning.claim, run, [ours, theirs]) == {row}
            assert await bench.ledger.write(leases.lives, run.id)
        await bench.ledger.write(leases.beat, bench.run)
    await bench.sent(ours)
    await bench.sent(theirs, other)


async def test_a_run_keeps_the_lease_that_it_asked_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at it may have been told another one."""
    (row,) = await bench.rows("a")
    other = await bench.ledger.begin_run("spring")
    monkeypatch.setenv("PREFECT_SEEDANCE_LEASE", "5")
    assert (lease().total_seconds(), heartbeat().total_seconds()) == (5, 0.625)
    await sleeps(bench, 60)
    assert await bench.ledger.write(planning.claim, other, [row]) == set()
    short = await bench.ledger.begin_run("spring")
    (mine,) = await bench.rows("b", run=short)
    bench.run = short
    await sleeps(bench, 6)
    assert await bench.ledger.write(planning.claim, other, [mine]) == {mine}


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_a_lease_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PREFECT_SEEDANCE_LEASE", text)
    with pytest.raises(InputError, match="expected a number of seconds"):
        lease()


async def test_leases_are_judged_by_the_servers_clock(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's clock is an hour ahead: nobody is taken for dead who has just been heard of."""
    from prefect_seedance.ledger import Ledger
    from tests.ledger.conftest import a_plan

    ledger = await Ledger.open(postgres)
    run = await ledger.begin_run("spring")
    (row,) = (await ledger.write(planning.plan, run, "1", [a_plan("a")])).values()
    await ledger.write(planning.claim, run, [row])
    monkeypatch.setattr(leases, "host", lambda: "elsewhere")
    monkeypatch.setattr(leases, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
    other = await ledger.begin_run("spring")
    assert await ledger.write(planning.claim, other, [row]) == set()
    await ledger.close()
