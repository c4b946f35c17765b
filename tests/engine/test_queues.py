"""The order in which finished videos are fetched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from prefect_seedance.engine.queues import FetchQueue

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_the_link_that_ends_first_is_fetched_first():
    rows = [
        SimpleNamespace(
            key=key,
            link_expires_at=None if hours is None else NOW + timedelta(hours=hours),
            proven=key == "was here before",
        )
        for key, hours in (
            ("was here before", -9),
            ("open", None),
            ("week", 168),
            ("day", 24),
            ("open too", None),
            ("dying", -1),
            ("day too", 24),
        )
    ]
    waiting = FetchQueue()
    for row in rows:
        waiting.put(row)
    waiting.close(downloaders=2)
    got = [await waiting.get() for _ in range(9)]
    order = ["dying", "day", "day too", "week", "open", "open too", "was here before"]
    assert [row.key for row, _ in got[:7]] == order
    assert got[7:] == [None, None]
