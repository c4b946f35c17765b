"""The one event loop of a process that owns clients, pollers and limiters, and the portal into it.

Callers are synchronous flows, asynchronous flows, and threads of a task runner that each have their own loop. An HTTP
client and a limiter belong to one loop only, so all their work happens on this one.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from prefect_seedance.core.redaction import in_private

__all__ = ["GRACE", "call_core", "on_core"]

T = TypeVar("T")

GRACE = 25.0
"""Seconds that a cancelled run gets to end in order: it waits for the answers to its creates and releases its rows."""

_lock = threading.Lock()
_owner: tuple[int, asyncio.AbstractEventLoop] | None = None


def _core() -> asyncio.AbstractEventLoop:
    """The core loop of this process; after a fork the child gets its own."""
    global _owner  # noqa: PLW0603 - one loop per process is the point
    with _lock:
        if _owner is None or _owner[0] != os.getpid():
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="seedance core", daemon=True).start()
            _owner = (os.getpid(), loop)
        return _owner[1]


async def on_core(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await `work()` on the core loop, from any loop. The caller's context variables are passed along."""
    core = _core()
    if asyncio.get_running_loop() is core:
        return await work()
    call = _PortalCall(core, work)
    answer: asyncio.Future[T] = asyncio.wrap_future(call.future)
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        call.cancel()
        with contextlib.suppress(BaseException):
            await asyncio.wait_for(asyncio.shield(answer), GRACE)
        raise


def call_core(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `work()` on the core loop and wait for it, from synchronous code.

    An interruption of the wait (Ctrl-C, a worker's termination signal) cancels the work and waits until it has ended
    in order; a second interruption returns at once.
    """
    core = _core()
    with contextlib.suppress(RuntimeError):
        if asyncio.get_running_loop() is core:
            raise AssertionError("Synchronous code of this package was called on its own core loop.")
    call = _PortalCall(core, work)
    try:
        answer: T = call.future.result()
    except BaseException:
        if not call.future.done():
            call.cancel()
            concurrent.futures.wait([call.future], timeout=GRACE)
        raise
    return answer


class _PortalCall:
    """A call from another thread or loop that runs on the core loop."""

    def __init__(self, core: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.future: concurrent.futures.Future[Any] = concurrent.futures.Future()
        self._core = core
        self._work = work
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        # call_soon_threadsafe passes the caller's context, and the task copies it: Prefect finds its run there.
        core.call_soon_threadsafe(self._start)

    def cancel(self) -> None:
        """Ask the work to stop; `future` is done once it has unwound."""
        self._core.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        # All that the package does happens in here, so all log records of it are cleaned, those of libraries too.
        self._task = self._core.create_task(self._work(), context=in_private())
        self._task.add_done_callback(self._finish)
        if self._cancelled:
            self._task.cancel()

    def _finish(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self.future.set_exception(concurrent.futures.CancelledError())
        elif (error := task.exception()) is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(task.result())
