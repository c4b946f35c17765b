"""The media of a run: each is prepared once for all the rows that use it, and its bytes are fetched once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from prefect_seedance.engine.medium import Medium
from prefect_seedance.errors import OverBudget
from prefect_seedance.ledger import MaterialKey
from prefect_seedance.media import Content, fetch_content
from prefect_seedance.media.storage.folders import make_folder
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes.facts import MediaKind
from prefect_seedance.routes.forms import Form

if TYPE_CHECKING:
    from prefect_seedance.engine.session import Session

__all__ = ["MediaStore"]


class MediaStore:
    """All media of one run. On the core loop only.

    Args:
        session: The run.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._media: dict[tuple[Account, str, str, str, str], Medium] = {}
        self._steps: dict[Medium, asyncio.Task[object]] = {}
        self._contents: dict[str, asyncio.Task[Content]] = {}
        self._locks: dict[MaterialKey, asyncio.Lock] = {}

    def medium(self, settings: RouteSettings, address: str, kind: MediaKind, form: Form) -> Medium:
        """The medium at an address, the same one for all rows of a route."""
        known = (settings.account, settings.route.library, address, kind, form)
        if known not in self._media:
            self._media[known] = Medium(session=self._session, settings=settings, address=address, kind=kind, form=form)
        return self._media[known]

    def lock(self, key: MaterialKey) -> asyncio.Lock:
        """The lock that is held while a medium is prepared."""
        return self._locks.setdefault(key, asyncio.Lock())

    async def once(
        self,
        medium: Medium,
        step: Callable[[Medium], Awaitable[object]],
        extra_reserve: Decimal = Decimal(0),
        *,
        is_probe: bool = False,
    ) -> None:
        """Carry out a medium's step, or wait for the one in progress; an error is raised for all waiters.

        It is carried out again once its reference ends soon, and where it did not fit the budget with another row.

        Args:
            medium: The medium.
            step: Prepares the medium.
            extra_reserve: What budget and limits have to hold in addition: the worst case of the row that needs it.
            is_probe: Whether that row probes a closed account.
        """
        while True:
            task = self._steps.get(medium)
            mine = task is None or task.cancelled() or (task.done() and medium.ends_soon)
            if task is None or mine:
                medium.extra_reserve, medium.is_probe = extra_reserve, is_probe
                task = self._steps[medium] = asyncio.create_task(_run(step, medium), name=f"seedance {medium.name}")
            try:
                await asyncio.shield(task)
            except OverBudget:
                if self._steps.get(medium) is task:
                    del self._steps[medium]
                if mine:
                    raise
            else:
                return

    def forget(self, medium: Medium) -> None:
        """Have a medium prepared again for the next row that needs it."""
        medium.reference, medium.not_found = None, set()
        self._steps.pop(medium, None)

    async def content(self, address: str) -> Content:
        """The content behind an address, fetched once in a run.

        Raises:
            InputError: It cannot be read.
        """
        task = self._contents.get(address)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            folder = self._session.scratch / hashlib.sha256(address.encode()).hexdigest()[:16]
            task = self._contents[address] = asyncio.create_task(self._fetch(address, folder))
        return await asyncio.shield(task)

    async def drop(self) -> None:
        """Cancel what is in progress."""
        for tasks in (list(self._steps.values()), list(self._contents.values())):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, address: str, folder: Path) -> Content:
        await asyncio.to_thread(make_folder, folder)
        return await fetch_content(address, self._session.context.media_access, folder)


async def _run(step: Callable[[Medium], Awaitable[object]], medium: Medium) -> object:
    return await step(medium)
