"""One scheduler for all jobs of an account: it asks about each of them in its time, and never twice at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from prefect_seedance.errors import BrokenAnswer, Gone, RateLimited, SeedanceError, Unreachable
from prefect_seedance.providers import JobState, JobView, ProviderClient

__all__ = ["Poller"]

SHORTEST = 1.0
"""Seconds: the closest that we ask about one job, unless the user sets another pace."""

AT_ONCE = 16
"""Queries in flight at once."""

GONE_TIMES = 3
"""A provider may not know a job in the moment after it made it; only so many answers in a row are believed."""

TROUBLES = 8
"""Failed queries in a row after which the waiting row is told."""

LONGEST_BACKOFF = 60.0

_FINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED})

OnView = Callable[[JobView], None]


@dataclass(slots=True)
class _Watch:
    """One job that is waited for."""

    job_id: str
    pace: float | None
    started: float
    until: float
    answers: list[asyncio.Future[JobView]] = field(default_factory=list)
    listeners: list[OnView] = field(default_factory=list)
    gone: int = 0
    troubles: int = 0
    asked: bool = False


class Poller:
    """Waits for the jobs of one account."""

    def __init__(self, client: ProviderClient, advice: float) -> None:
        """A poller over `client`.

        Args:
            client: Asks the provider.
            advice: Seconds between two queries of one job, as the provider's documents advise.
        """
        self._client = client
        self._advice = advice
        self._watches: dict[str, _Watch] = {}
        self._due: list[tuple[float, int, _Watch]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._scheduler: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._not_before = 0.0

    async def wait(self, job_id: str, *, pace: float | None, patience: float, on_view: OnView | None = None) -> JobView:
        """Wait until a job has ended, or until `patience` seconds are over.

        Args:
            job_id: The job.
            pace: Seconds between two queries; None lets the poller choose.
            patience: Seconds to wait; the view that is returned then is not final.
            on_view: Called with every answer.

        Raises:
            Gone: The provider does not know the job, several times in a row.
            SeedanceError: The key is refused, or the provider cannot be reached for a long while.
        """
        loop = asyncio.get_running_loop()
        watch = self._watches.get(job_id)
        if watch is None:
            watch = _Watch(job_id, pace, started=loop.time(), until=loop.time() + patience)
            self._watches[job_id] = watch
            self._schedule(watch, self._first(watch))
        watch.until = max(watch.until, loop.time() + patience)
        answer: asyncio.Future[JobView] = loop.create_future()
        watch.answers.append(answer)
        if on_view is not None:
            watch.listeners.append(on_view)
        try:
            return await answer
        finally:
            watch.answers.remove(answer)
            if on_view is not None:
                watch.listeners.remove(on_view)
            if not watch.answers:
                self._watches.pop(job_id, None)

    async def close(self) -> None:
        """Stop asking."""
        tasks = [task for task in (self._scheduler, *self._asking) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _first(self, watch: _Watch) -> float:
        # A job that was just created cannot be done; one that is picked up again may have been for hours.
        return watch.pace if watch.pace is not None else SHORTEST

    def _schedule(self, watch: _Watch, delay: float) -> None:
        loop = asyncio.get_running_loop()
        heapq.heappush(self._due, (loop.time() + delay, next(self._order), watch))
        self._wake.set()
        if self._scheduler is None or self._scheduler.done():
            self._scheduler = loop.create_task(self._run(), name="seedance poller")

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._due:
            wait = max(self._due[0][0], self._not_before) - loop.time()
            if wait > 0:
                self._wake.clear()
                await _either(self._wake, wait)
                continue
            await self._places.acquire()
            watch = heapq.heappop(self._due)[2] if self._due else None
            if watch is None or not watch.answers:
                self._places.release()
                continue
            task = loop.create_task(self._ask(watch))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _ask(self, watch: _Watch) -> None:
        try:
            view = await self._client.query(watch.job_id)
        except Gone as error:
            watch.gone += 1
            if watch.gone >= GONE_TIMES:
                self._tell_error(watch, error)
            else:
                self._schedule(watch, self._pace(watch))
        except (RateLimited, BrokenAnswer, Unreachable) as error:
            self._trouble(watch, error)
        except SeedanceError as error:
            self._tell_error(watch, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the rows that wait must hear of it
            self._tell_error(watch, BrokenAnswer(f"The query failed inside this program: {error!r}"))
        else:
            self._heard(watch, view)
        finally:
            self._places.release()

    def _heard(self, watch: _Watch, view: JobView) -> None:
        watch.gone = watch.troubles = 0
        for listener in list(watch.listeners):
            listener(view)
        pace = self._pace(watch)
        if view.state in _FINAL or asyncio.get_running_loop().time() + pace > watch.until:
            for answer in watch.answers:
                if not answer.done():
                    answer.set_result(view)
        else:
            self._schedule(watch, pace)

    def _trouble(self, watch: _Watch, error: RateLimited | BrokenAnswer | Unreachable) -> None:
        loop = asyncio.get_running_loop()
        watch.troubles += 1
        if watch.troubles >= TROUBLES or loop.time() > watch.until:
            self._tell_error(watch, error)
            return
        delay = min(LONGEST_BACKOFF, self._pace(watch) * 2 ** min(watch.troubles - 1, 6))
        if isinstance(error, RateLimited):
            delay = max(delay, error.retry_after or 0.0)
            self._not_before = max(self._not_before, loop.time() + (error.retry_after or 0.0))
        self._schedule(watch, delay)

    def _tell_error(self, watch: _Watch, error: SeedanceError) -> None:
        for answer in watch.answers:
            if not answer.done():
                answer.set_exception(error)

    def _pace(self, watch: _Watch) -> float:
        if watch.pace is not None:
            return watch.pace
        # A job that has run for long is asked about less often, up to the pace that the provider advises.
        waited = asyncio.get_running_loop().time() - watch.started
        return max(SHORTEST, min(self._advice, waited / 6))


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
