"""Many rows at work at once: places in flight are taken and given back, and a row falls alone (law 4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from prefect_seedance.accounts.limiter import Limiter
from prefect_seedance.engine.chunks import Chunk, ChunkStep
from prefect_seedance.engine.fetch_order import Fetching
from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.queues import Queue, Queues
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.steps import (
    create as creating,
)
from prefect_seedance.engine.steps import (
    download as downloading,
)
from prefect_seedance.engine.steps import (
    media,
)
from prefect_seedance.engine.steps import (
    poll as polling,
)
from prefect_seedance.engine.steps import (
    review as reviewing,
)
from prefect_seedance.engine.steps import (
    upload as uploading,
)
from prefect_seedance.engine.steps.fallback import given_up, turn
from prefect_seedance.engine.steps.media import MediumStep
from prefect_seedance.engine.steps.retry import CREATE, DOWNLOAD, MEDIUM, POLL, RetryRule
from prefect_seedance.errors import InputError, LedgerError, SeedanceError
from prefect_seedance.ledger import TAKEABLE, State

__all__ = ["PLAIN_STEPS", "StepRunner", "Steps", "work"]

log = logging.getLogger(__name__)

DOWNLOADS = 8
"""Downloads at once."""

CHUNK = 250
"""Rows of a chunk."""

AHEAD = 4
"""Rows of a route whose media are brought into form while its places in flight are taken."""

_FAILED = frozenset({State.REFUSED, State.FAILED, State.EXPIRED, State.UNKNOWN})

Step = Callable[[Row], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Steps:
    """How the steps of a row, and of its media, are carried out: as Prefect task runs, plainly, or chunk by chunk."""

    create: Step
    poll: Step
    download: Step
    upload: MediumStep
    review: MediumStep
    chunk: ChunkStep | None = None
    """Carries a chunk of rows with the other steps; None where all rows of a route are one."""


StepRunner = Callable[[int], Steps]
"""The steps for so many rows."""


Subject = TypeVar("Subject", Row, Medium)


def _retried(
    step: Callable[[Subject], Awaitable[None]], rule: RetryRule
) -> Callable[[Subject], Coroutine[Any, Any, None]]:
    async def tries(subject: Subject) -> None:
        tried = 0
        while True:
            tried += 1
            try:
                return await step(subject)
            except SeedanceError as error:
                if not rule.again(error, tried):
                    raise
            await asyncio.sleep(rule.delay(tried))

    return tries


PLAIN_STEPS = Steps(
    create=_retried(creating.create, CREATE),
    poll=_retried(polling.poll, POLL),
    download=_retried(downloading.download, DOWNLOAD),
    upload=_retried(uploading.upload, MEDIUM),
    review=_retried(reviewing.review, MEDIUM),
)
"""The steps without Prefect, under the same retry rules."""


async def work(session: Session, rows: Iterable[Row], steps: Steps) -> None:
    """Bring every row as far as it goes. What became of each is in the ledger.

    A row that was paid already comes first, and of the videos that wait to be fetched the one whose link ends first.
    Each route has as many workers as it may have jobs in flight (and a few who prepare media ahead), so no more
    coroutines live than rows in flight, however long the table is.

    Where nothing more can be recorded or kept, or something happens that nobody foresaw, `session.stopped` says so: no
    row is taken after that, and those in flight are brought to their end.
    """
    fetched = Fetching()
    porters = [asyncio.create_task(_fetch(session, fetched, steps)) for _ in range(DOWNLOADS)]
    try:
        async with asyncio.TaskGroup() as group:
            queues = Queues(rows, AHEAD)
            for queue in queues:
                group.create_task(_route(session, queues, queue, steps, fetched))
        fetched.close(len(porters))
        await asyncio.gather(*porters)
    finally:
        for porter in porters:
            porter.cancel()
        await asyncio.gather(*porters, return_exceptions=True)


async def _route(session: Session, queues: Queues, queue: Queue, steps: Steps, fetched: Fetching) -> None:
    """All rows of one route: at once, or chunk by chunk; and those that come to it from other routes.

    The next chunk begins when the last row of the one before has been taken up, so a slow row holds up nobody.
    """
    first = 1

    async def serve(chunk: Chunk) -> None:
        await _serve_all(session, queues, queue, chunk, steps, fetched)

    async with asyncio.TaskGroup() as group:
        while await queues.filled(queue):
            rows = queue.take(len(queue.rows) if steps.chunk is None else CHUNK)
            if session.stopped is None or any(row.state not in TAKEABLE for row in rows):
                chunk = Chunk(queue.settings.route.model, first, rows, serve)
                group.create_task(_carry(session, queues, chunk, steps))
                await chunk.drained.wait()
            else:
                for row in rows:
                    await queues.leave(row)
            first += len(rows)


async def _carry(session: Session, queues: Queues, chunk: Chunk, steps: Steps) -> None:
    try:
        await (chunk.carry() if steps.chunk is None else steps.chunk(chunk))
    except Exception as error:
        log.exception("%s: an error that this program did not foresee", chunk.name)
        session.stop(error)
        for row in chunk.rows:  # nobody brings them any further
            await queues.leave(row)
    finally:
        chunk.drained.set()


async def _serve_all(
    session: Session, queues: Queues, queue: Queue, chunk: Chunk, steps: Steps, fetched: Fetching
) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(min(len(chunk.waiting), queue.settings.max_in_flight + AHEAD)):
            group.create_task(_serve(session, queues, queue, chunk, steps, fetched))


async def _serve(session: Session, queues: Queues, queue: Queue, chunk: Chunk, steps: Steps, fetched: Fetching) -> None:
    limiter = session.account_clients[queue.settings.account].limiter
    while chunk.waiting:
        async with queue.members:
            if (row := chunk.take()) is None:
                return
            await _taken_up(session, row, steps, limiter)
        if row.moving:
            await queues.put(row)
            continue
        await queues.leave(row)
        if row.state is State.SUCCEEDED:
            chunk.fetching.append(fetched.put(row))


async def _taken_up(session: Session, row: Row, steps: Steps, limiter: Limiter) -> None:
    """A row whose turn it is, until its job has ended, or until it moves on to another of its routes."""
    if session.stopped is None:
        try:
            stays = await turn(row)
        except LedgerError as error:
            session.stop(error)
            return
        if not stays:
            if row.state is State.REFUSED:
                session.failed()
            return
    ready = row.state not in TAKEABLE or await _media_ready(session, row, steps)
    if ready and row.state is not State.SUCCEEDED:
        await _in_flight(session, row, steps, limiter)
    if given_up(row) and session.stopped is not None:
        row.moving = False  # nothing more is sent: it waits for the next run


async def _in_flight(session: Session, row: Row, steps: Steps, limiter: Limiter) -> None:
    """The part of a row's way for which it holds a place: from before its create until its job has ended."""
    settings = row.settings
    paid = row.state not in TAKEABLE
    if not paid and session.is_over():
        return
    over = session.is_over
    async with limiter.place(settings.route.model, settings.max_in_flight, paid=paid, over=over) as row.place:
        if row.state in TAKEABLE:
            if session.stopped is not None:
                return
            await _carried(session, row, steps.create)
        if row.state is State.CREATED:
            await _carried(session, row, steps.poll)
        if row.state in _FAILED:
            session.failed()


