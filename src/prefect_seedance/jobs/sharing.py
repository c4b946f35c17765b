"""Sharing an account's limits with other processes, through the ledger: one seat for each process, kept while it works.

What each is told and why the sum never exceeds the ceiling: `ledger/seats.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable

from prefect_seedance.errors import LedgerError
from prefect_seedance.jobs.channel import Channel
from prefect_seedance.ledger import Ledger, Seat, lease

__all__ = ["shared_limits"]

BEAT = 2.0
"""Seconds between two words of a process to the others: so long does who joins wait for its part."""

SOONEST = 0.1
"""Seconds between them at least, where there is news."""


@contextlib.asynccontextmanager
async def shared_limits(ledger: Ledger, channels: Iterable[Channel]) -> AsyncIterator[None]:
    """Share the limits of these accounts with whoever else does, for as long as the block runs."""
    channels = list(channels)
    for channel in channels:
        if not channel.sharers:
            channel.limiter.freeze()
        channel.sharers += 1
    keepers = [
        asyncio.create_task(_keep(ledger, each), name=f"seedance seat {each.account.label}") for each in channels
    ]
    try:
        yield
    finally:
        for channel in channels:
            channel.sharers -= 1
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep(ledger: Ledger, channel: Channel) -> None:
    # Of several runs in this process one speaks for all; the next takes over where it ends.
    async with channel.seat:
        seat = Seat(str(uuid.uuid4()), channel.account.provider, channel.account.label)
        try:
            await _speak(ledger, channel, seat)
        finally:
            if not channel.sharers:
                channel.limiter.alone()
            with contextlib.suppress(LedgerError):
                await ledger.leave_seat(seat)


async def _speak(ledger: Ledger, channel: Channel, seat: Seat) -> None:
    limiter = channel.limiter
    beat = min(BEAT, lease().total_seconds() / 8)
    while True:
        limiter.news.clear()
        # Out of reach: nothing more is put in flight until the others are heard of again.
        with contextlib.suppress(LedgerError):
            limiter.shared(await ledger.sit(seat, limiter.saying()))
        await asyncio.sleep(min(SOONEST, beat))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(limiter.news.wait(), beat)
