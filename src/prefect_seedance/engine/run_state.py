"""What the steps of a run share: the ledger, the accounts, and the user's limits."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from prefect_seedance.accounts.account_client import AccountClient
from prefect_seedance.ledger import Ledger, MaterialKey, Run
from prefect_seedance.media import Content, MediaAccess, fetch_content
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account

__all__ = ["Contents", "RunState"]


@dataclass(kw_only=True)
class RunState:
    """One run over a batch. Lives on the core loop.

    Attributes:
        ledger: The open ledger.
        run: This run, the holder of its rows.
        take: The take of its rows.
        patience: Seconds that a job is waited for.
        account_clients: The client of each account.
        limits: What the user allows to be spent and to fail.
        media_access: Which files and hosts media may be read from.
        contents: The content of those media, each fetched once.
        locks: Held while a medium is prepared.
        retry_refused: Whether the user asks for refused rows and media to be tried again.
        scratch: A folder for temporary files of the run.
    """

    ledger: Ledger
    run: Run
    take: str
    patience: float
    account_clients: dict[Account, AccountClient]
    limits: RunLimits = field(default_factory=RunLimits)
    media_access: MediaAccess = field(default_factory=MediaAccess)
    contents: Contents = field(init=False)
    locks: dict[MaterialKey, asyncio.Lock] = field(default_factory=dict)
    retry_refused: bool = False
    scratch: Path = field(default_factory=Path)

    def __post_init__(self) -> None:
        self.contents = Contents(self.media_access, self.scratch)


class Contents:
    """The content of local, stored and inline media, each fetched once in a run."""

    def __init__(self, media_access: MediaAccess, scratch: Path) -> None:
        self._media_access = media_access
        self._scratch = scratch
        self._known: dict[str, asyncio.Task[Content]] = {}

    async def of(self, address: str) -> Content:
        """The content behind an address.

        Raises:
            InputError: It cannot be read.
        """
        task = self._known.get(address)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            folder = self._scratch / hashlib.sha256(address.encode()).hexdigest()[:16]
            task = self._known[address] = asyncio.create_task(self._fetch(address, folder))
        return await asyncio.shield(task)

    async def drop(self) -> None:
        """Cancel the fetches in progress."""
        tasks = [task for task in self._known.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, address: str, folder: Path) -> Content:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return await fetch_content(address, self._media_access, folder)
