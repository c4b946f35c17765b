"""Counts the creates of a run in the output folder, so that an older copy of the ledger is noticed (law 15)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Collection

from prefect_seedance.errors import SeedanceError
from prefect_seedance.ledger import RunFile, heartbeat, remove_run_file, write_run_file
from prefect_seedance.media import Storage
from prefect_seedance.media.storage.local import LocalStorage

__all__ = ["PAUSE", "RunCounter"]

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds between two writes of the file on a disk; in an object store, where each write costs, it is a heartbeat."""


class RunCounter:
    """The number of creates and billed asset requests that a run has sent, in a file of its own.

    The first one leaves only when it is counted there. Later ones are counted soon after, at most once in `pause`
    seconds: so many seconds of creates may be missing in the file of a process that was killed.

    Once the file is there, the files of earlier runs that had ended when this one began are deleted: a ledger that
    knows this run knows all that was committed before it.

    Args:
        folder: The output folder.
        file: What is written, without a number yet.
        ended: The runs whose files the ledger has been compared with, and which had ended.
        pause: Seconds between two writes.
    """

    def __init__(self, folder: Storage, file: RunFile, ended: Collection[str], pause: float | None = None) -> None:
        self._folder = folder
        self._file = file
        self._ended = tuple(ended)
        usual = PAUSE if isinstance(folder, LocalStorage) else heartbeat().total_seconds()
        self._pause = usual if pause is None else pause
        self._sent = 0
        self._written = 0
        self._failed = False
        self._lock = threading.Lock()
        self._more = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    async def count(self) -> None:
        """Count a request that is about to leave.

        Raises:
            InputError: It is the first one, or the last write failed, and the folder does not take the file.
            Unreachable: The same, where the store cannot be reached now.
        """
        self._sent += 1
        if self._written == 0 or self._failed:
            await self._write()
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="seedance run counter")
        self._more.set()

    async def close(self) -> None:
        """Write the last number. A failure is only logged: the run is over, and its ledger has everything."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._written:
            try:
                await self._write()
            except SeedanceError as error:
                log.warning("%s", error)

    async def _keep(self) -> None:
        await asyncio.to_thread(self._remove_ended)
        while True:
            await self._more.wait()
            self._more.clear()
            # Where it fails, the next request waits for a write of its own.
            with contextlib.suppress(SeedanceError):
                await self._write()
            await asyncio.sleep(self._pause)

    async def _write(self) -> None:
        await asyncio.to_thread(self._write_now)

    def _write_now(self) -> None:
        # The number is read under the lock: a write that was left behind by a cancelled task brings no older one.
        with self._lock:
            sent = self._sent
            if sent == self._written:
                return
            try:
                write_run_file(self._folder, self._file.model_copy(update={"attempts": sent}))
            except BaseException:
                self._failed = True
                raise
            self._written, self._failed = sent, False

    def _remove_ended(self) -> None:
        for run in self._ended:
            # Permission to write is enough; a file that stays is read again by the next run.
            with contextlib.suppress(SeedanceError):
                remove_run_file(self._folder, run)
