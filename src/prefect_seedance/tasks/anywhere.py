"""A task for asynchronous flows, which await it, and for synchronous flows, which call it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Task
from prefect.context import FlowRunContext, TaskRunContext
from prefect.utilities.asyncutils import run_coro_as_sync

__all__ = ["AnywhereTask", "anywhere_task", "awaits"]

P = ParamSpec("P")
R = TypeVar("R")


class AnywhereTask(Task[P, R]):
    """An asynchronous task that returns its result directly where the caller cannot await it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task: returns a coroutine in asynchronous code, the result in a synchronous flow or script."""
        result: Any = super().__call__(*args, **kwargs)
        return result if awaits() else run_coro_as_sync(result)

    def with_options(self, *args: Any, **options: Any) -> AnywhereTask[P, R]:
        """The same task with other options."""
        copied = super().with_options(*args, **options)
        copied.__class__ = type(self)
        return cast("AnywhereTask[P, R]", copied)


def anywhere_task(**options: Any) -> Callable[[Callable[P, R]], AnywhereTask[P, R]]:
    """`@task` for an asynchronous function that synchronous flows may call too."""

    def decorate(function: Callable[P, R]) -> AnywhereTask[P, R]:
        return AnywhereTask(function, **options)

    return decorate


def awaits() -> bool:
    """Whether the caller can await: by its task or flow, else by whether a loop runs (as in a notebook)."""
    inner, outer = TaskRunContext.get(), FlowRunContext.get()
    if inner is not None:
        return inner.task.isasync
    if outer is not None and outer.flow is not None:
        return outer.flow.isasync
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
