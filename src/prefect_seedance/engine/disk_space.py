"""Whether the videos that are about to be bought will fit where they are to stand."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable
from decimal import Decimal

from prefect_seedance.errors import InputError
from prefect_seedance.media import Storage
from prefect_seedance.messages import message
from prefect_seedance.routes import VideoRequest

__all__ = ["check_room", "expected_bytes"]

MEGABITS: dict[str, Decimal] = {
    "480p": Decimal(3),
    "720p": Decimal(6),
    "1080p": Decimal(12),
    "2k": Decimal(20),
    "4k": Decimal(40),
}
"""Megabits a second of a video by its resolution. No document tells: a guess on the generous side, since a disk that is
full after the money is spent is worse than a run that asks for some space it will not use."""

ELSE = "1080p"
LONGEST = 15
"""What a request that leaves resolution or length open is taken for; no route sells more seconds."""

AT_ONCE = 8
"""Videos that lie on this machine at once while they are on their way to a store."""


def expected_bytes(request: VideoRequest) -> int:
    """About how large the video of a request will be."""
    rate = MEGABITS.get((request.resolution or ELSE).lower(), MEGABITS[ELSE])
    return int(rate * 1_000_000 / 8 * (request.duration or LONGEST))


async def check_room(storage: Storage, requests: Iterable[VideoRequest]) -> None:
    """Hold what is about to be bought against the space that is left.

    Args:
        storage: Where the videos are to stand. A store has room; there, this machine needs room for those on their way.
        requests: Those that may be sent.

    Raises:
        InputError: They will not fit. Nothing was spent.
    """
    sizes = [expected_bytes(request) for request in requests]
    if not sizes:
        return
    free = await asyncio.to_thread(storage.free_bytes)
    if free is None:
        await asyncio.to_thread(storage.ensure, sum(heapq.nlargest(AT_ONCE, sizes)))
    elif free < sum(sizes):
        raise InputError(
            message(
                "run_limit.no_space",
                videos=len(sizes),
                needed=_gigabytes(sum(sizes)),
                place=storage.shown,
                free=_gigabytes(free),
            ),
            code="no_room",
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.2f}"
