"""A run that was taken for dead wakes: what it was told is written, what it means to do is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prefect_seedance.core import clock
from prefect_seedance.errors import InputError, LedgerError, RateLimited, Refused, UnknownOutcome
from prefect_seedance.ledger import Charge, Outcome, Run, Settlement, State, heartbeat, lease
from prefect_seedance.ledger.rows import budget, leases, lookups, planning, transitions
from prefect_seedance.ledger.sharing import work_claims
from prefect_seedance.routes.pricing.amount import Amount
from tests.ledger.conftest import CHARGED, Bench, an_intent

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


async def answer(bench: Bench, row: int, attempt: int, job: str = "j") -> None:
    """The late answer of the bench's run, which has lost the row."""
    with pytest.raises(LedgerError):
        await bench.ledger.created(bench.run, row, attempt, job_id=job, http_status=200, request_id="q")


async def given_up(bench: Bench, verdict: Any, **values: Any) -> tuple[int, int]:
    row, attempt = await sent(bench)
    await bench.ledger.end_run(await taken_over(bench, row))
    await bench.ledger.resolve("spring", "1", "a", verdict, **values)
    return row, attempt


async def put_off(bench: Bench, run: Run, row: int) -> None:
    assert await bench.ledger.leave(run, row, RateLimited("slowly"), State.DEFERRED)


async def over_budget(bench: Bench, run: Run, row: int) -> None:
    assert await bench.ledger.intend(run, an_intent(row, reserve=Amount(Decimal(2), "CNY")), YUAN) is None


async def refused(bench: Bench, run: Run, row: int) -> None:
    await bench.ledger.refuse(run, row, await bench.sent(row, run), NO, State.REFUSED)


async def nothing(bench: Bench, run: Run, row: int) -> None:
    pass


async def gone(bench: Bench, run: Run, row: int) -> None:
    await bench.ledger.write(transitions.fail_gone, run, row, Charge(Settlement.UNDOCUMENTED), LedgerError("gone"))


@pytest.mark.parametrize("held", [True, False], ids=["held by another run", "held by nobody"])
@pytest.mark.parametrize(
    ("verdict", "then", "before"),
    [
        ("not_made", nothing, State.PLANNED),
        ("not_made", put_off, State.DEFERRED),
        ("not_made", over_budget, State.OVER_BUDGET),
        ("not_made", refused, State.REFUSED),
        ("lost", nothing, State.FAILED),
        ("job", gone, State.EXPIRED),
    ],
    ids=lambda each: getattr(each, "__name__", None) or str(each),
)
async def test_a_late_job_is_adopted_where_nothing_else_is_under_way(
    bench: Bench, verdict: Any, then: Any, before: State, held: bool
) -> None:
    """Law 7: evidence outranks opinion. Another run that holds the row finds out before it sends."""
    row, attempt = await given_up(bench, verdict, **({"job_id": "wrong"} if verdict == "job" else {}))
    other = await bench.ledger.begin_run("spring")
    assert await bench.ledger.write(planning.claim, other, [row]) == {row}
    await then(bench, other, row)
    assert await bench.state(row) is before
    if not held:
        await bench.ledger.end_run(other)
    attempts = len(await bench.ledger.read(lookups.attempts_of, "spring"))
    await answer(bench, row, attempt)
    record = await bench.ledger.row(row)
    assert record.attempt is not None
    assert (record.state, record.job_id, record.error_message) == (State.CREATED, "j", None)
    assert (record.attempt.outcome, record.attempt.settlement) == (Outcome.CREATED, Settlement.OPEN)
    assert record.holder == (other.id if held else None)
    assert await bench.ledger.read(budget.recount, other.batch_id) == {
        "CNY": await bench.ledger.read(budget.committed, other, "CNY")
    }
    if not held:
        other = await bench.ledger.begin_run("spring")
        assert await bench.ledger.write(planning.claim, other, [row], frozenset({State.FAILED})) == {row}
    # Nothing is sent, and nothing is put off: the other run goes on with the job.
    assert await bench.ledger.intend(other, an_intent(row, reserve=YUAN), YUAN) is None
    assert not await bench.ledger.leave(other, row, NO, State.REFUSED)
    assert await bench.ledger.row(row) == replace(record, holder=other.id)
    assert len(await bench.ledger.read(lookups.attempts_of, "spring")) == attempts + (before is State.EXPIRED)
    await bench.ledger.write(transitions.succeed, other, row, CHARGED, link_expires_at=None)
    assert (await bench.ledger.row(row)).state is State.SUCCEEDED


