"""A task that works in anybody's flow: awaited in an asynchronous one, called plainly in a synchronous one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Task
from prefect.context import FlowRunContext, TaskRunContext
from prefect.utilities.asyncutils import run_coro_as_sync

from prefect_seedance.engine.medium import Medium
from prefect_seedance.engine.row import Row

__all__ = ["AnywhereTask", "anywhere_task", "awaits"]

P = ParamSpec("P")
R = TypeVar("R")


class AnywhereTask(Task[P, R]):
    """An asynchronous task that answers at once where nothing could await it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task: a coroutine in asynchronous code, the answer itself in a synchronous flow or script."""
        coming: Any = super().__call__(*args, **kwargs)
        # Rows and media come from the core loop, which awaits them whatever kind of flow stands around it.
        own = isinstance(next(iter((*args, *kwargs.values())), None), Row | Medium)
        return coming if own or awaits() else run_coro_as_sync(coming)

    def with_options(self, *args: Any, **options: Any) -> AnywhereTask[P, R]:
        """The same task with other options."""
        made = super().with_options(*args, **options)
        made.__class__ = type(self)
        return cast("AnywhereTask[P, R]", made)


def anywhere_task(**options: Any) -> Callable[[Callable[P, R]], AnywhereTask[P, R]]:
    """`@task` for an asynchronous function that synchronous flows may call too."""

    def decorate(function: Callable[P, R]) -> AnywhereTask[P, R]:
        return AnywhereTask(function, **options)

    return decorate


def awaits() -> bool:
    """Whether the caller can await: its task or flow tells, else whether a loop runs (as one does in a notebook)."""
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
