"""Recognises transient errors of a database server: a lost connection, or a transaction that was rolled back."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError

__all__ = ["connection_lost", "rolled_back"]

_ROLLED_BACK = frozenset({"40001", "40P01"})
"""SQLSTATEs of a transaction that was rolled back because of a conflict (deadlock): it may be repeated at once."""

_LOST = frozenset({"57P01", "57P02", "57P03", "53300"})
"""SQLSTATEs of a server that was shut down, crashed, is starting, or has no free connection."""

_BROKEN = frozenset({"InternalClientError", "ProtocolError"})
"""Errors of asyncpg about the state of its own connection: `cannot switch to state 12; another operation is in
progress`. They come where the server ends a connection in the middle of a statement, or while it is being made."""

_BUSY = "another operation is in progress"
"""The same, in the words of asyncpg's `InterfaceError`, which it raises for other mistakes too."""

_CONNECTION = "08"
"""The SQLSTATE class of connection exceptions (PostgreSQL documentation, appendix A)."""


def connection_lost(error: BaseException) -> bool:
    """Whether the server could not be reached, or the connection broke: it is of no more use then."""
    for one in _chain(error):
        if isinstance(one, DBAPIError) and one.connection_invalidated:
            return True
        # A `TimeoutError` is an `OSError` too.
        if isinstance(one, OSError):
            return True
        name = type(one).__name__
        if name in _BROKEN or (name == "InterfaceError" and _BUSY in str(one)):
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
