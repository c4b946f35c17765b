"""Queries all jobs of an account, each at its scheduled time, and never one job twice at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prefect_seedance.accounts.polling.forecast import Forecast, Profile
from prefect_seedance.accounts.polling.schedule import Schedule
from prefect_seedance.accounts.polling.watch import OnView, Watch
from prefect_seedance.errors import InvalidResponse, NotFound, RateLimited, SeedanceError, Unreachable
from prefect_seedance.messages import message
from prefect_seedance.providers import JobView

__all__ = ["JobQuery", "Poller", "PollerReport"]

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Queries in flight at once, to begin with. Each idle connection slows every other query down (httpcore scans all of
them each time), so there are no more than needed."""

MOST_AT_ONCE = 48
"""Maximum of queries in flight at once, where fewer fall behind; a client has some fifty connections."""

LATE = 0.2
"""Seconds behind schedule from which on more queries run at once."""

ABSENCE = 600.0
"""Seconds for which a provider has to say without a break that it does not know a job before the waiting row gets this
answer. A provider may not know a job just after it was created, and in the middle of an outage."""

MAX_FAILURES = 8
"""Failed queries of a job in a row after which the waiting row gets the error."""

STREAK = 4
"""Failed queries in a row, over all jobs, after which all queries of the account pause."""

LONGEST_BACKOFF = 60.0

LONGEST_RETRY_AFTER = 3600.0
"""Seconds: a longer Retry-After is cut to this, since results vanish after a day."""

LAST_QUERY = 30.0
"""Seconds in which the last query of a job has to be answered, once the patience is over."""

URGENT = 3600.0
"""Seconds: a link that expires later than that is not urgent."""

MANY = 50
"""Jobs in one query, where the client can query many."""

TRANSIENT = (RateLimited, InvalidResponse, Unreachable)


class JobQuery(Protocol):
    """What the poller needs of a client.

    One that also has `query_many(job_ids) -> Mapping[str, JobView | SeedanceError]` gets many jobs in one query.
    """

    def query(self, job_id: str, /) -> Awaitable[JobView]:
        """The present state of a job."""


@dataclass(frozen=True, slots=True)
class PollerReport:
    """Counts of a poller.

    Attributes:
        asked: Queries so far.
        failed: Those that failed.
        ended: Jobs that were seen to end.
    """

    asked: int
    failed: int
    ended: int


