"""Whether the videos that are about to be paid for will fit into the free space of their storage."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterable
from decimal import Decimal

from prefect_seedance.errors import InputError
from prefect_seedance.media import Storage
from prefect_seedance.messages import message
from prefect_seedance.routes import VideoRequest

__all__ = ["check_space", "expected_bytes"]

MEGABITS: dict[str, Decimal] = {
    "480p": Decimal(3),
    "720p": Decimal(6),
    "1080p": Decimal(12),
    "2k": Decimal(20),
    "4k": Decimal(40),
}
"""Megabits per second of a video by its resolution. No document states them: the estimates are high, since a disk that
is full after the money is spent is worse than a run that asks for more space than it uses."""

DEFAULT_RESOLUTION = "1080p"
DEFAULT_SECONDS = 15
"""What is assumed for a request without resolution or duration; no route offers more seconds."""

AT_ONCE = 8
"""Videos that are on this machine at once before they are moved to a store."""


def expected_bytes(request: VideoRequest) -> int:
    """About how large the video of a request will be."""
    rate = MEGABITS.get((request.resolution or DEFAULT_RESOLUTION).lower(), MEGABITS[DEFAULT_RESOLUTION])
    return int(rate * 1_000_000 / 8 * (request.duration or DEFAULT_SECONDS))


async def check_space(storage: Storage, requests: Iterable[VideoRequest]) -> None:
    """Compare the expected size of the videos with the free space.

    Args:
        storage: Where the videos will be stored. A store is assumed to have space; then this machine needs space for
            the videos in transfer.
        requests: The requests that may be sent.

    Raises:
        InputError: The videos will not fit. Nothing was spent.
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
