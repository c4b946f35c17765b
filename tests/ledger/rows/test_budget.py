"""The budget under any order of several runs' moves, in two currencies, and with a person's word in between."""

from __future__ import annotations

import asyncio
import contextlib
import decimal
import itertools
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.errors import InputError, LedgerError, Refused
from prefect_seedance.ledger import Charge, Ledger, Outcome, Settlement, State, add_up
from prefect_seedance.ledger.rows import budget, lookups, planning, transitions
from prefect_seedance.ledger.rows import budget as commitments
from prefect_seedance.routes.pricing.amount import Amount
from tests.ledger.conftest import CHARGED, Bench, an_intent

NUMBERS = itertools.count()
# More digits than a decimal context keeps by default: a rounded sum would show.
PENNY = Decimal("0.0000000000000000000000000000000001")
LIMITS = {"CNY": Decimal(10), "USD": Decimal(4)}

MOVES = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["go on", "go on", "go on", "unknown", "refuse", "refund", "dear", "resolve", "lost", "die"]),
        st.sampled_from(["CNY", "CNY", "USD"]),
        st.integers(1, 4),
    ),
    max_size=30,
)


async def sums(bench: Bench) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """The kept sums, and the same counted anew."""
    kept = {
        currency: Decimal(amount)
        for currency, amount in bench.query(
            "SELECT currency, committed FROM seedance_sums WHERE batch_id = ?", bench.run.batch_id
        )
    }
    counted = await bench.ledger._database.read(lambda c: commitments.recount(c, bench.run.batch_id))
    return kept, counted


async def step(bench: Bench, row: int, how: str, currency: str, worst: Decimal) -> None:
    """One lawful move of a row, if it has one of this kind."""
    ledger, run = bench.ledger, bench.run
    record = await ledger.row(row)
    attempt = record.attempt.id if record.attempt else 0
    match record.state:
        case State.PLANNED | State.DEFERRED | State.OVER_BUDGET:
            intent = an_intent(row, currency=currency, reserve=Amount(worst, currency))
            await ledger.intend(run, intent, Amount(LIMITS[currency], currency))
        case State.SENT if how == "unknown":
            await ledger.refuse(run, row, attempt, Refused("?"), State.UNKNOWN)
        case State.SENT if how == "refuse":
            await ledger.refuse(run, row, attempt, Refused("no"), State.DEFERRED)
        case State.SENT:
            await ledger.created(run, row, attempt, job_id=f"j{attempt}", http_status=200, request_id=None)
        case State.CREATED if how == "refund":
            await ledger.write(transitions.fail, run, row, Charge(Settlement.REFUNDED), Refused("no"))
        case State.CREATED if how == "refuse":
            await ledger.write(transitions.fail, run, row, Charge(Settlement.UNDOCUMENTED), Refused("no"))
        case State.CREATED:
            reserved = record.attempt.reserved if record.attempt else None
            amount = None if how == "unknown" else reserved if how == "dear" else PENNY
            await ledger.write(
                transitions.succeed, run, row, Charge(Settlement.CHARGED, amount=amount), link_expires_at=None
            )
        case State.FAILED:
            await ledger.write(planning.claim, run, [row], frozenset({State.FAILED}))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES, precision=st.sampled_from([3, 28]))
async def test_no_order_of_moves_breaks_the_budget(bench: Bench, moves: list[Any], precision: int) -> None:
    here = replace(bench, run=await bench.ledger.begin_run(f"budget {next(NUMBERS)}"))
    rows = await here.rows(*"abcdef", run=here.run)
    with decimal.localcontext(prec=precision):
        for number, how, currency, units in moves:
            key, row = "abcdef"[number], rows[number]
            state = (await here.ledger.row(row)).state
            if how == "die":
                await here.ledger.end_run(here.run)
                here.run = await here.ledger.begin_run(here.run.batch)
                await here.ledger.write(planning.claim, here.run, rows)
            elif how in {"resolve", "lost"} and state is State.UNKNOWN:
                await here.ledger.end_run(here.run)
                verdict: Any = "not_made" if how == "resolve" else "lost"
                await here.ledger.resolve(here.run.batch, "1", key, verdict, charge=None)
                here.run = await here.ledger.begin_run(here.run.batch)
                await here.ledger.write(planning.claim, here.run, rows)
            else:
                await step(here, row, how, currency, units + PENNY)
            kept, counted = await sums(here)
            assert defaultdict(Decimal, kept) == defaultdict(Decimal, counted) | dict.fromkeys(
                kept.keys() - counted.keys(), Decimal(0)
            )
            assert all(kept.get(name, 0) <= limit for name, limit in LIMITS.items())


