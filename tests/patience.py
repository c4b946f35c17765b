"""How long a test waits before it calls something hung: a deadline ends a test, and never decides its result."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from prefect_seedance.sandbox import SandboxServer

T = TypeVar("T")

FACTOR = float(os.environ.get("SEEDANCE_TEST_PATIENCE", "1"))
"""All deadlines of the tests are multiplied by it. With 1 they bear a machine with much other work."""


def patience(seconds: float = 120.0) -> float:
    """Seconds to wait for what comes at once on an idle machine; longer work passes a larger number."""
    return seconds * FACTOR


def eventually(condition: Callable[[], T], what: str, *, seconds: float = 120.0, every: float = 0.02) -> T:
    """Wait until `condition` is true, and return what it returned; the test fails after `seconds` of patience."""
    until = time.monotonic() + patience(seconds)
    while not (seen := condition()):
        assert time.monotonic() < until, f"never came: {what}"
        time.sleep(every)
    return seen


async def eventually_async(condition: Callable[[], T], what: str, *, seconds: float = 120.0, every: float = 0.01) -> T:
    """As `eventually`, and the event loop goes on meanwhile."""
    until = time.monotonic() + patience(seconds)
    while not (seen := condition()):
        assert time.monotonic() < until, f"never came: {what}"
        await asyncio.sleep(every)
    return seen


async def settle() -> None:
    """Let the event loop run what is ready, and what follows from it: afterwards who has not moved is waiting."""
    for _ in range(100):
        await asyncio.sleep(0)


def skip(seconds: float) -> None:
    """Put the clock of the running event loop forward: what is due by then happens now."""
    loop = asyncio.get_running_loop()
    now = loop.time
    loop.time = lambda: now() + seconds  # type: ignore[method-assign]


def hasten(sandbox: SandboxServer, seconds: float = 60.0) -> None:
    """Put the clock of a sandbox forward: at its usual speed, all jobs that it has have ended then."""
    clock = sandbox.state.settings.clock
    sandbox.state.settings = replace(sandbox.state.settings, clock=lambda: clock() + seconds)