async def test_a_late_job_of_another_route_takes_its_route_along(bench: Bench) -> None:
    row, attempt = await given_up(bench, "not_made")
    other = await bench.ledger.begin_run("spring")
    await bench.ledger.write(planning.claim, other, [row])
    elsewhere = an_intent(row, account="second", model="seedance2.0-pro", fingerprint="1:y", request={"prompt": "y"})
    second = await bench.ledger.intend(other, elsewhere)
    assert second is not None
    await bench.ledger.refuse(other, row, second, RateLimited("slowly"), State.DEFERRED)
    assert (await bench.ledger.row(row)).account == "second"
    await answer(bench, row, attempt)
    record = await bench.ledger.row(row)
    assert (record.state, record.account, record.model) == (State.CREATED, "default", "seedance2.0-mini")
    assert record.attempt is not None
    assert record.attempt.id == attempt


@pytest.mark.parametrize("end", [State.DEFERRED, State.CREATED, State.STORED])
async def test_a_late_job_beside_another_create_is_evidence_until_it_is_needed(bench: Bench, end: State) -> None:
    """Where the other create brings nothing, the job is used before a third create is paid."""
    row, attempt = await given_up(bench, "not_made")
    other = await bench.ledger.begin_run("spring")
    await bench.ledger.write(planning.claim, other, [row])
    second = await bench.ledger.intend(other, an_intent(row, reserve=YUAN))
    assert second is not None
    if end is State.STORED:
        await bench.ledger.created(other, row, second, job_id="k", http_status=200, request_id=None)
        await bench.ledger.write(transitions.succeed, other, row, CHARGED, link_expires_at=None)
        await bench.ledger.write(transitions.store, other, row, modified_ns=1)
    before = await bench.ledger.row(row)
    await answer(bench, row, attempt)
    assert await bench.ledger.row(row) == before
    first = (await bench.ledger.read(lookups.attempts_of, "spring"))[0]
    assert first.is_evidence
    assert (first.job_id, first.outcome) == ("j", Outcome.CREATED)
    assert "job j is not followed" in (first.message or "")
    assert await bench.ledger.read(budget.committed, other, "CNY") == (
        2 if end is not State.STORED else Decimal("1.25")
    )
    if end is State.CREATED:
        await bench.ledger.created(other, row, second, job_id="k", http_status=200, request_id=None)
        assert (await bench.ledger.row(row)).job_id == "k"
    if end is State.DEFERRED:
        await bench.ledger.refuse(other, row, second, RateLimited("slowly"), State.DEFERRED)
        assert await bench.ledger.intend(other, an_intent(row, reserve=YUAN)) is None
        record = await bench.ledger.row(row)
        assert (record.state, record.job_id) == (State.CREATED, "j")
        assert [line.is_evidence for line in await bench.ledger.read(lookups.attempts_of, "spring")] == [False, False]
    assert await bench.ledger.read(budget.recount, other.batch_id) == {
        "CNY": await bench.ledger.read(budget.committed, other, "CNY")
    }


async def test_a_late_answer_is_written_to_its_own_attempt_only(bench: Bench) -> None:
    (other_row,) = await bench.rows("z")
    await bench.created(other_row)
    row, attempt = await sent(bench)
    other = await taken_over(bench, row)
    before = {line.id: line for line in await bench.ledger.read(lookups.attempts_of, "spring")}
    with pytest.raises(LedgerError):
        await bench.ledger.refuse(bench.run, row, attempt, UnknownOutcome("a 502 page"), State.UNKNOWN)
    after = {line.id: line for line in await bench.ledger.read(lookups.attempts_of, "spring")}
    assert [key for key in after if after[key] != before[key]] == [attempt]
    assert "a 502 page" in (after[attempt].message or "")
    await bench.ledger.end_run(other)


