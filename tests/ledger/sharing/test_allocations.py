"""Seats: whatever processes say and whenever, together they never may have more in flight than the ceiling."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger import ALL, Allocation, Demand, Ledger, Member
from prefect_seedance.ledger.rows import leases, planning, transitions
from prefect_seedance.ledger.sharing import allocations
from tests.ledger.conftest import CHARGED


@dataclass
class Process:
    """A process as its neighbours know it: it keeps to what it was last told, and says how it stands."""

    member: Member
    wanted: int
    held: int = 0
    model: str = "m"
    share: Allocation = field(default_factory=Allocation)

    @property
    def granted(self) -> int:
        return self.share.granted.get(self.model, 0)

    async def speak(self, ledger: Ledger, ceiling: int, **more: float | None) -> None:
        name = self.model
        said = Demand({name: self.held}, {name: max(self.wanted, self.held)}, {name: ceiling}, **more)
        self.share = await ledger.write(allocations.allocate, self.member, said)

    def work(self, chance: random.Random) -> None:
        """Some jobs end, and others are made, as far as it may."""
        self.held -= chance.randint(0, self.held)
        room = max(0, min(self.granted, self.wanted) - self.held)
        self.held += chance.randint(0, room)


def member(name: str, account: str = "default") -> Member:
    return Member(name, "jimmy", account)


@pytest.mark.parametrize("number", range(6))
async def test_together_they_never_have_more_than_the_ceiling(url: str, number: int) -> None:
    chance, ceiling = random.Random(number), 1 + number * 3
    ledger = await Ledger.open(url)
    processes: list[Process] = []
    for step in range(60):
        if len(processes) < 5 and chance.random() < 0.2:
            processes.append(Process(member(f"p{step}"), wanted=chance.randint(0, 12)))
        if processes and chance.random() < 0.05:
            leaving = processes.pop(chance.randrange(len(processes)))
            await ledger.release_allocation(leaving.member)
        for process in processes:
            process.work(chance)
            if chance.random() < 0.5:
                await process.speak(ledger, ceiling)
        assert sum(process.held for process in processes) <= ceiling
        assert sum(max(p.held, p.granted) for p in processes) <= ceiling
    # Left alone for two rounds, everybody has his part, and nothing that somebody wants is left over.
    for process in processes:
        process.held = 0
    for _ in range(2):
        for process in processes:
            await process.speak(ledger, ceiling)
    granted = [process.share.granted["m"] for process in processes]
    assert sum(granted) == min(ceiling, sum(process.wanted for process in processes))
    await ledger.close()


async def test_who_joins_waits_until_others_have_given_back(url: str) -> None:
    ledger = await Ledger.open(url)
    first, second = Process(member("a"), wanted=9), Process(member("b"), wanted=9)
    await first.speak(ledger, 4)
    first.held = 4
    await second.speak(ledger, 4)
    assert (first.share.granted["m"], second.share.granted["m"]) == (4, 0)
    await first.speak(ledger, 4)
    await second.speak(ledger, 4)
    assert (first.share.granted["m"], second.share.granted["m"], second.share.members) == (2, 0, 2)
    first.held = 3
    await first.speak(ledger, 4)
    await second.speak(ledger, 4)
    assert second.share.granted["m"] == 1
    await ledger.close()


async def test_jobs_are_counted_by_what_the_ledger_shows_too(bench: Any) -> None:
    ledger, ceiling, model = bench.ledger, 4, "seedance2.0-mini"
    lost = await ledger.begin_run("spring")
    jobs = await bench.rows("a", "b", "c", run=lost)
    first, second = Process(member("a"), wanted=9, model=model), Process(member("b"), wanted=9, model=model)
    for process in (first, second, first, second):
        await process.speak(ledger, ceiling)
    for job in jobs:
        await bench.created(job, lost)
    # The first dies with three jobs in flight. They are at work, whoever speaks of them.
    leases.forget(lost)
    for table, key in (("seats", first.member.id), ("runs", lost.id)):
        bench.query(f"UPDATE seedance_{table} SET process_started = 'long ago' WHERE id = ?", key)
    await second.speak(ledger, ceiling)
    assert (second.granted, second.share.members) == (1, 1)
    assert bench.query("SELECT count(*) FROM seedance_seats") == [(1,)]
    # Now they are the second's, and wait for their turn: nothing new is put into their places meanwhile.
    assert await ledger.write(planning.claim, bench.run, jobs) == set(jobs)
    await second.speak(ledger, ceiling)
    assert second.granted == 1
    second.held = 3
    await second.speak(ledger, ceiling)
    assert second.granted == 4
    # One ends. Who goes and leaves the others behind has given back no more than that.
    await ledger.write(transitions.fail, bench.run, jobs[0], CHARGED, SeedanceError("no"))
    await ledger.end_run(bench.run)
    await ledger.release_allocation(second.member)
    third = Process(member("c"), wanted=9, model=model)
    await third.speak(ledger, ceiling)
    assert third.granted == 2
    # Nobody comes for them: they have ended long ago.
    bench.query("UPDATE seedance_rows SET changed_at = ?", "2020-01-01T00:00:00.000000+00:00")
    await third.speak(ledger, ceiling)
    assert third.granted == 4


async def test_who_was_given_a_lower_ceiling_gets_its_part_too(url: str) -> None:
    ledger = await Ledger.open(url)
    high, low = Process(member("a"), wanted=20), Process(member("b"), wanted=20)
    for _ in range(3):
        await high.speak(ledger, 10)
        high.held = high.granted
        await low.speak(ledger, 4)
    assert (high.granted, low.granted) == (2, 2)
    await ledger.close()


async def test_fewer_places_than_processes_go_round(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = await Ledger.open(url)
    both = [Process(member("a"), wanted=5), Process(member("b"), wanted=5)]
    moment, had = datetime(2026, 1, 1, tzinfo=UTC), []
    monkeypatch.setattr(leases, "clock", lambda _: moment)
    for _ in range(8):
        for process in both:
            await process.speak(ledger, 1)
        had.append([process.granted for process in both])
        assert sum(had[-1]) <= 1
        moment += timedelta(seconds=allocations.TURN)
    assert {tuple(each) for each in had} >= {(0, 1), (1, 0)}
    await ledger.close()


async def test_a_limit_that_one_has_met_is_believed_by_all(url: str) -> None:
    ledger = await Ledger.open(url)
    first, second = Process(member("a"), wanted=9, held=4), Process(member("b"), wanted=9, held=3)
    other = Process(Member("c", "jimmy", "another account"), wanted=9)
    for _ in range(2):
        await first.speak(ledger, 20)
        await second.speak(ledger, 20)
    assert ALL not in first.share.granted
    # Refused with seven in flight over both: that is what the account bears, and nobody asks for half a minute.
    await first.speak(ledger, 20, size=4.0, pause=30.0)
    await second.speak(ledger, 20)
    assert (first.share.found, second.share.found) == (7.0, 7.0)
    assert first.share.granted[ALL] + second.share.granted[ALL] <= 7
    assert 28 < second.share.pause <= 30
    # One more was tried and taken.
    await second.speak(ledger, 20, size=second.share.granted[ALL] + 1.0, previous_size=float(second.share.granted[ALL]))
    assert second.share.found == 8.0
    await other.speak(ledger, 20)
    assert (other.share.found, other.share.pause, other.share.members) == (None, 0.0, 1)
    # When all have gone, nothing is taken for granted.
    await ledger.release_allocation(first.member)
    await ledger.release_allocation(second.member)
    await first.speak(ledger, 20)
    assert (first.share.found, first.share.pause) == (None, 0.0)
    await ledger.close()


async def test_a_pause_is_handed_on_for_an_hour_at_most(bench: Any) -> None:
    """Also one that a version without a limit has stored: it would stop every later run."""
    first, second = Process(member("a"), wanted=1), Process(member("b"), wanted=1)
    for absurd in (1e30, float("inf"), 86_400.0):
        await first.speak(bench.ledger, 1, pause=absurd)
        assert 3500 < first.share.pause <= 3600
    await second.speak(bench.ledger, 1)
    assert 3500 < second.share.pause <= 3600
    bench.query("UPDATE seedance_limits SET open_at = ?", "9999-12-31T23:59:59.000000+00:00")
    await second.speak(bench.ledger, 1)
    stored = bench.query("SELECT open_at FROM seedance_limits")
    await second.speak(bench.ledger, 1)
    assert 3500 < second.share.pause <= 3600
    assert bench.query("SELECT open_at FROM seedance_limits") == stored, "it comes nearer, and is not put off again"