async def test_runs_that_share_a_ledger_share_the_budget(bench: Bench, url: str) -> None:
    second = await Ledger.open(url)
    benches = [replace(bench, ledger=ledger, run=await ledger.begin_run("spring")) for ledger in (bench.ledger, second)]
    keys = [[f"{place}-{number}" for number in range(8)] for place in range(2)]
    rows = [await one.rows(*mine, run=one.run) for one, mine in zip(benches, keys, strict=True)]
    limit = Amount(Decimal(5), "CNY")
    intents = [
        one.ledger.intend(one.run, an_intent(row, reserve=Amount(Decimal(1), "CNY")), limit)
        for one, mine in zip(benches, rows, strict=True)
        for row in mine
    ]
    sent = [attempt for attempt in await asyncio.gather(*intents) if attempt is not None]
    assert len(sent) == 5
    assert await second.read(budget.committed, benches[1].run, "CNY") == 5
    states = [row.state for row in await second.read(lookups.rows_of, "spring")]
    assert (states.count(State.SENT), states.count(State.OVER_BUDGET)) == (5, 11)
    await second.close()


@pytest.mark.parametrize("reserve", [None, Amount(Decimal(1), "USD")], ids=["no bound", "another currency"])
async def test_a_budget_holds_only_what_it_can_speak_of(bench: Bench, reserve: Amount | None) -> None:
    (row,) = await bench.rows("a")
    attempt = await bench.ledger.intend(bench.run, an_intent(row, reserve=reserve), Amount(Decimal(99), "CNY"))
    record = await bench.ledger.row(row)
    assert (attempt, record.state, record.attempt) == (None, State.OVER_BUDGET, None)
    assert "does not fit into what is left of the budget of 99 CNY" in (record.error_message or "")


async def test_an_earlier_create_without_a_bound_is_bound_in_its_own_currency_only(bench: Bench) -> None:
    yuan, dollars, unpriced = await bench.rows("a", "b", "c")
    for row, currency in ((yuan, "CNY"), (dollars, "USD"), (unpriced, None)):
        await bench.ledger.intend(bench.run, an_intent(row, currency=currency))
    assert await bench.ledger.set_worst_case(bench.run, None) == 3
    assert await bench.ledger.set_worst_case(bench.run, Amount(Decimal(2), "CNY")) == 0
    assert await bench.ledger.read(budget.committed, bench.run, "CNY") == 4
    attempt = (await bench.ledger.row(dollars)).attempt
    assert attempt is not None
    await bench.ledger.created(bench.run, dollars, attempt.id, job_id="j", http_status=200, request_id=None)
    await bench.ledger.write(
        transitions.succeed, bench.run, dollars, Charge(Settlement.CHARGED, amount=Decimal(7)), link_expires_at=None
    )
    assert await bench.ledger.read(budget.committed, bench.run, "CNY") == 4
    assert await bench.ledger.read(budget.committed, bench.run, "USD") == 7


