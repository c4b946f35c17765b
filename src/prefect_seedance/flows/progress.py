"""The progress of a run: a progress artifact, and a line in the log every minute (never one per poll)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

from prefect_seedance.core.events import RowEvent, listening, watching
from prefect_seedance.ledger import State
from prefect_seedance.messages import message
from prefect_seedance.reports.artifacts import ProgressArtifact

__all__ = ["progress_shown"]

ARTIFACT_EVERY = 2.0
LOG_EVERY = 60.0
"""Seconds between two updates of the artifact, and between two lines of the log."""

_UNDER_WAY = frozenset({State.CREATED, State.SENT})
_ENDED = frozenset({State.STORED, State.FAILED, State.REFUSED, State.EXPIRED, State.UNKNOWN, State.DEFERRED})


class _Tally:
    """How far each row is, from 0 to 1."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.shares = dict.fromkeys(keys, 0.0)
        self.states: dict[str, str] = {}
        self.notices: list[str] = []

    def handle(self, event: RowEvent) -> None:
        self.states[event.key] = event.state
        if event.state in _ENDED:
            self.shares[event.key] = 1.0
        elif event.state == State.SUCCEEDED:
            self.shares[event.key] = 0.95
        elif event.state in _UNDER_WAY:
            self.shares[event.key] = max(self.shares.get(event.key, 0.0), 0.05 + 0.85 * (event.progress or 0.0))

    @property
    def percent(self) -> float:
        return 100 * sum(self.shares.values()) / len(self.shares) if self.shares else 100.0

    def line(self) -> str:
        counts: dict[str, int] = {}
        for state in self.states.values():
            counts[state] = counts.get(state, 0) + 1
        text = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
        return f"{self.percent:.0f} % ({text})"


@contextlib.asynccontextmanager
async def progress_shown(
    batch: str, keys: Iterable[str], logger: logging.Logger | logging.LoggerAdapter[Any]
) -> AsyncIterator[None]:
    """Show the progress of the rows of a batch while the block runs."""
    tally = _Tally(keys)
    if not tally.shares:
        yield
        return
    artifact = await ProgressArtifact.create(batch, str(message("run.progress", batch=batch, rows=len(tally.shares))))
    updater = asyncio.create_task(_update(artifact, tally, logger))

    def hear(notice: str) -> None:
        logger.warning(notice)
        tally.notices.append(notice)

    try:
        with watching(tally.handle), listening(hear):
            yield
    finally:
        updater.cancel()
        await asyncio.gather(updater, return_exceptions=True)
    await artifact.update(tally.percent, tally.notices)


async def _update(
    artifact: ProgressArtifact, tally: _Tally, logger: logging.Logger | logging.LoggerAdapter[Any]
) -> None:
    logged = asyncio.get_running_loop().time()
    while True:
        await asyncio.sleep(ARTIFACT_EVERY)
        # A server that is out of reach for a moment must not stop the run: its jobs are paid for.
        with contextlib.suppress(Exception):
            await artifact.update(tally.percent, tally.notices)
        if asyncio.get_running_loop().time() - logged > LOG_EVERY:
            logged = asyncio.get_running_loop().time()
            logger.info("Progress: %s", tally.line())
