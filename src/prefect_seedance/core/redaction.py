"""Keeps keys and signed addresses out of logs, and out of what is said about an address.

httpx logs whole addresses, httpcore the headers of answers, drivers of object stores what they sign. Their levels are
the user's own affair, and so are the records of the user's own requests. So nothing is silenced: the records that are
written while this package works are cleaned where they are made, whatever logger and handler they go to.
"""

from __future__ import annotations

import contextlib
import contextvars
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from typing import Any

__all__ = ["bare", "clean", "in_private", "names_parameter", "names_user", "private_logs"]

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+:/{1,3}"  # a path object has made one slash of two
_PASSWORD = re.compile(rf"({_SCHEME})[^\s/?#@:'\"\[\]]*:(?!\d{{1,5}}(?:[/?#\s'\"]|$))[^\s'\"<>]*@")
"""A user and a password, which may hold characters that should have been escaped. A port is no password."""
_USER = re.compile(r"((?:https?|ftps?|wss?|git):/{1,3})[^\s/?#'\"<>]*@", re.IGNORECASE)
"""A user alone, which on the web may be a token; in `abfs://container@account…` it is the name of a folder."""
_QUERY = re.compile(rf"({_SCHEME}[^\s?#'\"<>]*)[?#](?:[^\s'\"<>]|['\"](?=\w))+")
_WHOLE = re.compile(rf"^({_SCHEME}[^?#]*)[?#].*$")
_SPACE = re.compile(r"\s")
_PATH_QUERY = re.compile(r"((?<![\w/:])/[^\s?#'\"<>]*)\?[\w.~%+$-]+=[^\s'\"<>]*")
"""The query of an address without its host, as in the first line of a request or in a `Location`."""
_PARAMETER = re.compile(
    r"([?&;#][\w.~%-]*(?:sig|sign|signature|token|credentials?|secret|passw(?:or)?d|pwd|auth|hmac|key|key_?id|code)=)"
    r"[^\s&'\"<>|*]+",
    re.IGNORECASE,
)
"""A parameter that gives access, in an address without its scheme, or with a misspelt one."""
_INLINE = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+=-]+)*,[^\s'\"<>]{16,}", re.IGNORECASE)
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie|[\w-]*api-key|x-[\w-]*-(?:token|signature|credential))"
    r"(b?['\"]?\s*[:=,]\s*b?['\"]?)[^'\"\r\n]+",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"(?<![A-Za-z])(signature|sig|credentials?|\w*secret(?:_?(?:access)?_?key)?|passw(?:or)?d|api_?key"
    r"|(?:aws_?)?access_?key(?:_?id)?|(?:security|session|access|refresh)?[_-]?token)"
    r"(['\"]?\s*[:=]\s*b?['\"]?)[^\s'\"&,;)}\]]+",
    re.IGNORECASE,
)
_KEY = re.compile(r"(?<![A-Za-z0-9])(?:sk[-_][A-Za-z0-9_-]{6,}|(?:Bearer|Basic)\s+[^\s\"',]{6,})", re.IGNORECASE)


def bare(text: str, mark: str = "") -> str:
    """The text with every address in it without user, password, query and fragment, which may give access.

    Args:
        text: An address, or any text.
        mark: What stands where a query was.
    """
    text = _PARAMETER.sub(r"\1***", text)
    if ":" not in text:
        return text
    text = _INLINE.sub("data:…", text)
    text = _USER.sub(r"\1", _PASSWORD.sub(r"\1", text))
    if _SPACE.search(text) is None:  # one address and nothing else: a quotation mark belongs to it
        text = _WHOLE.sub(rf"\1{mark}", text)
    return _QUERY.sub(rf"\1{mark}", text)


def names_parameter(address: str) -> bool:
    """Whether an address, with or without a scheme, has a parameter whose name says that it gives access."""
    return _PARAMETER.search(address) is not None


def names_user(address: str) -> bool:
    """Whether an address has a password, or on the web a user name, which may be a token."""
    return (_PASSWORD.search(address) or _USER.search(address)) is not None


def clean(text: str) -> str:
    """The text without what gives access: also headers, keys, and signatures outside of an address."""
    text = _PATH_QUERY.sub(r"\1?…", _HEADER.sub(r"\1\2***", bare(text, "?…")))
    return _KEY.sub("***", _NAMED.sub(r"\1\2***", text))


_private: contextvars.ContextVar[bool] = contextvars.ContextVar("seedance_private_logs", default=False)
_lock = threading.Lock()
_OURS = "cleans_private_records"


@contextlib.contextmanager
def private_logs() -> Iterator[None]:
    """While the block runs, log records of this context are cleaned, whoever writes them.

    Tasks and threads that are started within it take it with them where they take their context.
    """
    _install()
    token = _private.set(True)
    try:
        yield
    finally:
        _private.reset(token)


def in_private() -> contextvars.Context:
    """A copy of the current context in which log records are cleaned, for a task."""
    _install()
    context = contextvars.copy_context()
    context.run(lambda: _private.set(True))
    return context


def _install() -> None:
    """Let the factory of log records clean those of this package. Asked for again, since others may set their own."""
    with _lock:
        make = logging.getLogRecordFactory()
        if getattr(make, _OURS, False):
            return

        def made(*args: Any, **kwargs: Any) -> logging.LogRecord:
            record = make(*args, **kwargs)
            if _private.get():
                _clean_record(record)
            return record

        setattr(made, _OURS, True)
        logging.setLogRecordFactory(made)


def _clean_record(record: logging.LogRecord) -> None:
    try:
        said = record.getMessage()
        if (cleaned := clean(said)) != said:
            record.msg, record.args = cleaned, ()
        if record.exc_info and record.exc_info[1] is not None:
            trace = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if (cleaned := clean(trace)) != trace:
                # As text only: handlers that draw the traceback themselves would draw the exception's own words.
                record.exc_info, record.exc_text = None, cleaned
    except Exception:  # noqa: BLE001 - a log record must never stop a request
        record.msg, record.args = "(a record that cannot be written)", ()
        record.exc_info = record.exc_text = None