async def test_what_is_settled_is_not_bound_again(bench: Bench) -> None:
    """A user's worst case is for what may still cost something: not for a refusal, a refund or a known charge."""
    refused, refunded, charged, lost = await bench.rows("a", "b", "c", "d")
    for row in (refused, lost):
        attempt = await bench.sent(row)
        assert attempt is not None
        to = State.REFUSED if row == refused else State.UNKNOWN
        await bench.ledger.refuse(bench.run, row, attempt, Refused("no"), to)
    for row, charge in ((refunded, Charge(Settlement.REFUNDED)), (charged, CHARGED)):
        await bench.created(row)
        if row == refunded:
            await bench.ledger.write(transitions.fail, bench.run, row, charge, Refused("no"))
        else:
            await bench.ledger.write(transitions.succeed, bench.run, row, charge, link_expires_at=None)
    assert await bench.ledger.set_worst_case(bench.run, None) == 1
    assert await bench.ledger.set_worst_case(bench.run, Amount(Decimal(2), "CNY")) == 0
    bound = {line.row_id: line.reserved for line in await bench.ledger.read(lookups.attempts_of, "spring")}
    assert bound == {refused: None, refunded: None, charged: None, lost: 2}
    assert await bench.ledger.read(budget.recount, bench.run.batch_id) == {"CNY": Decimal("2.25")}


@pytest.mark.parametrize("end", ["an answer that proves nothing", "a run that died"])
async def test_a_create_without_an_answer_has_an_unknown_cost(bench: Bench, end: str) -> None:
    """Not one that is undocumented: that is a job which failed, and a run may go on after it."""
    (row,) = await bench.rows("a")
    attempt = await bench.sent(row)
    assert attempt is not None
    if end == "a run that died":
        await bench.ledger.end_run(bench.run)
    else:
        await bench.ledger.refuse(bench.run, row, attempt, Refused("?", http_status=502), State.UNKNOWN)
    record = await bench.ledger.row(row)
    assert record.attempt is not None
    assert record.state is State.UNKNOWN
    assert (record.attempt.outcome, record.attempt.settlement) == (Outcome.UNKNOWN, Settlement.UNKNOWN)


async def unknown(bench: Bench, key: str) -> tuple[int, int]:
    (row,) = await bench.rows(key)
    attempt = await bench.ledger.intend(bench.run, an_intent(row, reserve=Amount(Decimal(1), "CNY")))
    assert attempt is not None
    await bench.ledger.refuse(bench.run, row, attempt, Refused("?", http_status=502), State.UNKNOWN)
    return row, attempt


@pytest.mark.parametrize(
    ("verdict", "values", "state", "settlement", "held", "line"),
    [
        ("not_made", {}, State.PLANNED, Settlement.NOTHING, 0, (0, 0, 0, 0)),
        ("lost", {}, State.FAILED, Settlement.CHARGED, 1, (1, 0, 1, 1)),
        ("lost", {"charge": Decimal("0.25")}, State.FAILED, Settlement.CHARGED, Decimal("0.25"), (1, 0, 1, 0)),
        ("job", {"job_id": " X "}, State.CREATED, Settlement.OPEN, 1, (1, 0, 0, 0)),
    ],
)
async def test_a_persons_word_settles_an_unknown_row(
    bench: Bench, verdict: Any, values: Any, state: State, settlement: Settlement, held: Any, line: Any
) -> None:
    row, _ = await unknown(bench, "a")
    with pytest.raises(LedgerError, match="A run works on this row"):
        await bench.ledger.resolve("spring", "1", "a", verdict, **values)
    await bench.ledger.end_run(bench.run)
    await bench.ledger.resolve("spring", "1", "a", verdict, **values)
    record = await bench.ledger.row(row)
    assert record.attempt is not None
    assert (record.state, record.attempt.settlement) == (state, settlement)
    assert (record.attempt.outcome, record.attempt.http_status) == (Outcome.UNKNOWN, 502)  # the evidence stays
    assert await bench.ledger.read(budget.committed, bench.run, "CNY") == held
    (cost,) = add_up([record.attempt])
    assert (cost.jobs, cost.succeeded, cost.failed, cost.unpriced) == line
    # As long as its job was named by a person, it may be named again: the id may have been mistyped.
    again = contextlib.nullcontext() if verdict == "job" else pytest.raises(InputError, match="nothing to resolve")
    with again:
        await bench.ledger.resolve("spring", "1", "a", verdict, **values)


