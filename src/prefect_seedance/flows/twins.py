"""One coroutine as the function of a synchronous flow, of an asynchronous flow, or of a form.

The coroutine's signature stands once: Prefect reads it through the wrapper, and a type checker follows it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Flow
from prefect.client.schemas.objects import State

from prefect_seedance.core.portal import call_core, on_core
from prefect_seedance.errors import InputError
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.stored_parameters import refuse_secrets
from prefect_seedance.messages import use_surface

__all__ = ["awaited", "blocking", "core_of", "of_form"]

P = ParamSpec("P")
R = TypeVar("R")

Core = Callable[P, Coroutine[Any, Any, R | State[Any]]]
"""What runs on the core loop. Prefect takes a state that it returns as the run's state, and its caller gets the result
or the error of that state."""


def blocking(function: Core[P, R]) -> Callable[P, R]:
    """The function of a synchronous flow."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return cast("R", call_core(lambda: _started(function, *args, **kwargs)))

    return call


def awaited(function: Core[P, R], name: str) -> Callable[P, Coroutine[Any, Any, R]]:
    """The function of an asynchronous flow.

    Args:
        function: The coroutine function.
        name: The name of the flow in its module, by which Prefect finds it again.
    """

    @functools.wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return cast("R", await on_core(lambda: _started(function, *args, **kwargs)))

    call.__name__ = call.__qualname__ = name
    return call


def core_of(flow: Flow[P, R]) -> Core[P, R]:
    """The coroutine function of a flow that was made by `blocking`, for other flows to await on the core loop."""
    return cast("Core[P, R]", inspect.unwrap(flow.fn))


def of_form(function: Core[P, R]) -> Callable[P, R]:
    """The function of a flow that people start from a form: messages name its fields."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with use_surface("form"):
            return cast("R", call_core(lambda: _started(function, *args, **kwargs)))

    return call


async def _started(function: Core[P, R], *args: P.args, **kwargs: P.kwargs) -> R | State[Any]:
    try:
        refuse_secrets()
    except InputError as error:
        return failed(error)
    return await function(*args, **kwargs)
