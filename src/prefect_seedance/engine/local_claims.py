"""The claims of a run that works on its rows by itself: it knows their ids, and waits for those that others hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefect_seedance.core.checkpoints import reached
from prefect_seedance.engine.disk_space import check_space
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.row_loader import HAS_WORK, RowLoader
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.steps.ask_again import ask_again
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.ledger.rows import planning
from prefect_seedance.messages import message

__all__ = ["LocalClaims"]


class LocalClaims:
    """All free rows at once, and then those that other runs release.

    Args:
        session: The run.
        loader: Makes the rows.
        keys: The keys of the wanted rows, by id.
        retry: States from which rows are sent again.
        on_held: Called with the keys of the rows that other runs hold; None does not wait for them.
        order: Sorts the rows of a claim; None leaves them in the order of the table.

    Attributes:
        done: The keys of the rows whose state has changed.
        troubles: By key: why a row is not finished, where its state does not say it.
    """

    def __init__(
        self,
        session: Session,
        loader: RowLoader,
        keys: Mapping[int, str],
        *,
        retry: frozenset[State] = frozenset(),
        on_held: Callable[[Sequence[str]], None] | None = None,
        order: Callable[[Row], Any] | None = None,
    ) -> None:
        self.done: set[str] = set()
        self.troubles: dict[str, str] = {}
        self._session = session
        self._loader = loader
        self._keys = keys
        self._missing = set(keys)
        self._retry = retry
        self._on_held = on_held
        self._order = order
        self._before: dict[int, State] = {}
        self._space_checked = False
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + session.spec.patience

    async def take(self, held: Sequence[Sequence[Row]]) -> list[Row]:
        """Claim all free rows that this run has not claimed yet.

        Raises:
            InputError: Their videos will not fit on the disk. Nothing was spent.
        """
        if held or not self._missing or self._session.is_over():
            return []
        taken = await self._session.ledger.write(planning.claim, self._session.run, self._missing, self._retry)
        reached("rows claimed")
        rows = await self._loader.rows(taken)
        before = {row.id: row.state for row in rows}
        if State.EXPIRED in self._retry:
            rows = await self._asked_again(rows)
        # What another run has just tried is not tried again.
        self._missing, self._retry = self._missing - taken, frozenset()
        self.troubles |= {self._keys[row_id]: error.message for row_id, error in self._loader.reasons.items()}
        if not self._space_checked:
            self._space_checked = True
            for storage in {row.storage for row in rows}:
                mine = [row for row in rows if row.storage is storage]
                await check_space(storage, [row.request for row in mine if row.state in TAKEABLE])
        self._before = before
        found = [row for row in rows if row.state in HAS_WORK]
        return found if self._order is None else sorted(found, key=self._order)

    async def _asked_again(self, rows: list[Row]) -> list[Row]:
        """The rows, after the jobs of those that have expired were asked about."""
        expired = [row for row in rows if row.state is State.EXPIRED]
        await ask_again(expired)
        self.troubles |= {row.key: row.trouble.message for row in expired if row.trouble is not None}
        # What is gone is sent again as the table plans it now, perhaps by another route.
        gone = {row.id for row in expired if row.state is State.PLANNED}
        return [row for row in rows if row.id not in gone] + await self._loader.rows(gone)

    async def finished(self, rows: Sequence[Row]) -> None:
        """Note what has changed."""
        self.done |= {row.key for row in rows if row.state is not self._before[row.id]}
        self.troubles |= {row.key: row.trouble.message for row in rows if row.trouble is not None}

    async def more(self, *, busy: bool) -> bool:
        """Whether other runs hold rows that they may still release within this run's patience."""
        if busy or not self._missing or self._session.is_over() or self._on_held is None:
            return busy
        waiting = [self._keys[row_id] for row_id in sorted(self._missing)]
        if self._clock() > self._until:
            self.troubles |= dict.fromkeys(waiting, str(message("row.still_held")))
            return False
        self._on_held(waiting)
        return True
