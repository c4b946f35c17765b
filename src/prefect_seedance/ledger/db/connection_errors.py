"""Recognises transient errors of a database server: a lost connection, or a transaction that was rolled back."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

__all__ = ["connection_lost", "rolled_back"]

_ROLLED_BACK = frozenset({"40001", "40P01"})
"""SQLSTATEs of a transaction that was rolled back because of a conflict (deadlock): it may be repeated at once."""

_LOST = frozenset({"57P01", "57P02", "57P03", "53300"})
"""SQLSTATEs of a server that was shut down, crashed, is starting, or has no free connection."""

_CONNECTION = "08"
"""The SQLSTATE class of connection exceptions (PostgreSQL documentation, appendix A)."""


def connection_lost(error: BaseException) -> bool:
    """Whether the server could not be reached, or the connection broke."""
    for one in _chain(error):
        if isinstance(one, DBAPIError) and one.connection_invalidated:
            return True
        # A `TimeoutError` is an `OSError` too.
        if isinstance(one, OSError):
            return True
        state = _state(one)
        if state in _LOST or state.startswith(_CONNECTION):
            return True
    return False


def rolled_back(error: BaseException) -> bool:
    """Whether the server rolled the transaction back because of another one."""
    return any(_state(one) in _ROLLED_BACK for one in _chain(error))


def _state(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and the errors of the driver that caused it."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.orig if isinstance(one, DBAPIError) else one.__cause__
