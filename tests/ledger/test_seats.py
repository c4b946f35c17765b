"""Seats: whatever processes say and whenever, together they never may have more in flight than the ceiling."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from prefect_seedance.ledger import ALL, Ledger, Said, Seat, Share, holders, seats


@dataclass
class Process:
    """A process as its neighbours know it: it keeps to what it was last told, and says how it stands."""

    seat: Seat
    wanted: int
    held: int = 0
    share: Share = field(default_factory=Share)

    async def speak(self, ledger: Ledger, ceiling: int, **more: float | None) -> None:
        said = Said({"m": self.held}, {"m": max(self.wanted, self.held)}, {"m": ceiling}, **more)
        self.share = await ledger.sit(self.seat, said)

    def work(self, chance: random.Random) -> None:
        """Some jobs end, and others are made, as far as it may."""
        self.held -= chance.randint(0, self.held)
        room = max(0, min(self.share.granted.get("m", 0), self.wanted) - self.held)
        self.held += chance.randint(0, room)


def seat(name: str, account: str = "default") -> Seat:
    return Seat(name, "jimmy", account)


@pytest.mark.parametrize("number", range(6))
async def test_together_they_never_have_more_than_the_ceiling(url: str, number: int) -> None:
    chance, ceiling = random.Random(number), 1 + number * 3
    ledger = await Ledger.open(url)
    processes: list[Process] = []
    for step in range(60):
        if len(processes) < 5 and chance.random() < 0.2:
            processes.append(Process(seat(f"p{step}"), wanted=chance.randint(0, 12)))
        if processes and chance.random() < 0.05:
            leaving = processes.pop(chance.randrange(len(processes)))
            await ledger.leave_seat(leaving.seat)
        for process in processes:
            process.work(chance)
            if chance.random() < 0.5:
                await process.speak(ledger, ceiling)
        assert sum(process.held for process in processes) <= ceiling
        assert sum(max(p.held, p.share.granted.get("m", 0)) for p in processes) <= ceiling
    # Left alone for two rounds, everybody has his part, and nothing that somebody wants is left over.
    for process in processes:
        process.held = 0
    for _ in range(2):
        for process in processes:
            await process.speak(ledger, ceiling)
    granted = [process.share.granted["m"] for process in processes]
    assert sum(granted) == min(ceiling, sum(process.wanted for process in processes))
    await ledger.close()


async def test_who_joins_waits_until_others_have_given_back_and_the_dead_are_counted_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await Ledger.open(url)
    first, second = Process(seat("a"), wanted=9), Process(seat("b"), wanted=9)
    await first.speak(ledger, 4)
    first.held = 4
    await second.speak(ledger, 4)
    assert (first.share.granted["m"], second.share.granted["m"]) == (4, 0)
    await first.speak(ledger, 4)
    await second.speak(ledger, 4)
    assert (first.share.granted["m"], second.share.granted["m"], second.share.seats) == (2, 0, 2)
    first.held = 3
    await first.speak(ledger, 4)
    await second.speak(ledger, 4)
    assert second.share.granted["m"] == 1
    # The first dies with three jobs in flight: its places are free when they are known to be in other hands, or over.
    started = holders.process_started
    monkeypatch.setattr(seats, "GHOST", seats.timedelta(seconds=0.2))
    await ledger._database.write(
        lambda connection: connection.execute(
            seats.seats.update().where(seats.seats.c.id == "a").values(process_started="long ago")
        )
    )
    assert started(1) is not None
    await second.speak(ledger, 4)
    assert second.share.granted["m"] == 1
    await asyncio.sleep(0.25)
    await second.speak(ledger, 4)
    await second.speak(ledger, 4)
    assert (second.share.granted["m"], second.share.seats) == (4, 1)
    await ledger.close()


async def test_a_limit_that_one_has_met_is_believed_by_all(url: str) -> None:
    ledger = await Ledger.open(url)
    first, second = Process(seat("a"), wanted=9, held=4), Process(seat("b"), wanted=9, held=3)
    other = Process(Seat("c", "jimmy", "another account"), wanted=9)
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
    await second.speak(ledger, 20, size=second.share.granted[ALL] + 1.0, knew=float(second.share.granted[ALL]))
    assert second.share.found == 8.0
    await other.speak(ledger, 20)
    assert (other.share.found, other.share.pause, other.share.seats) == (None, 0.0, 1)
    # When all have gone, nothing is taken for granted.
    await ledger.leave_seat(first.seat)
    await ledger.leave_seat(second.seat)
    await first.speak(ledger, 20)
    assert (first.share.found, first.share.pause) == (None, 0.0)
    await ledger.close()
