"""Jimmy AI's envelope: where the fields of an answer are, and the meaning of an error in it.

Sources: see `dialect.py`. Error codes beyond success are known from client code only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect_seedance.providers import reading
from prefect_seedance.providers.error_body import DOUBTFUL_STATUSES, ErrorBody, ErrorKind, kind_of_text

API = "/api/open-api/v1"
SUCCESS = frozenset({"0", "20000", "200"})
_DOCUMENTED = {"20001": ErrorKind.KEY, "20002": ErrorKind.REFUSED}
_HTTP_LIKE = {
    "401": ErrorKind.KEY,
    "402": ErrorKind.FUNDS,
    "403": ErrorKind.KEY,
    "404": ErrorKind.GONE,
    "429": ErrorKind.LIMITED,
}


def unwrapped(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields inside the envelope; older pages show the same fields without one."""
    data = body.get("data")
    return data if isinstance(data, dict) and data else body


def error_body_of(body: Mapping[str, Any] | None) -> ErrorBody | None:
    """Read the error envelope: a code that is not success, and a text in `msg`. None where it is no error."""
    code = reading.scalar(body.get("code")) if body is not None else None
    if body is None or code is None or code in SUCCESS:
        return None
    text = _message(body)
    return ErrorBody(_kind(code, text), (code,), text)


def _kind(code: str, text: str) -> ErrorKind:
    documented = _DOCUMENTED.get(code)
    if documented is not None:
        words = kind_of_text(text, documented=True)
        return documented if documented is ErrorKind.KEY or words is ErrorKind.REFUSED else words
    number = reading.number(code)
    if number is not None and (number < 0 or 500 <= number < 600 or 50000 <= number < 60000):
        return ErrorKind.TROUBLE
    if number in DOUBTFUL_STATUSES:
        return ErrorKind.TROUBLE
    if code in _HTTP_LIKE:
        return _HTTP_LIKE[code]
    if not text:
        # An undocumented code without a text proves nothing.
        return ErrorKind.TROUBLE
    return kind_of_text(f"{code} {text}")


def _message(body: Mapping[str, Any]) -> str:
    nested = reading.child(body, "error")
    text = reading.first(("message", "msg"), body) or reading.first(("message", "msg"), nested)
    return text or reading.scalar(body.get("error")) or ""
