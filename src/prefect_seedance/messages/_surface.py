"""The surface: where the person reads a message, and so which words name a setting there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Literal

Surface = Literal["python", "cli", "form"]

_surface: ContextVar[Surface] = ContextVar("seedance_surface", default="python")


def current_surface() -> Surface:
    """The surface whose words are used now."""
    return _surface.get()


@contextlib.contextmanager
def use_surface(surface: Surface) -> Iterator[None]:
    """Word all messages for this surface while the block runs, also in work that is started from it."""
    token = _surface.set(surface)
    try:
        yield
    finally:
        _surface.reset(token)
