"""The portal to the core loop: one loop for all, context is passed on, and an interrupted caller waits."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
import time

import pytest

from prefect_seedance.core.portal import call_core, on_core
from tests.patience import eventually_async, patience

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="none")


async def where() -> tuple[int, str]:
    return id(asyncio.get_running_loop()), word.get()


def test_all_callers_meet_on_one_loop_with_their_own_context() -> None:
    word.set("main")
    seen = [call_core(where), asyncio.run(on_core(where))]

    def elsewhere() -> None:
        word.set("thread")
        seen.append(asyncio.run(on_core(where)))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert len({loop for loop, _ in seen}) == 1
    assert [context for _, context in seen] == ["main", "main", "thread"]


def test_on_the_core_loop_itself_nothing_is_handed_over() -> None:
    async def nested() -> tuple[int, str]:
        return await on_core(where)

    assert call_core(nested) == call_core(where)


def test_synchronous_code_on_the_core_loop_is_told_rather_than_hung() -> None:
    async def wrong() -> object:
        return call_core(where)

    with pytest.raises(AssertionError, match="core loop"):
        call_core(wrong)


def test_errors_come_through() -> None:
    async def fails() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        call_core(fails)
    with pytest.raises(LookupError, match="here"):
        asyncio.run(on_core(fails))


async def test_a_cancelled_caller_waits_until_the_work_has_unwound() -> None:
    begun, unwound = threading.Event(), threading.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.2)
            unwound.set()

    caller = asyncio.create_task(on_core(work))
    await eventually_async(begun.is_set, "the work")
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert unwound.is_set()


def test_an_interrupted_caller_waits_until_the_work_has_unwound() -> None:
    begun, unwound = threading.Event(), threading.Event()
    # A shell starts what it puts into the background deaf to Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    main = threading.main_thread().ident

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.2)
            unwound.set()

    def interrupt() -> None:
        begun.wait(patience())
        time.sleep(0.2)  # the caller waits for the work a moment after that has begun
        signal.pthread_kill(main, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            call_core(work)
    finally:
        signal.signal(signal.SIGINT, before)
    assert unwound.is_set()
