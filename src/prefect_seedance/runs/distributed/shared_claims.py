"""The claims of a shard: a few free rows of each route at a time, from the ledger that all shards share."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence

from prefect_seedance.engine.row import Row
from prefect_seedance.engine.row_loader import HAS_WORK, RowLoader, route_key
from prefect_seedance.engine.run_spec import Parent
from prefect_seedance.engine.session import Session
from prefect_seedance.errors import InputError, LedgerError, RunEnded, SeedanceError, TooManyFailures
from prefect_seedance.ledger import TAKEABLE, Remainder, RouteKey, State
from prefect_seedance.ledger.rows import transitions
from prefect_seedance.ledger.sharing import work_claims
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings

__all__ = ["SharedClaims", "too_many_failures"]

LOOK = 2.0
"""Seconds between two looks at the ledger while there is work: for released rows, and whether to go on."""

AHEAD = 2
"""Rows that are held for each slot in flight."""

FEWEST = 2
"""Minimum of rows of a route that are held."""


class SharedClaims:
    """Free rows of a batch, as many as this process can put in flight soon.

    Args:
        session: The shard's run.
        parent: The run that has offered the rows.

    Attributes:
        counts: How many of the rows that were worked on are in which state.
        number: How often rows were claimed.
    """

    def __init__(self, session: Session, parent: Parent) -> None:
        self.counts: Counter[str] = Counter()
        self.number = 0
        self._session = session
        self._parent = parent
        self._loader = RowLoader(session)
        self._routes = session.context.routes
        self._tried: set[int] = set()
        self._exhausted: set[RouteKey] = set()
        """Routes without free rows at the last look."""
        self._was_exhausted: set[RouteKey] = set()
        """Routes without free rows at the look before: no slot is demanded for them until there are rows again."""
        self._clock = asyncio.get_running_loop().time
        self._looked: float | None = None
        self._look_due = True
        self._failures = 0
        self._busy_at = self._clock()

    async def take(self, held: Sequence[Sequence[Row]]) -> list[Row]:
        """Claim rows of the routes where at most half of the held rows still wait."""
        if self._looked is None and (await self._remainder()).over:
            # A shard that starts late, or is retried by hand, claims nothing for a run that is over.
            self._session.stop(_over())
        overdue = self._looked is None or self._clock() - self._looked >= LOOK
        self._look_due = overdue or not held or self._failed_more()
        wanted = self._wanted(held)
        if self._session.is_over() or not (self._look_due or wanted):
            return []
        return await self._claim(wanted)

    async def finished(self, rows: Sequence[Row]) -> None:
        """Release the unfinished rows of a claim for later runs."""
        self._busy_at = self._clock()
        for row in rows:
            if row.state is State.PLANNED and isinstance(row.trouble, SeedanceError):
                with contextlib.suppress(SeedanceError):
                    await self._session.ledger.write(transitions.put_off, self._session.run, row.id, row.trouble)
            self.counts[row.state.value] += 1
        unfinished = [row for row in rows if row.state in TAKEABLE | {State.CREATED, State.SUCCEEDED}]
        self._tried |= {row.id for row in unfinished if row.state not in TAKEABLE}
        # A job that outlasts the patience is kept: a shard that adopted it would wait as long again.
        freed = [row.id for row in unfinished if row.state is not State.CREATED]
        if freed:
            await self._session.ledger.write(work_claims.release, self._session.run, freed)

    async def more(self, *, busy: bool) -> bool:
        """Look at the batch over all shards, now and then, or where nothing is being worked on."""
        if not self._look_due:
            return True
        self._looked = self._clock()
        session, standing = self._session, await self._remainder()
        if standing.over:
            session.stop(_over())
            return False
        session.failures = self._failures = max(session.failures, standing.failed)
        allowed = session.failures_allowed
        if allowed is not None and standing.failed >= allowed and session.stopped is None:
            session.stop(too_many_failures(standing.failed, session.limits.max_failures))
        if busy:
            return True
        if session.stopped is None and not standing.held and standing.free:
            await self._check_routes()
        if session.stopped is not None or not standing.held:
            return False
        return self._clock() - self._busy_at < session.spec.patience

    def close(self) -> None:
        """Demand no slots for rows that are not claimed any more."""
        for settings in self._routes:
            self._expect(settings, 0)

    async def _check_routes(self) -> None:
        """Say so where rows are left that no shard can make, because its routes are others than those of the parent."""
        free = await self._session.ledger.read(
            work_claims.free_routes, self._session.run, self._session.spec.take, self._parent.run
        )
        mine = {route_key(settings) for settings in self._routes}
        if lost := {route: number for route, number in free.items() if route not in mine}:
            names = [f"{provider}/{account}:{model}" for provider, account, model in sorted(lost)]
            ours = [f"{provider}/{account}:{model}" for provider, account, model in sorted(mine)]
            text = message("run.shard_no_route", rows=sum(lost.values()), routes=names, ours=ours)
            self._session.stop(InputError(text))

    def _failed_more(self) -> bool:
        """Whether a row has failed here that the count over all shards does not include yet."""
        return self._session.failures_allowed is not None and self._session.failures != self._failures

    def _wanted(self, held: Sequence[Sequence[Row]]) -> dict[RouteKey, int]:
        if self._look_due:
            self._was_exhausted |= self._exhausted
            self._exhausted.clear()
        rows = (row for claim in held for row in claim)
        waiting = Counter(route_key(row.settings) for row in rows if row.state in TAKEABLE and row.trouble is None)
        wanted = {}
        for settings in self._routes:
            key, limiter = route_key(settings), self._session.account_clients[settings.account].limiter
            idle = self._session.is_over() or key in self._exhausted | self._was_exhausted
            self._expect(settings, 0 if idle else settings.max_in_flight)
            part = limiter.share_of(settings.route.model)
            full = max(FEWEST, AHEAD * min(settings.max_in_flight, settings.max_in_flight if part is None else part))
            if key not in self._exhausted and waiting[key] <= full // 2:
                wanted[key] = full - waiting[key]
        return wanted

    async def _claim(self, fresh: Mapping[RouteKey, int]) -> list[Row]:
        session = self._session
        taken = await session.ledger.write(
            work_claims.claim,
            session.run,
            session.spec.take,
            parent=self._parent.run,
            fresh=fresh,
            accounts={(each.account.provider, each.account.label) for each in self._routes},
            paid=max(each.max_in_flight for each in self._routes),
            tried=self._tried,
        )
        rows = [row for row in (await self._loader.rows(taken) if taken else []) if row.state in HAS_WORK]
        got = Counter(route_key(row.settings) for row in rows if row.state in TAKEABLE)
        self._exhausted |= {key for key, number in fresh.items() if got[key] < number}
        self._was_exhausted -= fresh.keys() - self._exhausted
        for each in self._routes:
            if route_key(each) in self._exhausted:
                self._expect(each, 0)
        if lost := taken - {row.id for row in rows}:
            self._tried |= lost
            for reason in (self._loader.reasons.get(row_id) for row_id in lost):
                if reason is not None and not isinstance(reason, LedgerError):
                    session.stop(reason)  # it has no access to the output: it can do nothing for any row
            await session.ledger.write(work_claims.release, session.run, lost)
        if rows:
            self.number += 1
            self._busy_at = self._clock()
        return rows

    def _expect(self, settings: RouteSettings, number: int) -> None:
        limiter = self._session.account_clients[settings.account].limiter
        limiter.expect(settings.route.model, settings.max_in_flight, number)

    async def _remainder(self) -> Remainder:
        spec, session = self._session.spec, self._session
        return await session.ledger.read(
            work_claims.remainder, session.run, spec.take, patience=spec.patience, parent=self._parent.run
        )


def too_many_failures(failed: int, allowed: float | None) -> TooManyFailures:
    """The reason why no new rows are started any more."""
    return TooManyFailures(message("run.too_many_failures", failed=failed, allowed=allowed))


def _over() -> RunEnded:
    return RunEnded(message("run.ended"))
