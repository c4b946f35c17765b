from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.providers import Answer, reading

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0.0),
        (1, 0.01),
        (99, 0.99),
        (100, 1.0),
        ("50%", 0.5),
        ("100%", 1.0),
        ("7", 0.07),
        (" 50 % ", 0.5),
        (33.3, 0.333),
        (140, 1.0),
        (-3, 0.0),
        ("", None),
        ("half", None),
        (None, None),
        (True, None),
        ([50], None),
        (float("nan"), None),
        ("NaN", None),
        ("Infinity%", None),
    ],
)
def test_progress(value: object, expected: float | None) -> None:
    assert reading.progress(value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1773328294, datetime(2026, 3, 12, 15, 11, 34, tzinfo=UTC)),
        ("1773328294", datetime(2026, 3, 12, 15, 11, 34, tzinfo=UTC)),
        (1773328294000, datetime(2026, 3, 12, 15, 11, 34, tzinfo=UTC)),
        (0, None),
        (-5, None),
        (10**30, None),
        ("soon", None),
        (None, None),
    ],
)
def test_moment(value: object, expected: datetime | None) -> None:
    assert reading.moment(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("cgt-20260312231129-7db6s", "cgt-20260312231129-7db6s"),
        (42, "42"),
        (" vid_abc ", "vid_abc"),
        ("a/b?c", "a/b?c"),
        ("", None),
        ("..", None),
        (".", None),
        ("a b", None),
        ("a\nb", None),
        ("\ud800", None),
        ("x" * 201, None),
        (None, None),
        (True, None),
        ({"id": 1}, None),
        ([1], None),
    ],
)
def test_identifier(value: object, expected: str | None) -> None:
    assert reading.identifier(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://h/a.mp4?sig=1", True),
        ("http://127.0.0.1/a.mp4", True),
        ("seedance/mini-sp/video/x.mp4", False),
        ("//h/a.mp4", False),
        ("ftp://h/a", False),
        ("https://", False),
        ("https://[h", False),
        ("https://h/a b", False),
        ("", False),
        (None, False),
        (7, False),
        ("https://h/" + "a" * 9000, False),
    ],
)
def test_link(value: object, *, expected: bool) -> None:
    assert (reading.link(value) is not None) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(
            ("3", 3.0),
            (" 1.5 ", 1.5),
            ("0", 0.0),
            ("-4", 0.0),
            ("soon", None),
            ("", None),
            ("nan", None),
            ("inf", None),
        ),
        *(("86400", 86_400.0), ("31536000", 86_400.0), ("1e30", 86_400.0), ("-1e30", 0.0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
    ],
)
def test_retry_after_in_seconds(value: str, expected: float | None) -> None:
    assert reading.retry_after(Answer(429, {"Retry-After": value})) == expected


def test_retry_after_as_a_date_is_measured_by_the_providers_clock() -> None:
    their_now = datetime(2031, 1, 1, tzinfo=UTC)
    headers = {"retry-after": format_datetime(their_now + timedelta(seconds=90), usegmt=True)}
    dated = headers | {"date": format_datetime(their_now, usegmt=True)}
    assert reading.retry_after(Answer(429, dated)) == 90
    ours = {"retry-after": format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)}
    assert reading.retry_after(Answer(429, ours)) == pytest.approx(60, abs=3)
    past = {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert reading.retry_after(Answer(429, past)) == 0


def test_presentable_texts_carry_no_secrets() -> None:
    signed = 'see https://bucket.example/a.mp4?X-Sig=abcdef&e=1" and data:image/png;base64,' + "A" * 400 + " end"
    shown = reading.presentable(signed)
    assert shown == 'see https://bucket.example/a.mp4?…" and data:… end'
    assert reading.presentable("Bearer sk-abcdefghij is wrong: sk_abcdefghij") == "*** is wrong: ***"
    assert reading.presentable("a\x1b[31m\x00b\n\nc\ud800") == "a [31m b c?"
    assert len(reading.presentable("x" * 10_000)) == reading.EXCERPT_LENGTH


@given(ANYTHING)
def test_no_value_makes_a_reader_raise(value: Any) -> None:
    assert reading.progress(value) is None or 0 <= reading.progress(value) <= 1  # type: ignore[operator]
    found = reading.moment(value)
    assert found is None or found.tzinfo is UTC
    assert (reading.count(value) or 0) >= 0
    assert isinstance(reading.length(value), Decimal | None)
    assert isinstance(reading.link(value), str | None)
    named = reading.identifier(value)
    assert named is None or named.isprintable()
    assert reading.child({"a": value}, "a", "b") is not None


@given(st.text())
def test_presentable_is_one_bounded_line(text: str) -> None:
    shown = reading.presentable(text)
    assert len(shown) <= reading.EXCERPT_LENGTH
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"null", b"{", b"[" * 100_000, b"\xff\xfe", b'{"a":' + b"9" * 5000])
def test_what_is_no_object(body: bytes) -> None:
    assert reading.read_object(body) is None


def test_objects_in_any_unicode_encoding() -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        assert reading.read_object(json.dumps({"码": 1}, ensure_ascii=False).encode(encoding)) == {"码": 1}
    assert reading.read_object(b'{"a": NaN, "b": 1e999}') == {"a": None, "b": float("inf")}
    assert reading.read_object(b'{"a": -%s, "b": 7}' % (b"9" * 5000)) == {"a": None, "b": 7}