class Poller:
    """Waits for the jobs of one account."""

    def __init__(self, client: JobQuery, advice: float, *, forecast: Forecast | None = None) -> None:
        """A poller over `client`.

        Args:
            client: Asks the provider.
            advice: Seconds between two queries of one job, as the provider's documents advise.
            forecast: What is known of the account's jobs; None starts with an empty one.
        """
        self._client = client
        self._many: Callable[[Sequence[str]], Awaitable[Mapping[str, JobView | SeedanceError]]] | None
        self._many = getattr(client, "query_many", None)
        self.forecast = forecast if forecast is not None else Forecast()
        self._schedule = Schedule(advice, self.forecast)
        self._watches: dict[str, Watch] = {}
        # The jobs that are due, by how long they can wait.
        self._ready: list[tuple[float, int, Watch, float]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._at_once = AT_ONCE
        self._behind = 0.0
        self._not_before = 0.0
        self._streak = 0
        self._closed = False
        self._asked = self._failed = self._ended = 0

    async def wait(
        self,
        job_id: str,
        *,
        pace: float | None,
        patience: float,
        on_view: OnView | None = None,
        profile: Profile | tuple[str, int | None, str | None] | None = None,
        age: float | None = None,
        link_lifetime: float | None = None,
        absence: float = ABSENCE,
    ) -> JobView:
        """Wait until a job has ended, or until `patience` seconds are over.

        Args:
            job_id: The job.
            pace: Seconds between two queries; None lets the poller choose.
            patience: Seconds to wait; the view that is returned after them is not final.
            on_view: Called with every answer.
            profile: Model, duration and resolution: what the job's duration depends on.
            age: Seconds since the job was created; None where that is not known: it may have ended long ago.
            link_lifetime: Seconds that the link of a result is valid at least, counted from the job's creation.
            absence: Seconds for which the provider may not know the job before the wait ends.

        Raises:
            NotFound: The provider has not known the job for `absence` seconds, or when the patience was over.
            SeedanceError: The key is refused, or the provider cannot be reached for a long while.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        watch = self._watches.get(job_id)
        fresh = watch is None
        if watch is None:
            watch = Watch(job_id, Profile(*profile) if profile else None, pace, link_lifetime)
            watch.born = watch.asked = now - (age or 0.0)
            watch.age_known = age is not None
            watch.absence = absence
            self._watches[job_id] = watch
        if now + patience > watch.until:
            watch.until = now + patience
            self._set_watch_timer(watch, watch.until, self._query_last_time)
        answer: asyncio.Future[JobView] = loop.create_future()
        watch.answers.append(answer)
        if on_view is not None:
            watch.listeners.append(on_view)
        if fresh:
            self._schedule.first(watch, now)
            self._set_timer()
        try:
            return await answer
        finally:
            watch.answers.remove(answer)
            if on_view is not None:
                watch.listeners.remove(on_view)
            if not watch.answers and self._watches.get(job_id) is watch:
                del self._watches[job_id]
                if watch.timer is not None:
                    watch.timer.cancel()

    def _set_watch_timer(self, watch: Watch, when: float, then: Callable[[Watch], None]) -> None:
        if watch.timer is not None:
            watch.timer.cancel()
        watch.timer = asyncio.get_running_loop().call_at(when, then, watch)

    def _query_last_time(self, watch: Watch) -> None:
        """The patience is over: query the job once more now, whenever it was due, and then end the wait."""
        now = asyncio.get_running_loop().time()
        self._at(watch, now)
        self._set_watch_timer(watch, now + LAST_QUERY, self._end_wait)

    def _end_wait(self, watch: Watch) -> None:
        if isinstance(watch.last, JobView):
            watch.settle(watch.last)
        else:
            watch.settle(None, watch.last or Unreachable(message("poll.no_answer", job=watch.job_id)))

    def report(self) -> PollerReport:
        """The counts so far."""
        return PollerReport(self._asked, self._failed, self._ended)

    async def close(self) -> None:
        """Stop polling."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._asking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _at(self, watch: Watch, when: float) -> None:
        self._schedule.at(watch, when)
        self._set_timer()

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        when = loop.time() if self._ready and len(self._asking) < self._at_once else self._schedule.next_time()
        if when is None:
            return
        when = max(self._not_before, when)
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._pump)

    def _pump(self) -> None:
        """Start queries for the jobs that are due."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        for watch, due in self._schedule.due(now):
            self._make_ready(watch, due)
        if now >= self._not_before:
            while self._ready and len(self._asking) < self._at_once:
                self._begin()
        self._set_timer()

    def _make_ready(self, watch: Watch, due: float) -> None:
        if watch.answers and not watch.asking:
            expires = due + URGENT if watch.lifetime is None else min(due + URGENT, watch.born + watch.lifetime)
            heapq.heappush(self._ready, (expires, next(self._order), watch, due))

    def _begin(self) -> None:
        task = asyncio.get_running_loop().create_task(self._work(), name="seedance poller")
        self._asking.add(task)
        task.add_done_callback(self._query_ended)

    def _query_ended(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not self._ready:
            self._at_once = max(min(AT_ONCE, self._at_once), self._at_once - 1)
        if self._ready and not self._closed:
            self._set_timer()

    def _next(self) -> list[Watch]:
        """What is queried next: one job, or as many as fit into one query."""
        found: list[Watch] = []
        while self._ready and len(found) < (1 if self._many is None else MANY):
            _, _, watch, due = heapq.heappop(self._ready)
            if watch.answers and not watch.asking:
                self._behind = asyncio.get_running_loop().time() - due
                watch.asking = True
                found.append(watch)
        return found

    async def _work(self) -> None:
        """Query the jobs that are due until none is."""
        loop = asyncio.get_running_loop()
        while loop.time() >= self._not_before and len(self._asking) <= self._at_once and (found := self._next()):
            self._asked += 1
            begun = loop.time()
            try:
                answers: Mapping[str, JobView | SeedanceError]
                if self._many is None:
                    answers = {found[0].job_id: await self._client.query(found[0].job_id)}
                else:
                    answers = await self._many([watch.job_id for watch in found])
            except SeedanceError as error:
                answers = {watch.job_id: error for watch in found}
            except Exception as error:  # noqa: BLE001 - the waiting rows must get any error
                failure = InvalidResponse(message("poll.query_failed", reason=repr(error)))
                for watch in found:
                    watch.asking = False
                    watch.settle(None, failure)
                continue
            for watch in found:
                missing = InvalidResponse(message("poll.job_left_out", job=watch.job_id))
                try:
                    self._answered(watch, answers.get(watch.job_id, missing), begun)
                except Exception as error:
                    log.exception("Job %s: an error that this program did not foresee", watch.job_id)
                    watch.settle(None, InvalidResponse(message("poll.answer_not_processed", reason=repr(error))))

    def _answered(self, watch: Watch, answer: JobView | SeedanceError, begun: float) -> None:
        now = asyncio.get_running_loop().time()
        watch.asking, watch.asked, watch.last = False, now, answer
        if isinstance(answer, NotFound):
            self._absent(watch, answer, now)
        elif isinstance(answer, TRANSIENT):
            self._query_failed(watch, answer, begun)
        elif isinstance(answer, SeedanceError):
            watch.settle(None, answer)
        else:
            self._viewed(watch, answer, now)

    def _absent(self, watch: Watch, answer: NotFound, now: float) -> None:
        """The provider does not know the job: ask again after growing pauses, for as long as the waiters allow."""
        if watch.not_found == 0:
            watch.absent_from = now
        watch.not_found += 1
        answer.lasted = now - watch.absent_from
        ends = watch.absent_from + watch.absence
        if now >= min(ends, watch.until):
            watch.settle(None, answer)
            return
        pause = min(LONGEST_BACKOFF, (watch.pace or 1.0) * 2 ** min(watch.not_found - 1, 16))
        self._at(watch, min(now + pause, ends))

    def _viewed(self, watch: Watch, view: JobView, now: float) -> None:
        watch.not_found = watch.failures = self._streak = 0
        if len(self._ready) > self._at_once and self._behind > LATE:
            self._at_once = min(MOST_AT_ONCE, self._at_once + 1)
        for listener in list(watch.listeners):
            listener(view)
        if view.state.final:
            self._end(watch, view, now)
            return
        before = watch.alive
        watch.seen_running(view, now)
        if watch.profile is not None and watch.age_known:
            self.forecast.passed(watch.profile, before, watch.alive)
        if watch.answers:
            self._schedule.again(watch, now)
            self._set_timer()
        if now >= watch.until:
            watch.settle(view)

    def _end(self, watch: Watch, view: JobView, now: float) -> None:
        self._ended += 1
        if watch.profile is not None and (seconds := watch.length(view, now)) is not None:
            self.forecast.ended(watch.profile, min(watch.alive, seconds), seconds, watch.progress_seen)
            self._schedule.open(watch.profile.model, now)
            self._set_timer()
        watch.settle(view)

    def _query_failed(self, watch: Watch, error: RateLimited | InvalidResponse | Unreachable, begun: float) -> None:
        now = asyncio.get_running_loop().time()
        self._failed += 1
        watch.failures += 1
        delay = min(LONGEST_BACKOFF, (watch.pace or 1.0) * 2 ** min(watch.failures - 1, 6))
        delay *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter keeps several processes apart
        if isinstance(error, RateLimited):
            self._at_once = max(1, self._at_once // 2)
            asked_for = min(LONGEST_RETRY_AFTER, error.retry_after or 0.0)
            delay = max(delay, asked_for)
            self._not_before = max(self._not_before, now + asked_for)
        if begun >= self._not_before:
            # A query that was sent before the last pause says nothing new.
            self._streak += 1
            if self._streak >= STREAK:
                self._not_before = max(self._not_before, now + delay)
        if watch.failures >= MAX_FAILURES or now > watch.until:
            watch.settle(None, error)
        else:
            self._at(watch, now + delay)
