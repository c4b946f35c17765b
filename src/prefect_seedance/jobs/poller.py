"""One scheduler for all jobs of an account: it asks about each of them in its time, and never twice at once."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from prefect_seedance.errors import BrokenAnswer, Gone, RateLimited, SeedanceError, Unreachable
from prefect_seedance.jobs.forecast import Forecast, Profile
from prefect_seedance.jobs.watch import OnView, Pool, Watch, rest
from prefect_seedance.providers import JobView

__all__ = ["Asker", "Poller", "PollerReport"]

log = logging.getLogger(__name__)

SHORTEST = 0.25
"""Seconds: the closest that we ask about one job again, unless the user sets another pace."""

AT_ONCE = 16
"""Questions in flight at once, to begin with."""

MOST_AT_ONCE = 48
"""Questions in flight at once when more are due than get through; a client has some fifty connections."""

GONE_TIMES = 3
"""A provider may not know a job in the moment after it made it; only so many answers in a row are believed."""

TROUBLES = 8
"""Failed questions in a row after which the waiting row is told."""

STREAK = 4
"""Failed questions in a row, whatever the job, after which the account is left in peace for a while."""

LONGEST_BACKOFF = 60.0

LONGEST_RETRY_AFTER = 3600.0
"""Seconds: whoever asks for more is asked again after that; results vanish after a day."""

FAREWELL = 30.0
"""Seconds in which the last question about a job is to be answered, once the patience is over."""

SOON = 3600.0
"""Seconds: a link that dies later than that is not in a hurry."""

EARLY = 16
"""One job in so many is asked about at half the usual age: else it was never seen that jobs have become quicker."""

MANY = 50
"""Jobs in one question, where the client can ask about many."""

PASSING = (RateLimited, BrokenAnswer, Unreachable)


class Asker(Protocol):
    """What the poller needs of a client.

    One that also has `query_many(job_ids) -> Mapping[str, JobView | SeedanceError]` is asked about many jobs at once.
    """

    def query(self, job_id: str, /) -> Awaitable[JobView]:
        """Ask how a job is doing."""


@dataclass(frozen=True, slots=True)
class PollerReport:
    """How the poller has done so far: `asked` questions, of which `failed` failed, about `ended` jobs that ended."""

    asked: int
    failed: int
    ended: int


class Poller:
    """Waits for the jobs of one account."""

    def __init__(self, client: Asker, advice: float, *, forecast: Forecast | None = None) -> None:
        """A poller over `client`.

        Args:
            client: Asks the provider.
            advice: Seconds between two queries of one job, as the provider's documents advise.
            forecast: What is known of the account's jobs; a new one is ignorant.
        """
        self._client = client
        self._many: Callable[[Sequence[str]], Awaitable[Mapping[str, JobView | SeedanceError]]] | None
        self._many = getattr(client, "query_many", None)
        self._advice = advice
        self.forecast = forecast if forecast is not None else Forecast()
        self._watches: dict[str, Watch] = {}
        self._pools: dict[Profile, Pool] = {}
        # The future, by time; and what is due already, by how long it can wait.
        self._later: list[tuple[float, int, Watch | Pool]] = []
        self._ready: list[tuple[float, int, Watch]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._at_once = AT_ONCE
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
    ) -> JobView:
        """Wait until a job has ended, or until `patience` seconds are over.

        Args:
            job_id: The job.
            pace: Seconds between two queries; None lets the poller choose.
            patience: Seconds to wait; the view that is returned then is not final.
            on_view: Called with every answer.
            profile: Model, duration and resolution: what the job's length hangs on.
            age: Seconds since the job was created; None where that is not known: it may have ended long ago.
            link_lifetime: Seconds that the link of a result lives at least, counted from the job's creation.

        Raises:
            Gone: The provider does not know the job, several times in a row.
            SeedanceError: The key is refused, or the provider cannot be reached for a long while.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        watch = self._watches.get(job_id)
        fresh = watch is None
        if watch is None:
            watch = Watch(job_id, Profile(*profile) if profile else None, pace, link_lifetime)
            watch.born = watch.asked = now - (age or 0.0)
            watch.exact = age is not None
            self._watches[job_id] = watch
        if now + patience > watch.until:
            watch.until = now + patience
            self._ring(watch, watch.until, self._last_call)
        answer: asyncio.Future[JobView] = loop.create_future()
        watch.answers.append(answer)
        if on_view is not None:
            watch.listeners.append(on_view)
        if fresh:
            self._first(watch, now)
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

    def _ring(self, watch: Watch, when: float, then: Callable[[Watch], None]) -> None:
        if watch.timer is not None:
            watch.timer.cancel()
        watch.timer = asyncio.get_running_loop().call_at(when, then, watch)

    def _last_call(self, watch: Watch) -> None:
        """The patience is over: whatever its turn was, the job is asked about once more, and then let go."""
        now = asyncio.get_running_loop().time()
        watch.due = now
        heapq.heappush(self._later, (now, next(self._order), watch))
        self._set_timer()
        self._ring(watch, now + FAREWELL, self._let_go)

    def _let_go(self, watch: Watch) -> None:
        if isinstance(watch.last, JobView):
            watch.settle(watch.last)
        else:
            silent = f"Nothing could be learned of job {watch.job_id} in the time that the run waits for it."
            watch.settle(None, watch.last or Unreachable(silent))

    def report(self) -> PollerReport:
        """How it has done so far."""
        return PollerReport(self._asked, self._failed, self._ended)

    async def close(self) -> None:
        """Stop asking."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._asking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _first(self, watch: Watch, now: float) -> None:
        if watch.pace is not None:
            self._at(watch, now + watch.pace)
        elif not watch.exact:
            self._at(watch, now)
        elif watch.profile is not None and watch.profile.model and self.forecast.knows(watch.profile):
            age = now - watch.born
            planned = self.forecast.next_age(watch.profile, age) or age
            if next(self._order) % EARLY == 0:
                planned = max(age, planned / 2)
            self._at(watch, watch.born + planned)
        else:
            self._pool(watch, now)

    def _plan(self, watch: Watch, now: float) -> None:
        """Say when a job that is still running is asked about next."""
        if watch.pace is not None:
            self._at(watch, now + watch.pace)
            return
        profile = watch.profile or Profile("")
        planned = self.forecast.next_age(profile, watch.alive, watch.told) if watch.exact else None
        if planned is not None:
            self._at(watch, max(now + SHORTEST, watch.born + planned))
        elif self.forecast.knows(profile) or not watch.exact:
            self._at(watch, now + max(1.0, min(self._advice, (now - watch.born) / 6)))
        else:
            self._pool(watch, now)

    def _at(self, watch: Watch, when: float) -> None:
        watch.due = when
        heapq.heappush(self._later, (when, next(self._order), watch))
        self._set_timer()

    def _pool(self, watch: Watch, now: float) -> None:
        """Nothing can be foreseen of this job yet: it takes its turn with the others of its kind."""
        kind = watch.profile or Profile("")
        pool = self._pools.setdefault(kind, Pool())
        pool.add(watch)
        if pool.due is None:
            self._turn(pool, now)

    def _turn(self, pool: Pool, now: float) -> None:
        pool.due = pool.next_due(now, self._advice)
        if pool.due is not None:
            heapq.heappush(self._later, (pool.due, next(self._order), pool))
            self._set_timer()

    def _open(self, model: str, now: float) -> None:
        """The first job of a model has ended: now there is something to plan by."""
        for kind in [kind for kind in self._pools if kind.model == model]:
            pool = self._pools.pop(kind)
            pool.due = None
            for watch in pool.members():
                self._plan(watch, now)

    def _set_timer(self) -> None:
        loop = asyncio.get_running_loop()
        if self._ready and len(self._asking) < self._at_once:
            when = loop.time()
        elif self._later:
            when = self._later[0][0]
        else:
            return
        when = max(self._not_before, when)
        if self._timer is not None:
            if self._timer.when() <= when:
                return
            self._timer.cancel()
        self._timer = loop.call_at(when, self._pump)

    def _pump(self) -> None:
        """Hand what is due to those who ask."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._later and self._later[0][0] <= now:
            when, _, item = heapq.heappop(self._later)
            if item.due != when:
                continue  # it was planned anew since
            if isinstance(item, Watch):
                item.due = None
                self._hand_over(item, when)
            else:
                self._next_turn(item, now)
        if now >= self._not_before:
            while self._ready and len(self._asking) < self._at_once:
                self._begin()
        self._set_timer()

    def _next_turn(self, pool: Pool, now: float) -> None:
        watch = pool.take(now, self._advice)
        if watch is None:
            self._turn(pool, now)
        else:
            self._hand_over(watch, now)
            self._turn(pool, now + rest(now - watch.born))

    def _hand_over(self, watch: Watch, due: float) -> None:
        if watch.answers and not watch.asking:
            dies = due + SOON if watch.lifetime is None else min(due + SOON, watch.born + watch.lifetime)
            heapq.heappush(self._ready, (dies, next(self._order), watch))

    def _begin(self) -> None:
        task = asyncio.get_running_loop().create_task(self._work(), name="seedance poller")
        self._asking.add(task)
        task.add_done_callback(self._rested)

    def _rested(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if self._ready and not self._closed:
            self._set_timer()

    def _next(self) -> list[Watch]:
        """What is asked about next: one job, or as many as fit into one question."""
        found: list[Watch] = []
        while self._ready and len(found) < (1 if self._many is None else MANY):
            watch = heapq.heappop(self._ready)[2]
            if watch.answers and not watch.asking:
                watch.asking = True
                found.append(watch)
        return found

    async def _work(self) -> None:
        """Ask about what is due, as long as anything is."""
        loop = asyncio.get_running_loop()
        while loop.time() >= self._not_before and len(self._asking) <= self._at_once and (found := self._next()):
            self._asked += 1
            begun = loop.time()
            try:
                heard: Mapping[str, JobView | SeedanceError]
                if self._many is None:
                    heard = {found[0].job_id: await self._client.query(found[0].job_id)}
                else:
                    heard = await self._many([watch.job_id for watch in found])
            except SeedanceError as error:
                heard = {watch.job_id: error for watch in found}
            except Exception as error:  # noqa: BLE001 - whatever it is, the rows that wait must hear of it
                failure = BrokenAnswer(f"The query failed inside this program: {error!r}")
                for watch in found:
                    watch.asking = False
                    watch.settle(None, failure)
                continue
            for watch in found:
                missing = BrokenAnswer(f"The answer about many jobs leaves out {watch.job_id}.")
                try:
                    self._heard(watch, heard.get(watch.job_id, missing), begun)
                except Exception as error:
                    log.exception("Job %s: an error that this program did not foresee", watch.job_id)
                    watch.settle(None, BrokenAnswer(f"The answer could not be taken in: {error!r}"))

    def _heard(self, watch: Watch, told: JobView | SeedanceError, begun: float) -> None:
        now = asyncio.get_running_loop().time()
        watch.asking, watch.asked, watch.last = False, now, told
        if isinstance(told, Gone):
            watch.gone += 1
            if watch.gone >= GONE_TIMES:
                watch.settle(None, told)
            else:
                self._at(watch, now + (watch.pace or 1.0))
        elif isinstance(told, PASSING):
            self._trouble(watch, told, begun)
        elif isinstance(told, SeedanceError):
            watch.settle(None, told)
        else:
            self._viewed(watch, told, now)

    def _viewed(self, watch: Watch, view: JobView, now: float) -> None:
        watch.gone = watch.troubles = self._streak = 0
        if len(self._ready) > self._at_once:
            self._at_once = min(MOST_AT_ONCE, self._at_once + 1)
        for listener in list(watch.listeners):
            listener(view)
        if view.state.final:
            self._end(watch, view, now)
            return
        before = watch.alive
        watch.heard(view, now)
        if watch.profile is not None and watch.exact:
            self.forecast.passed(watch.profile, before, watch.alive)
        if watch.answers:
            self._plan(watch, now)
        if now >= watch.until:
            watch.settle(view)

    def _end(self, watch: Watch, view: JobView, now: float) -> None:
        self._ended += 1
        if watch.profile is not None and (seconds := watch.length(view, now)) is not None:
            self.forecast.ended(watch.profile, min(watch.alive, seconds), seconds, watch.told)
            if watch.profile.model in {kind.model for kind in self._pools}:
                self._open(watch.profile.model, now)
        watch.settle(view)

    def _trouble(self, watch: Watch, error: RateLimited | BrokenAnswer | Unreachable, begun: float) -> None:
        now = asyncio.get_running_loop().time()
        self._failed += 1
        watch.troubles += 1
        delay = min(LONGEST_BACKOFF, (watch.pace or 1.0) * 2 ** min(watch.troubles - 1, 6))
        delay *= random.uniform(0.5, 1.0)  # noqa: S311 - a little luck keeps several processes apart
        if isinstance(error, RateLimited):
            self._at_once = max(1, self._at_once // 2)
            asked_for = min(LONGEST_RETRY_AFTER, error.retry_after or 0.0)
            delay = max(delay, asked_for)
            self._not_before = max(self._not_before, now + asked_for)
        if begun >= self._not_before:
            # What was on its way before the last pause says nothing new.
            self._streak += 1
            if self._streak >= STREAK:
                self._not_before = max(self._not_before, now + delay)
        if watch.troubles >= TROUBLES or now > watch.until:
            watch.settle(None, error)
        else:
            self._at(watch, now + delay)
