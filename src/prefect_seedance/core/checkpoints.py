"""Named points in the program at which tests can kill the process.

A guarantee about crashes has to be tested at the points where a crash does harm. The program reports each point that
it reaches; without a listener, which only tests install, the report has no effect.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CHECKPOINTS", "listen", "reached"]

CHECKPOINTS: tuple[str, ...] = (
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
"""All checkpoints, in the order in which a row reaches them."""

_listener: Callable[[str], None] | None = None


def listen(listener: Callable[[str], None] | None) -> None:
    """Call `listener` with the name of every checkpoint that is reached; None removes the listener. For tests."""
    global _listener  # noqa: PLW0603 - one switch for the whole process
    _listener = listener


def reached(name: str) -> None:
    """Report that the program has reached a checkpoint."""
    if _listener is not None:
        _listener(name)
