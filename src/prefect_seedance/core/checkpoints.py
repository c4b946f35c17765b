"""Named instants of the program, for tests that end it just there.

A promise about crashes is only worth something if it was tried at the very places where a crash hurts. So the real
program says when it comes to one; nobody listens unless a test does.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["INSTANTS", "listen", "reached"]

INSTANTS: tuple[str, ...] = (
    "rows planned",
    "rows claimed",
    "intent written",
    "answer received",
    "job written",
    "job ended",
    "charge written",
    "bytes fetched",
    "video proven",
    "proof written",
    "file renamed",
    "file stored",
    "results written",
)
"""All instants, in the order in which a row comes to them."""

_listener: Callable[[str], None] | None = None


def listen(listener: Callable[[str], None] | None) -> None:
    """Have `listener` called with the name of every instant that is reached; None ends it. For tests."""
    global _listener  # noqa: PLW0603 - one switch for the whole process
    _listener = listener


def reached(name: str) -> None:
    """Say that the program has come to an instant."""
    if _listener is not None:
        _listener(name)
