"""Works on many rows at once: takes and releases slots in flight; a failed row never affects the others (law 8)."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Iterable

from prefect_seedance.engine.chunks import Chunk
from prefect_seedance.engine.queues import FetchQueue, Queue, Queues
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.session import FAILED, Session
from prefect_seedance.engine.step_runner import Step, StepRunner
from prefect_seedance.engine.steps import absence
from prefect_seedance.engine.steps.create import pause
from prefect_seedance.engine.steps.fallback import choose_route, gives_up, moves_on
from prefect_seedance.engine.steps.media.prepare import prepare_media
from prefect_seedance.errors import InputError, LedgerError, RoutePaused, SeedanceError
from prefect_seedance.ledger import LEASE_ENDED, TAKEABLE, State
from prefect_seedance.messages import message

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

DOWNLOADS = 8
"""Downloads at once."""

CHUNK = 250
"""Rows of a chunk."""

AHEAD = 4
"""Rows of a route whose media are prepared while all its slots in flight are taken."""


class Dispatcher:
    """Carries rows as far as possible. The result of each row is in the ledger.

    Rows that are paid already come first; of the videos to be downloaded, the one whose link expires first. Each route
    has as many servers as it may have jobs in flight (and a few more that prepare media ahead), so the number of
    coroutines does not grow with the table.

    Where nothing more can be recorded or stored, or after three unforeseen errors alike, `session.stopped` has the
    reason: no row is started after that, and those in flight are finished.

    Args:
        session: The run.
        rows: The rows.
        steps: How their steps are carried out.
    """

    def __init__(self, session: Session, rows: Iterable[Row], steps: StepRunner) -> None:
        self._session = session
        self._steps = steps
        self._queues = Queues(rows, AHEAD)
        self._fetch_queue = FetchQueue()

    async def work(self) -> None:
        """Work on all rows, of all routes."""
        downloaders = [asyncio.create_task(self._fetch()) for _ in range(DOWNLOADS)]
        try:
            async with asyncio.TaskGroup() as group:
                for queue in self._queues:
                    group.create_task(self._route(queue))
            self._fetch_queue.close(len(downloaders))
            await asyncio.gather(*downloaders)
        finally:
            for downloader in downloaders:
                downloader.cancel()
            await asyncio.gather(*downloaders, return_exceptions=True)

    async def carry(self, chunk: Chunk) -> None:
        """Work on the rows of a chunk, their downloads included."""
        servers = min(len(chunk.waiting), chunk.queue.settings.max_in_flight + AHEAD)
        async with asyncio.TaskGroup() as group:
            for _ in range(servers):
                group.create_task(self._serve(chunk))
        if chunk.fetching:
            await asyncio.wait(chunk.fetching)

    async def _route(self, queue: Queue) -> None:
        """Work on all rows of one route, at once or chunk by chunk, including rows that move here from other routes.

        The next chunk begins when the last row of the one before has been started, so a slow row does not delay it.
        """
        first = 1
        async with asyncio.TaskGroup() as group:
            while await self._queues.filled(queue):
                rows = queue.take(len(queue.rows) if self._steps.chunk is None else CHUNK)
                if self._session.stopped is None or any(row.state not in TAKEABLE for row in rows):
                    chunk = Chunk(self, queue, first, rows)
                    group.create_task(self._begin(chunk))
                    await chunk.drained.wait()
                else:
                    for row in rows:
                        await self._queues.finish(row)
                first += len(rows)

    async def _begin(self, chunk: Chunk) -> None:
        try:
            await (self.carry(chunk) if self._steps.chunk is None else self._steps.chunk(chunk))
        except Exception as error:
            log.exception("%s: an error that this program did not foresee", chunk.name)
            self._session.stop(error)
            for row in chunk.rows:  # no server continues them
                await self._queues.finish(row)
        finally:
            chunk.drained.set()

    async def _serve(self, chunk: Chunk) -> None:
        while chunk.waiting:
            async with chunk.queue.servers:
                if (row := chunk.take()) is None:
                    return
                try:
                    await self._work_on(row)
                except Exception as error:  # noqa: BLE001 - it is logged
                    self._unforeseen(row, error)
            if row.fallback.moving:
                await self._queues.put(row)
                continue
            await self._queues.finish(row)
            if row.state is State.SUCCEEDED:
                chunk.fetching.append(self._fetch_queue.put(row))

    async def _work_on(self, row: Row) -> None:
        """Work on a row until its job has ended, or until it moves on to another of its routes."""
        session = self._session
        if session.stopped is None:
            if not await self._at_its_route(row):
                return
            if row.state in TAKEABLE and (reason := self._paused(row)) is not None:
                await self._step(row, functools.partial(pause, error=reason))
                return
        await self._carry_on(row)
        if row.assets_renewed and row.sendable is None and row.state in TAKEABLE and not row.fallback.moving:
            row.trouble = None
            await self._carry_on(row)
        if not moves_on(row):
            return
        if session.stopped is None or row.fallback.exhausted:
            # Decided at once: a row that all its routes have refused counts now, not when its turn comes again.
            row.fallback.moving = await self._at_its_route(row) or row.fallback.moving
        else:
            row.fallback.moving = False  # nothing more is sent: it waits for the next run

    async def _carry_on(self, row: Row) -> None:
        """The steps from its media to the end of its job."""
        ready = row.state not in TAKEABLE or await self._media_ready(row)
        if ready and row.state is not State.SUCCEEDED:
            await self._in_flight(row)

    def _paused(self, row: Row) -> RoutePaused | None:
        """Why this run sends nothing more to the row's route; its media need not be prepared then."""
        return row.account_client.limiter.gate.reason(row.settings.route.model, row.sender)

    async def _at_its_route(self, row: Row) -> bool:
        """Whether a row is at the route to use; see `choose_route`. A row that all have refused counts as failed."""
        try:
            stays = await choose_route(row)
        except LedgerError as error:
            self._cannot_go_on(row, error)
            return False
        except SeedanceError as error:
            row.trouble = error
            stays = False
        if row.state in {State.REFUSED, State.UNKNOWN}:
            self._session.count_failure(row.id)
        return stays

    async def _media_ready(self, row: Row) -> bool:
        """Whether a row needs no media any more, or all are prepared; if not, the ledger has the reason."""
        if self._session.stopped is None:
            # A missing file is an error of this row only; the run goes on.
            await self._step(row, self._prepare, fatal=(LedgerError,))
            if row.state in FAILED:
                self._session.count_failure(row.id)
        return row.state is State.CREATED or (row.sendable is not None and self._session.stopped is None)

    async def _prepare(self, row: Row) -> None:
        await prepare_media(row, self._steps.upload, self._steps.review)

    async def _in_flight(self, row: Row) -> None:
        """The steps for which a row holds a slot in flight: from before its create until its job has ended."""
        session, settings = self._session, row.settings
        paid = row.state not in TAKEABLE
        if not paid and session.is_over():
            return
        limiter, over = row.account_client.limiter, gives_up(row)
        try:
            async with limiter.slot(
                settings.route.model,
                settings.max_in_flight,
                paid=paid,
                over=over,
                sender=None if paid else row.sender,
            ) as row.slot:
                if row.state in TAKEABLE:
                    if session.stopped is not None:
                        return
                    await self._step(row, self._steps.create)
                if row.state is State.CREATED:
                    await self._step(row, self._steps.poll)
                if row.state in FAILED:
                    session.count_failure(row.id)
        except RoutePaused as error:
            await self._step(row, functools.partial(pause, error=error))

    async def _fetch(self) -> None:
        while (waiting := await self._fetch_queue.get()) is not None:
            row, done = waiting
            row.trouble = None
            await self._step(row, self._steps.download)
            if (pause := absence.pause_before_next(row)) is not None:
                # A link may work only some time after the job has ended; the others are fetched meanwhile.
                asyncio.get_running_loop().call_later(pause, self._fetch_queue.put, row, done)
                continue
            if row.state in FAILED:
                self._session.count_failure(row.id)
            done.set_result(None)

    async def _step(
        self, row: Row, step: Step, *, fatal: tuple[type[SeedanceError], ...] = (LedgerError, InputError)
    ) -> None:
        """Carry out one step of one row. An error concerns this row only, unless nothing more can be recorded."""
        try:
            await step(row)
        except fatal as error:
            self._cannot_go_on(row, error)
        except SeedanceError as error:
            row.trouble = error
        except Exception as error:  # noqa: BLE001 - it is logged
            self._unforeseen(row, error)

    def _unforeseen(self, row: Row, error: Exception) -> None:
        """An unforeseen error is that of its row; three alike end the run, since it may repeat with every row."""
        log.error("Row %s: an error that this program did not foresee", row.key, exc_info=error)
        row.fallback.moving = False
        row.trouble = SeedanceError(message("row.unforeseen", reason=f"{type(error).__name__}: {error}"), row=row.key)
        self._session.count_unforeseen(error)

    def _cannot_go_on(self, row: Row, error: SeedanceError) -> None:
        """Stop the run, except where another shard has taken the row over: this one lets go of it, and goes on."""
        if error.code == LEASE_ENDED and self._session.spec.parent is not None:
            log.warning("%s", error)
            row.trouble = error
        else:
            self._session.stop(error)