async def test_an_adopted_job_that_succeeds_is_a_success(bench: Bench) -> None:
    row, _ = await unknown(bench, "a")
    await bench.ledger.end_run(bench.run)
    await bench.ledger.resolve("spring", "1", "a", "job", job_id="X")
    bench.run = await bench.ledger.begin_run("spring")
    await bench.rows("a")
    charge = Charge(Settlement.CHARGED, units=Decimal(5), amount=Decimal("0.25"))
    await bench.ledger.write(transitions.succeed, bench.run, row, charge, link_expires_at=None)
    (line,) = add_up(await bench.ledger.read(lookups.attempts_of, "spring"))
    assert (line.jobs, line.succeeded, line.failed, line.cost) == (1, 1, 0, Decimal("0.25"))


async def test_one_job_is_not_adopted_twice(bench: Bench) -> None:
    await unknown(bench, "a")
    (other,) = await bench.rows("b")
    await bench.created(other)
    await bench.ledger.end_run(bench.run)
    for job, words in (("", "needs the provider's id"), (f"job-{other}", "already belongs to row 'b'")):
        with pytest.raises(InputError, match=words):
            await bench.ledger.resolve("spring", "1", "a", "job", job_id=job)
    found = await bench.ledger.read(lookups.row_by_key, "spring", "1", "a")
    assert found is not None
    assert found.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("verdict", "held", "jobs"),
    [
        # It was made after all: the row goes on with the job, and what it may cost is held again.
        ("not_made", 1, ["late"]),
        ("lost", 1, ["late"]),
        # A person's job stays the row's; the other one has a line and a worst case of its own.
        ("job", 2, ["X", "late"]),
    ],
)
async def test_an_answer_that_comes_after_a_persons_word(
    bench: Bench, verdict: Any, held: int, jobs: list[str]
) -> None:
    row, attempt = await unknown(bench, "a")
    bench.query("UPDATE seedance_rows SET holder = NULL")
    values: dict[str, Any] = {"lost": {"charge": Decimal("0.25")}, "job": {"job_id": "X"}}.get(verdict, {})
    await bench.ledger.resolve("spring", "1", "a", verdict, **values)
    for words in ("job late", "awaits no answer"):  # an answer comes once
        with pytest.raises(LedgerError, match=words):
            await bench.ledger.created(bench.run, row, attempt, job_id="late", http_status=200, request_id="q")
    record = await bench.ledger.row(row)
    assert record.attempt is not None
    assert (record.state, record.job_id) == (State.CREATED, jobs[0])
    assert (record.attempt.settlement, record.attempt.charge) == (Settlement.OPEN, None)
    assert await bench.ledger.read(budget.committed, bench.run, "CNY") == held
    assert await bench.ledger.read(budget.recount, bench.run.batch_id) == {"CNY": held}
    lines = await bench.ledger.read(lookups.attempts_of, "spring")
    assert [line.job_id for line in lines] == jobs
    assert [line.is_evidence for line in lines] == [False, True][: len(jobs)]


async def test_a_copy_is_the_same_ledger(bench: Bench, tmp_path: Any) -> None:
    await unknown(bench, "a")
    (stored,) = await bench.rows("b")
    await bench.stored(stored)
    other = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/copy.db")
    await bench.ledger.end_run(bench.run)
    await bench.ledger.copy_to(other)
    assert await other.read(lookups.rows_of, "spring") == await bench.ledger.read(lookups.rows_of, "spring")
    assert await other.read(lookups.attempts_of, "spring") == await bench.ledger.read(lookups.attempts_of, "spring")
    with pytest.raises(InputError, match="already has batches"):
        await bench.ledger.copy_to(other, backup=True)
    with pytest.raises(InputError, match=r"was moved to .*copy\.db"):
        await bench.ledger.begin_run("spring")
    with pytest.raises(InputError, match="was moved to"):
        await bench.ledger.intend(bench.run, an_intent(stored))  # as a process that stood still meanwhile
    await other.end_run(await other.begin_run("spring"))
    await other.close()
    again = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path}/copy.db")
    assert again.identity == bench.ledger.identity
    await again.close()
