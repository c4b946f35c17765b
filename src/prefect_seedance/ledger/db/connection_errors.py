"""Which of a server's errors pass by: the way to it was lost, or it undid a transaction that stood in another's way."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

__all__ = ["lost", "undone"]

_UNDONE = frozenset({"40001", "40P01"})
"""A transaction that was undone for the sake of another, as in a deadlock: the same one may be run again at once."""

_LOST = frozenset({"57P01", "57P02", "57P03", "53300"})
"""The server was shut down, has crashed, is not up yet, or has no connection to spare."""

_CONNECTION = "08"
"""The class of all that goes wrong with a connection (PostgreSQL documentation, appendix A)."""


def lost(error: BaseException) -> bool:
    """Whether the server was not reached, or the connection to it broke."""
    for one in _chain(error):
        if isinstance(one, DBAPIError) and one.connection_invalidated:
            return True
        # A timeout is an OSError as well.
        if isinstance(one, OSError):
            return True
        state = _state(one)
        if state in _LOST or state.startswith(_CONNECTION):
            return True
    return False


def undone(error: BaseException) -> bool:
    """Whether the server undid the transaction for the sake of another one."""
    return any(_state(one) in _UNDONE for one in _chain(error))


def _state(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what the driver said beneath it."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.orig if isinstance(one, DBAPIError) else one.__cause__
