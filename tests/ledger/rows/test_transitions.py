"""Every move from every state: what DESIGN's section 4 allows, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from prefect_seedance.errors import LedgerError, RateLimited, Refused
from prefect_seedance.ledger import Charge, Settlement, State
from prefect_seedance.ledger.rows import lookups, transitions
from tests.ledger.conftest import CHARGED, PROOF, Bench, an_intent

# How a row comes into each state, from planned on.
WAYS = {
    State.PLANNED: (),
    State.DEFERRED: ("put off",),
    State.SENT: ("intend",),
    State.CREATED: ("intend", "created"),
    State.REFUSED: ("intend", "refuse"),
    State.UNKNOWN: ("intend", "lose"),
    State.SUCCEEDED: ("intend", "created", "succeed"),
    State.FAILED: ("intend", "created", "fail"),
    State.STORED: ("intend", "created", "succeed", "store"),
    State.EXPIRED: ("intend", "created", "succeed", "expire"),
}
LAWFUL = {
    "put off": dict.fromkeys((State.PLANNED, State.DEFERRED), State.DEFERRED),
    # From `created` nothing is sent: a late answer has named the job.
    "intend": dict.fromkeys((State.PLANNED, State.DEFERRED), State.SENT) | {State.CREATED: State.CREATED},
    "withdraw": {State.SENT: State.PLANNED},
    # After `unknown`: the answer came late, and proves the job.
    "created": dict.fromkeys((State.SENT, State.UNKNOWN), State.CREATED),
    "refuse": {State.SENT: State.REFUSED},
    "refuse for now": {State.SENT: State.DEFERRED},
    "lose": {State.SENT: State.UNKNOWN},
    "refuse into a job": {},
    "succeed": {State.CREATED: State.SUCCEEDED},
    "fail": {State.CREATED: State.FAILED},
    "job is gone": {State.CREATED: State.EXPIRED},
    "expire": {State.SUCCEEDED: State.EXPIRED},
    "prove": {State.SUCCEEDED: State.SUCCEEDED},
    "reuse": dict.fromkeys((State.PLANNED, State.DEFERRED), State.SUCCEEDED),
    "store": {State.SUCCEEDED: State.STORED},
    "refetch": {State.STORED: State.SUCCEEDED},
}
# What an earlier end of the job says of the money, no later move may touch.
SETTLED = {State.SUCCEEDED, State.FAILED, State.STORED, State.EXPIRED}

Move = Callable[[int, int], Awaitable[Any]]


def moves(bench: Bench) -> dict[str, Move]:
    """Each move, as a call with a row and an attempt."""
    ledger, run = bench.ledger, bench.run
    no = Refused("no")
    return {
        "put off": lambda row, _: ledger.write(transitions.put_off, run, row, RateLimited("later")),
        "intend": lambda row, _: ledger.intend(run, an_intent(row)),
        "withdraw": lambda row, attempt: ledger.withdraw(run, row, attempt),
        "created": lambda row, attempt: ledger.created(
            run, row, attempt, job_id=f"j{row}", http_status=200, request_id="q"
        ),
        "refuse": lambda row, attempt: ledger.refuse(run, row, attempt, no, State.REFUSED),
        "refuse for now": lambda row, attempt: ledger.refuse(run, row, attempt, no, State.DEFERRED),
        "lose": lambda row, attempt: ledger.refuse(run, row, attempt, no, State.UNKNOWN),
        "refuse into a job": lambda row, attempt: ledger.refuse(run, row, attempt, no, State.CREATED),
        "succeed": lambda row, _: ledger.write(transitions.succeed, run, row, CHARGED, link_expires_at=None),
        "fail": lambda row, _: ledger.write(transitions.fail, run, row, Charge(Settlement.REFUNDED), no),
        "job is gone": lambda row, _: ledger.write(
            transitions.fail_gone, run, row, Charge(Settlement.UNDOCUMENTED), no
        ),
        "expire": lambda row, _: ledger.write(transitions.expire, run, row, no),
        "prove": lambda row, _: ledger.write(transitions.prove, run, row, PROOF),
        "reuse": lambda row, _: ledger.write(transitions.reuse, run, row, PROOF),
        "store": lambda row, _: ledger.write(transitions.store, run, row, modified_ns=1),
        "refetch": lambda row, _: ledger.write(transitions.refetch, run, row),
    }


async def brought(bench: Bench, row: int, way: tuple[str, ...]) -> int:
    """Bring a row along; returns its latest attempt."""
    attempt = 0
    for step in way:
        answer = await moves(bench)[step](row, attempt)
        attempt = answer if step == "intend" else attempt
    return attempt


async def test_every_move_from_every_state(bench: Bench) -> None:
    assert set(LAWFUL) == set(moves(bench))

    async def attempted(state: State, name: str, row: int) -> None:
        attempt = await brought(bench, row, WAYS[state])
        before = await bench.ledger.row(row)
        assert before.state is state
        if state in LAWFUL[name]:
            await moves(bench)[name](row, attempt)
            after = await bench.ledger.row(row)
            assert after.state is LAWFUL[name][state], name
            if state in SETTLED:
                assert after.attempt == before.attempt, name
        else:
            with pytest.raises(LedgerError):
                await moves(bench)[name](row, attempt)
            assert await bench.ledger.row(row) == before, name

    pairs = [(state, name) for state in WAYS for name in LAWFUL]
    rows = await bench.rows(*(f"{state} {name}" for state, name in pairs))
    await asyncio.gather(*(attempted(*pair, row) for pair, row in zip(pairs, rows, strict=True)))


@pytest.mark.parametrize("name", ["withdraw", "created", "refuse", "lose"])
async def test_an_answer_settles_its_own_attempt_only(bench: Bench, name: str) -> None:
    row, neighbour = await bench.rows("a", "b")
    earlier = await brought(bench, row, ("intend", "refuse for now"))
    latest = await brought(bench, row, ("intend",))
    foreign = await brought(bench, neighbour, ("intend",))
    before = await bench.ledger.read(lookups.attempts_of, "spring")
    for attempt in (earlier, foreign, 999):
        with pytest.raises(LedgerError):
            await moves(bench)[name](row, attempt)
    assert await bench.ledger.read(lookups.attempts_of, "spring") == before
    await moves(bench)[name](row, latest)
    assert await bench.state(neighbour) is State.SENT


async def test_a_row_that_was_sent_takes_no_video_of_another_row(bench: Bench) -> None:
    (row,) = await bench.rows("a")
    await brought(bench, row, ("intend", "refuse for now"))
    before = await bench.ledger.row(row)
    with pytest.raises(LedgerError):
        await moves(bench)["reuse"](row, 0)
    assert await bench.ledger.row(row) == before


@pytest.mark.parametrize("name", [name for name in LAWFUL if LAWFUL[name]])
async def test_nobody_moves_a_row_that_another_run_holds(bench: Bench, name: str) -> None:
    (row,) = await bench.rows("a")
    attempt = await brought(bench, row, WAYS[next(iter(LAWFUL[name]))])
    other = Bench(bench.ledger, await bench.ledger.begin_run("spring"), bench.place)
    before = await bench.ledger.row(row)
    with pytest.raises(LedgerError):
        await moves(other)[name](row, attempt)
    assert await bench.ledger.row(row) == before


@pytest.mark.parametrize("name", ["intend", "refuse", "succeed", "store"])
async def test_a_run_whose_lease_was_ended_moves_no_row(bench: Bench, name: str) -> None:
    """Not even one that still names it as its holder."""
    (row,) = await bench.rows("a")
    attempt = await brought(bench, row, WAYS[next(iter(LAWFUL[name]))])
    bench.query("UPDATE seedance_runs SET buried_at = ? WHERE id = ?", "2026-11-30T12:00:00.000000+00:00", bench.run.id)
    before = await bench.ledger.row(row)
    assert before.holder == bench.run.id
    with pytest.raises(LedgerError, match="no longer held by this run"):
        await moves(bench)[name](row, attempt)
    assert await bench.ledger.row(row) == before


async def test_a_row_is_put_off_only_into_a_state_that_may_follow(bench: Bench) -> None:
    (row,) = await bench.rows("a")
    before = await bench.ledger.row(row)
    for to in (State.STORED, State.FAILED, State.EXPIRED):
        with pytest.raises(LedgerError, match=to.value):
            await bench.ledger.write(transitions.put_off, bench.run, row, RateLimited("later"), to)
    assert await bench.ledger.row(row) == before
