"""Tolerant reading: turns any value in an answer into a typed value or None, and never raises."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

from prefect_seedance.providers.answers import Answer

EXCERPT_LENGTH = 300
LONGEST_ID = 200
"""Characters of an id of a job or an asset."""
_LONGEST_LINK = 8192
_LONGEST_NUMBER = 40
LONGEST_RETRY_AFTER = 86_400.0
"""Seconds: what a `Retry-After` may ask for. More is a mistake of the provider, or of a gateway in front of it."""
# Seconds since 1970 stay below this for millennia; milliseconds have been above it since 1973.
_MILLISECONDS_FROM = 10**11

# All that a URL may contain (RFC 3986), and `%`, since most links are encoded already.
_URL_CHARACTERS = "!#$%&'()*+,-./:;=?@[]_~"

_URL_QUERY = re.compile(r"""(https?://[^\s"'<>?\\]+)\?[^\s"'<>]*""", re.IGNORECASE)
_DATA_URI = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,[A-Za-z0-9+/=]{16,}")
_KEY = re.compile(r"(?<![A-Za-z0-9])(?:sk[-_][A-Za-z0-9_-]{6,}|Bearer\s+[^\s\"']+)", re.IGNORECASE)


def read_json(body: bytes | str) -> Any:
    """Return the JSON value in the body, or None if it is anything else.

    A number that no field can have (`NaN`, thousands of digits) becomes null, and the rest is read.
    """
    try:
        return json.loads(body, parse_constant=lambda _: None, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | None:
    # Python refuses to read integers of thousands of digits.
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def read_object(body: bytes | str) -> dict[str, Any] | None:
    """Return the JSON object in the body, or None if it is anything else."""
    value = read_json(body)
    return value if isinstance(value, dict) else None


def child(source: Mapping[str, Any], *path: str) -> dict[str, Any]:
    """Return the object at the path, or an empty one."""
    value: Any = source
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, dict) else {}


def scalar(value: object) -> str | None:
    """Return a text or a number as text; None for null, blank text, booleans and structures."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value.bit_length() <= 128 else None
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else str(value)
    return None


def first(names: tuple[str, ...], *sources: Mapping[str, Any]) -> str | None:
    """Return the first scalar with one of these names. The sources are searched in order."""
    found = (scalar(source.get(name)) for source in sources for name in names)
    return next((text for text in found if text is not None), None)


def identifier(value: object) -> str | None:
    """Return an id that can be used in a URL path, or None. Ids are opaque: only impossible ones are rejected."""
    text = scalar(value)
    if text is None or len(text) > LONGEST_ID or text in {".", ".."}:
        return None
    return text if text.isprintable() and not any(map(str.isspace, text)) else None


def link(value: object) -> str | None:
    """Return an absolute http(s) URL, or None."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > _LONGEST_LINK or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    return text if parts.scheme in {"http", "https"} and host else None


def result_link(value: object) -> str | None:
    """Return an absolute http(s) URL as `link` does, from a spelling that cannot be fetched as it is.

    An address without a scheme gets `https:`; spaces and characters beyond ASCII behind the host are encoded.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.startswith("//"):
        text = f"https:{text}"
    scheme, colon, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    return link(f"{scheme}{colon}{host}{slash}{quote(path, safe=_URL_CHARACTERS)}" if slash else text)


def number(value: object) -> Decimal | None:
    """Return a finite number, given as a number or as text; None for anything else."""
    text = scalar(value)
    if text is None:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and -40 < found.adjusted() < 40 else None


def count(value: object) -> int | None:
    """Return a whole number that is not negative, or None."""
    found = number(value)
    return int(found) if found is not None and found >= 0 and found == int(found) else None


def length(value: object) -> Decimal | None:
    """Return a length in seconds, or None; zero and below mean "not known"."""
    found = number(value)
    return found if found is not None and found > 0 else None


def progress(value: object) -> float | None:
    """Return 0 to 1 from per cent, given as `50`, `"50"` or `"50%"`."""
    text = scalar(value)
    found = number(text.removesuffix("%")) if text else None
    return None if found is None else min(max(float(found) / 100, 0.0), 1.0)


def moment(value: object) -> datetime | None:
    """Return a time (UTC) from Unix seconds or milliseconds, or None; 0 means "not yet"."""
    found = number(value)
    if found is None or found <= 0:
        return None
    seconds = float(found) / 1000 if found >= _MILLISECONDS_FROM else float(found)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def plain_answer(answer: Answer) -> bool:
    """Whether an answer is neither a redirect nor an error of a server."""
    return answer.status < 300 or 400 <= answer.status < 500


def retry_after(answer: Answer) -> float | None:
    """Return the seconds that `Retry-After` asks to wait, a day at most.

    It is a number or a date (RFC 9110, section 10.2.3).
    """
    text = answer.header("retry-after")
    seconds = number(text)
    if seconds is not None:
        return min(max(float(seconds), 0.0), LONGEST_RETRY_AFTER)
    until = _http_date(text)
    if until is None:
        return None
    # The interval is measured by the provider's own clock, since the local clock may be wrong.
    now = _http_date(answer.header("date")) or datetime.now(UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def _http_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def request_id(answer: Answer, *sources: Mapping[str, Any]) -> str | None:
    """Return the provider's trace id from the body or the headers."""
    found = first(("request_id", "requestId"), *sources)
    names = ("x-request-id", "x-oneapi-request-id", "x-tt-logid")
    headers = (scalar(answer.header(name)) for name in names)
    text = found or next((text for text in headers if text), None)
    return presentable(text, 120) if text else None


def presentable(text: str, limit: int = EXCERPT_LENGTH) -> str:
    """Return a provider's words in a form that is safe to show and store.

    One line, of a bounded length, without control characters. Signed URLs are cut at the `?`; embedded media and
    everything that looks like a key are removed.
    """
    # Cut before the patterns run, to bound the work: a body may have a million characters.
    text = text[: limit * 40].encode("utf-8", "replace").decode("utf-8")
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = _DATA_URI.sub("data:…", text)
    text = _URL_QUERY.sub(r"\1?…", text)
    text = _KEY.sub("***", text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def excerpt(body: bytes) -> str:
    """Return the first few hundred characters of a body, as evidence; an empty text for an empty body."""
    return presentable(body[: EXCERPT_LENGTH * 40].decode("utf-8", "replace"))
