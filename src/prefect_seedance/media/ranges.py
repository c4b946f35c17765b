"""Range requests: whether an answer continues the part on the disk (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from prefect_seedance.media.storage.part import Note

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII | re.IGNORECASE)


class Span(NamedTuple):
    """The value of a `Content-Range`.

    Attributes:
        start: Offset of the first byte sent.
        end: Offset after the last byte sent.
        total: Length of the whole file in bytes, or None if not stated.
    """

    start: int
    end: int
    total: int | None


def read_span(headers: Mapping[str, str]) -> Span | None:
    """Read `Content-Range`; None if it is missing or invalid."""
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None:
        return None
    start, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if last < start or (total is not None and last >= total):
        return None
    return Span(start, last + 1, total)


def validator_of(headers: Mapping[str, str]) -> str | None:
    """Return the value for a later `If-Range`, or None if the answer cannot be resumed safely.

    Weak entity tags do not guarantee equal bytes. A date does so only if it was old enough when the answer was made.
    """
    tag = headers.get("etag", "")
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2 and tag.isprintable():
        return tag
    changed, now = _date(headers.get("last-modified")), _date(headers.get("date"))
    if not tag and changed and now and now - changed >= timedelta(minutes=1):
        return headers["last-modified"]
    return None


def continues(headers: Mapping[str, str], note: Note, have: int) -> bool:
    """Return whether a partial answer (status 206) continues exactly at the end of the part on the disk."""
    span = read_span(headers)
    if span is None or span.start != have:
        return False
    if note.total is not None and span.total is not None and span.total != note.total:
        return False
    tag = headers.get("etag")
    return tag is None or not (note.validator or "").startswith('"') or tag == note.validator


def body_length(headers: Mapping[str, str]) -> int | None:
    """Read `Content-Length`; None if it is missing or invalid."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _date(text: str | None) -> datetime | None:
    try:
        when = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return when if when is not None and when.tzinfo is not None else None
