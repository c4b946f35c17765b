"""Row events, for the watchers in this process: a progress bar, an artifact, a test."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Listener", "RowEvent", "Watcher", "listening", "watching"]


@dataclass(frozen=True, slots=True)
class RowEvent:
    """A row has changed its state, or its job has made progress.

    Attributes:
        key: The row key.
        state: The state of the row (`ledger.State`), or `held` while another run works on it, or `media`
            while its media are sent to the provider.
        model: The route's model.
        progress: How far the job is, 0 to 1; None where the provider does not report it.
        message: The reason, where there is one.
        job_id: The provider's id of the job, once it is known.
        video: The path or URL of the video, once it is stored.
        provider: The provider of the route; a row may have several routes.
        account: The label of the paying account.
    """

    key: str
    state: str
    model: str
    progress: float | None = None
    message: str | None = None
    job_id: str | None = None
    video: str | None = None
    provider: str | None = None
    account: str | None = None


Watcher = Callable[[RowEvent], None]

_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("seedance_watchers", default=())


@contextlib.contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Call `watcher` with every row event of the runs that are started inside this block.

    It is called on the core loop's thread, so it must be quick and must not wait.
    """
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


Listener = Callable[[str], None]

_listeners: ContextVar[tuple[Listener, ...]] = ContextVar("seedance_listeners", default=())


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` with each notice of the runs that are started inside this block: what a person should know now.

    It is called on the core loop's thread, so it must be quick and must not wait.
    """
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)


def current_listeners() -> tuple[Listener, ...]:
    """The listeners of the calling context."""
    return _listeners.get()


def current_watchers() -> tuple[Watcher, ...]:
    """The watchers of the calling context."""
    return _watchers.get()
