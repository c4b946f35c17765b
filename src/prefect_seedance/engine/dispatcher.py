"""Works on many rows at once: takes and releases slots in flight; a failed row never affects the others (law 8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from prefect_seedance.accounts.limiter import Limiter
from prefect_seedance.engine.chunks import Chunk
from prefect_seedance.engine.fetch_order import FetchQueue
from prefect_seedance.engine.queues import Queue, Queues
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.step_runner import Step, StepRunner
from prefect_seedance.engine.steps import media
from prefect_seedance.engine.steps.fallback import choose_route, moves_on
from prefect_seedance.errors import InputError, LedgerError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, State

__all__ = ["work"]

log = logging.getLogger(__name__)

DOWNLOADS = 8
"""Downloads at once."""

CHUNK = 250
"""Rows of a chunk."""

AHEAD = 4
"""Rows of a route whose media are prepared while all its slots in flight are taken."""

_FAILED = frozenset({State.REFUSED, State.FAILED, State.EXPIRED, State.UNKNOWN})


async def work(session: Session, rows: Iterable[Row], steps: StepRunner) -> None:
    """Carry every row as far as possible. The result of each row is in the ledger.

    Rows that are paid already come first; of the videos to be downloaded, the one whose link expires first. Each route
    has as many workers as it may have jobs in flight (and a few more that prepare media ahead), so the number of
    coroutines does not grow with the table.

    Where nothing more can be recorded or stored, or after an unforeseen error, `session.stopped` has the reason: no row
    is started after that, and those in flight are finished.
    """
    fetch_queue = FetchQueue()
    downloaders = [asyncio.create_task(_fetch(session, fetch_queue, steps)) for _ in range(DOWNLOADS)]
    try:
        async with asyncio.TaskGroup() as group:
            queues = Queues(rows, AHEAD)
            for queue in queues:
                group.create_task(_route(session, queues, queue, steps, fetch_queue))
        fetch_queue.close(len(downloaders))
        await asyncio.gather(*downloaders)
    finally:
        for downloader in downloaders:
            downloader.cancel()
        await asyncio.gather(*downloaders, return_exceptions=True)


async def _route(session: Session, queues: Queues, queue: Queue, steps: StepRunner, fetch_queue: FetchQueue) -> None:
    """Work on all rows of one route, at once or chunk by chunk, including rows that move here from other routes.

    The next chunk begins when the last row of the one before has been started, so a slow row does not delay it.
    """
    first = 1

    async def serve(chunk: Chunk) -> None:
        await _serve_all(session, queues, queue, chunk, steps, fetch_queue)

    async with asyncio.TaskGroup() as group:
        while await queues.filled(queue):
            rows = queue.take(len(queue.rows) if steps.chunk is None else CHUNK)
            if session.stopped is None or any(row.state not in TAKEABLE for row in rows):
                chunk = Chunk(queue.settings.route.model, first, rows, serve)
                group.create_task(_run_chunk(session, queues, chunk, steps))
                await chunk.drained.wait()
            else:
                for row in rows:
                    await queues.finish(row)
            first += len(rows)


async def _run_chunk(session: Session, queues: Queues, chunk: Chunk, steps: StepRunner) -> None:
    try:
        await (chunk.carry() if steps.chunk is None else steps.chunk(chunk))
    except Exception as error:
        log.exception("%s: an error that this program did not foresee", chunk.name)
        session.stop(error)
        for row in chunk.rows:  # no worker continues them
            await queues.finish(row)
    finally:
        chunk.drained.set()


async def _serve_all(
    session: Session, queues: Queues, queue: Queue, chunk: Chunk, steps: StepRunner, fetch_queue: FetchQueue
) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(min(len(chunk.waiting), queue.settings.max_in_flight + AHEAD)):
            group.create_task(_serve(session, queues, queue, chunk, steps, fetch_queue))


async def _serve(
    session: Session, queues: Queues, queue: Queue, chunk: Chunk, steps: StepRunner, fetch_queue: FetchQueue
) -> None:
    limiter = session.account_clients[queue.settings.account].limiter
    while chunk.waiting:
        async with queue.workers:
            if (row := chunk.take()) is None:
                return
            await _work_on(session, row, steps, limiter)
        if row.fallback.moving:
            await queues.put(row)
            continue
        await queues.finish(row)
        if row.state is State.SUCCEEDED:
            chunk.fetching.append(fetch_queue.put(row))


async def _work_on(session: Session, row: Row, steps: StepRunner, limiter: Limiter) -> None:
    """Work on a row until its job has ended, or until it moves on to another of its routes."""
    if session.stopped is None:
        try:
            stays = await choose_route(row)
        except LedgerError as error:
            session.stop(error)
            return
        if not stays:
            if row.state is State.REFUSED:
                session.count_failure()
            return
    ready = row.state not in TAKEABLE or await _media_ready(session, row, steps)
    if ready and row.state is not State.SUCCEEDED:
        await _in_flight(session, row, steps, limiter)
    if moves_on(row) and session.stopped is not None:
        row.fallback.moving = False  # nothing more is sent: it waits for the next run


async def _in_flight(session: Session, row: Row, steps: StepRunner, limiter: Limiter) -> None:
    """The steps for which a row holds a slot in flight: from before its create until its job has ended."""
    settings = row.settings
    paid = row.state not in TAKEABLE
    if not paid and session.is_over():
        return
    over = session.is_over
    async with limiter.slot(settings.route.model, settings.max_in_flight, paid=paid, over=over) as row.slot:
        if row.state in TAKEABLE:
            if session.stopped is not None:
                return
            await _run_step(session, row, steps.create)
        if row.state is State.CREATED:
            await _run_step(session, row, steps.poll)
        if row.state in _FAILED:
            session.count_failure()


async def _media_ready(session: Session, row: Row, steps: StepRunner) -> bool:
    """Whether all media of a row are prepared; if not, the ledger has the reason and the row is not sent."""
    if session.stopped is None:
        # A missing file is an error of this row only; the run goes on.
        await _run_step(
            session, row, lambda row: media.prepare_media(row, steps.upload, steps.review), fatal=(LedgerError,)
        )
        if row.state in _FAILED:
            session.count_failure()
    return row.sendable is not None and session.stopped is None


async def _fetch(session: Session, fetch_queue: FetchQueue, steps: StepRunner) -> None:
    while (waiting := await fetch_queue.get()) is not None:
        row, done = waiting
        await _run_step(session, row, steps.download)
        if row.state in _FAILED:
            session.count_failure()
        done.set_result(None)


async def _run_step(
    session: Session,
    row: Row,
    step: Step,
    *,
    fatal: tuple[type[SeedanceError], ...] = (LedgerError, InputError),
) -> None:
    """Carry out one step of one row. An error concerns this row only, unless nothing more can be recorded."""
    try:
        await step(row)
    except fatal as error:
        session.stop(error)
    except SeedanceError as error:
        row.trouble = error
    except Exception as error:
        # An unforeseen error may repeat with the next row: no further money is risked.
        log.exception("Row %s: an error that this program did not foresee", row.key)
        session.stop(error)