async def _media_ready(session: Session, row: Row, steps: Steps) -> bool:
    """Whether all media of a row are in form; if not, it is told and the row stays behind."""
    if session.stopped is None:
        # A file that is missing is this row's own mistake; the run goes on.
        await _carried(session, row, lambda row: media.deliver(row, steps.upload, steps.review), fatal=(LedgerError,))
        if row.state in _FAILED:
            session.failed()
    return row.sendable is not None and session.stopped is None


async def _fetch(session: Session, fetched: Fetching, steps: Steps) -> None:
    while (waiting := await fetched.get()) is not None:
        row, carried = waiting
        await _carried(session, row, steps.download)
        if row.state in _FAILED:
            session.failed()
        carried.set_result(None)


async def _carried(
    session: Session,
    row: Row,
    step: Step,
    *,
    fatal: tuple[type[SeedanceError], ...] = (LedgerError, InputError),
) -> None:
    """Carry out one step of one row; whatever goes wrong is this row's, unless nothing more could be recorded."""
    try:
        await step(row)
    except fatal as error:
        session.stop(error)
    except SeedanceError as error:
        row.trouble = error
    except Exception as error:
        # Nobody foresaw it, so nobody knows what it would do to the next row: no further money is risked.
        log.exception("Row %s: an error that this program did not foresee", row.key)
        session.stop(error)