async def test_an_answer_to_an_earlier_attempt_is_not_one_to_the_lost_attempt(bench: Bench) -> None:
    (row,) = await bench.rows("a")
    earlier = await bench.sent(row)
    await bench.ledger.refuse(bench.run, row, earlier, RateLimited("slowly"), State.DEFERRED)
    lost = await bench.sent(row)
    await taken_over(bench, row)
    before = await bench.ledger.read(lookups.attempts_of, "spring")
    assert [(line.id, line.outcome) for line in before] == [(earlier, Outcome.REFUSED), (lost, Outcome.UNKNOWN)]
    for attempt in (earlier, 999):
        with pytest.raises(LedgerError):
            await bench.ledger.refuse(bench.run, row, attempt, NO, State.REFUSED)
    assert await bench.ledger.read(lookups.attempts_of, "spring") == before
    assert await bench.state(row) is State.UNKNOWN


@pytest.mark.parametrize("first", [State.CREATED, State.SUCCEEDED, State.STORED, State.FAILED])
async def test_one_job_of_two_rows_holds_both(bench: Bench, first: State) -> None:
    """Neither is fetched as the other's video, nor paid again, until a person says whose it is."""
    mine, twin = await bench.rows("a", "b")
    if first is State.STORED:
        await bench.stored(twin)
    else:
        await bench.created(twin)
    if first is State.SUCCEEDED:
        await bench.ledger.write(transitions.succeed, bench.run, twin, CHARGED, link_expires_at=None)
    if first is State.FAILED:
        await bench.ledger.write(transitions.fail, bench.run, twin, Charge(Settlement.REFUNDED), NO)
    attempt = await bench.sent(mine)
    assert attempt is not None
    job = f"job-{twin}"
    with pytest.raises(UnknownOutcome, match=f"job {job} for two rows: row 'a' of batch 'spring' and row 'b'"):
        await bench.ledger.created(bench.run, mine, attempt, job_id=job, http_status=200, request_id=None)
    rows = [await bench.ledger.row(mine), await bench.ledger.row(twin)]
    keeps = first in {State.STORED, State.FAILED}
    assert [row.state for row in rows] == [State.UNKNOWN, first if keeps else State.UNKNOWN]
    for row in rows:
        assert row.attempt is not None
        assert (row.attempt.job_id, row.attempt.outcome) == (job, Outcome.CREATED)
        assert "two rows" in (row.attempt.message or "")
    # What this run still does with them fails for these rows alone.
    for row in (mine,) if keeps else (mine, twin):
        with pytest.raises(UnknownOutcome):
            await bench.ledger.write(transitions.succeed, bench.run, row, CHARGED, link_expires_at=None)
        assert await bench.ledger.intend(bench.run, an_intent(row)) is None
    await bench.ledger.end_run(bench.run)
    if keeps:
        with pytest.raises(InputError, match="already belongs to row 'b'"):
            await bench.ledger.resolve("spring", "1", "a", "job", job_id=job)
    else:
        await bench.ledger.resolve("spring", "1", "a", "job", job_id=job)
        with pytest.raises(InputError, match="already belongs to row 'a'"):
            await bench.ledger.resolve("spring", "1", "b", "job", job_id=job)
        await bench.ledger.resolve("spring", "1", "b", "not_made")
        mine_now, twin_now = await bench.ledger.row(mine), await bench.ledger.row(twin)
        assert (mine_now.state, mine_now.job_id) == (State.CREATED, job)
        assert twin_now.state is State.PLANNED
        assert twin_now.attempt is not None
        assert (twin_now.attempt.settlement, twin_now.attempt.charge) == (Settlement.NOTHING, None)
        other = await bench.ledger.begin_run("spring")
        await bench.ledger.write(planning.claim, other, [mine, twin])
        assert await bench.sent(twin, other) is not None
    assert await bench.ledger.read(budget.recount, bench.run.batch_id) in (
        {},
        {"CNY": Decimal(0)},
        {"CNY": Decimal("0.25")},
    )


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
