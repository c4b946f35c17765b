"""Many rows at work at once: places in flight are taken and given back, and a row falls alone (law 4)."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from prefect_seedance.errors import LedgerError, SeedanceError, UserMistake
from prefect_seedance.jobs import creating, downloading, polling
from prefect_seedance.jobs.retry import CREATE, DOWNLOAD, POLL, RetryRule
from prefect_seedance.jobs.row import Row
from prefect_seedance.jobs.session import Session
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.providers import Account, RouteSettings

__all__ = ["PLAIN_STEPS", "Steps", "work"]

log = logging.getLogger(__name__)

DOWNLOADS = 8
"""Downloads at once."""

_FAILED = frozenset({State.REFUSED, State.FAILED, State.EXPIRED, State.UNKNOWN})

Step = Callable[[Row], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Steps:
    """How the three steps of a row are carried out: as Prefect task runs, or plainly."""

    create: Step
    poll: Step
    download: Step


def _retried(step: Callable[[Row], Awaitable[None]], rule: RetryRule) -> Step:
    async def tries(row: Row) -> None:
        tried = 0
        while True:
            tried += 1
            try:
                return await step(row)
            except SeedanceError as error:
                if not rule.again(error, tried):
                    raise
            await asyncio.sleep(rule.delay(tried))

    return tries


PLAIN_STEPS = Steps(
    create=_retried(creating.create, CREATE),
    poll=_retried(polling.poll, POLL),
    download=_retried(downloading.download, DOWNLOAD),
)
"""The steps without Prefect, under the same retry rules."""


async def work(session: Session, rows: Iterable[Row], steps: Steps) -> None:
    """Bring every row as far as it goes. What became of each is in the ledger.

    A row that was paid already comes first. Each route has as many workers as it may have jobs in flight, so no more
    coroutines live than rows in flight, however long the table is.

    Where nothing more can be recorded or kept, or something happens that nobody foresaw, `session.stopped` says so: no
    row is taken after that, and those in flight are brought to their end.
    """
    fetched: asyncio.Queue[Row | None] = asyncio.Queue()
    porters = [asyncio.create_task(_fetch(session, fetched, steps)) for _ in range(DOWNLOADS)]
    try:
        async with asyncio.TaskGroup() as group:
            for settings, queue in _queues(rows):
                for _ in range(min(len(queue), settings.max_in_flight)):
                    group.create_task(_serve(session, settings, queue, steps, fetched))
        for _ in porters:
            fetched.put_nowait(None)
        await asyncio.gather(*porters)
    finally:
        for porter in porters:
            porter.cancel()
        await asyncio.gather(*porters, return_exceptions=True)


def _queues(rows: Iterable[Row]) -> list[tuple[RouteSettings, deque[Row]]]:
    """The rows by route; what was paid already is at the head of each queue."""
    queues: dict[tuple[Account, str], tuple[RouteSettings, deque[Row]]] = {}
    for row in sorted(rows, key=lambda row: row.state in TAKEABLE):
        route = (row.settings.account, row.settings.route.model)
        queues.setdefault(route, (row.settings, deque()))[1].append(row)
    return list(queues.values())


async def _serve(
    session: Session, settings: RouteSettings, queue: deque[Row], steps: Steps, fetched: asyncio.Queue[Row | None]
) -> None:
    limiter = session.channels[settings.account].limiter
    while queue:
        async with limiter.place(settings.route.model, settings.max_in_flight):
            if not queue:
                return
            row = queue.popleft()
            if row.state in TAKEABLE:
                if session.stopped is not None:
                    continue
                await _carried(session, row, steps.create)
            if row.state is State.CREATED:
                await _carried(session, row, steps.poll)
            if row.state in _FAILED:
                session.failed()
        if row.state is State.SUCCEEDED:
            fetched.put_nowait(row)


async def _fetch(session: Session, fetched: asyncio.Queue[Row | None], steps: Steps) -> None:
    while (row := await fetched.get()) is not None:
        await _carried(session, row, steps.download)
        if row.state in _FAILED:
            session.failed()


async def _carried(session: Session, row: Row, step: Step) -> None:
    """Carry out one step of one row; whatever goes wrong is this row's, unless nothing more could be recorded."""
    try:
        await step(row)
    except (LedgerError, UserMistake) as error:
        session.stop(error)
    except SeedanceError as error:
        row.trouble = error
    except Exception as error:
        # Nobody foresaw it, so nobody knows what it would do to the next row: no further money is risked.
        log.exception("Row %s: an error that this program did not foresee", row.key)
        session.stop(error)
