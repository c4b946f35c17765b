"""Portions: what several processes take of a batch, and what is none of their business."""

from __future__ import annotations

from typing import Any

from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger import Run, State
from prefect_seedance.ledger.rows import planning, transitions
from prefect_seedance.ledger.sharing import work_claims

KEY = ("jimmy", "default", "seedance2.0-mini")


async def take(bench: Any, run: Run, parent: Run, number: int = 10, tried: tuple[int, ...] = ()) -> set[int]:
    taken: set[int] = await bench.ledger.write(
        work_claims.claim, run, "1", parent=parent.id, fresh={KEY: number}, accounts={KEY[:2]}, paid=10, tried=tried
    )
    return taken


async def test_only_the_rows_that_the_run_wants_are_made(bench: Any) -> None:
    ledger, earlier = bench.ledger, bench.run
    left, wanted, paid = await bench.rows("a", "b", "c")
    await ledger.write(work_claims.offer, earlier, [left])
    await bench.created(paid)
    await ledger.end_run(earlier)
    parent, shard = await ledger.begin_run("spring"), await ledger.begin_run("spring")
    await ledger.write(work_claims.offer, parent, [wanted])
    standing = await ledger.read(work_claims.remainder, shard, "1", patience=60, parent=parent.id)
    # What an earlier run has planned, and this one leaves out, nobody has quoted or approved; what is paid is fetched.
    assert (standing.free, standing.over) == (2, False)
    assert await take(bench, shard, parent) == {wanted, paid}


async def test_what_was_put_off_waits_for_the_next_run_whatever_the_clocks_say(bench: Any) -> None:
    ledger, parent = bench.ledger, bench.run
    shard = await ledger.begin_run("spring")
    off, broken, good = await bench.rows("a", "b", "c")
    await ledger.write(work_claims.offer, parent, [off, broken, good])
    await ledger.write(work_claims.release, parent, [off, broken, good])
    assert await take(bench, shard, parent, 1) == {off}
    await ledger.write(transitions.put_off, shard, off, SeedanceError("not now"))
    bench.query("UPDATE seedance_rows SET changed_at = ?", "2020-01-01T00:00:00.000000+00:00")
    await ledger.write(work_claims.release, shard, [off])
    assert (await ledger.read(work_claims.remainder, shard, "1", patience=60, parent=parent.id)).free == 2
    # What this one cannot carry stands in nobody's way.
    assert await take(bench, shard, parent, 1, tried=(broken,)) == {good}
    again = await ledger.begin_run("spring")
    await ledger.write(work_claims.offer, again, [off])
    assert await take(bench, shard, again, 1) == {off}


async def test_shards_of_a_run_that_was_killed_go_on_and_of_one_that_ended_do_not(bench: Any) -> None:
    ledger = bench.ledger
    ended, killed, shard = bench.run, await ledger.begin_run("spring"), await ledger.begin_run("spring")
    await ledger.end_run(ended)
    bench.query("UPDATE seedance_runs SET process_started = '1' WHERE id = ?", killed.id)
    assert await take(bench, shard, killed) == set()
    assert bench.query("SELECT count(*) FROM seedance_runs WHERE ended_at IS NOT NULL") == [(2,)]
    over = [
        (await ledger.read(work_claims.remainder, shard, "1", patience=60, parent=run.id)).over
        for run in (ended, killed)
    ]
    assert over == [True, False]
    # One that was only taken for dead, and ends in order after all, is over.
    await ledger.end_run(killed)
    assert (await ledger.read(work_claims.remainder, shard, "1", patience=60, parent=killed.id)).over


async def test_who_slept_past_its_lease_and_was_missed_by_nobody_keeps_what_it_holds(bench: Any) -> None:
    sent, planned = await bench.rows("a", "b")
    attempt = await bench.sent(sent)
    bench.query("UPDATE seedance_runs SET heartbeat_at = ?", "2020-01-01T00:00:00.000000+00:00")
    await bench.ledger.write(work_claims.offer, bench.run, [sent, planned])
    assert await take(bench, bench.run, bench.run) == set()
    assert await bench.ledger.write(planning.claim, bench.run, [planned]) == {planned}
    assert (await bench.state(sent), await bench.state(planned)) == (State.SENT, State.PLANNED)
    await bench.ledger.created(bench.run, sent, attempt, job_id="j", http_status=200, request_id=None)
    assert await bench.state(sent) is State.CREATED
