from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prefect_seedance.errors import CellError
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables import cells
from prefect_seedance.tables.cells import PARSERS

EMPTY = [
    None,
    float("nan"),
    np.nan,
    np.float32("nan"),
    pd.NA,
    pd.NaT,
    Decimal("NaN"),
    "",
    "  ",
    "\n\t",
    "\u3000",
    "\u200b",
    "\ufeff \u2060",
    "\xad",
    "\u3164",
]


def test_every_field_of_a_request_has_a_parser():
    assert set(PARSERS) == {*VideoRequest.model_fields, "id", "route", "model", "provider", "media_review"}


@pytest.mark.parametrize("field", PARSERS)
@pytest.mark.parametrize("cell", EMPTY, ids=repr)
def test_an_empty_cell_is_not_set(field, cell):
    assert PARSERS[field](cell) is None


GOOD = [
    ("prompt", "  a cat \r\n runs\r", "a cat \n runs"),
    ("prompt", "NA", "NA"),
    ("prompt", "None", "None"),
    ("prompt", np.str_("雨夜"), "雨夜"),
    ("prompt", "007", "007"),
    ("duration", 5, 5),
    ("duration", 5.0, 5),
    ("duration", "5", 5),
    ("duration", " 5.0 ", 5),
    ("duration", "５", 5),
    ("duration", np.int8(5), 5),
    ("duration", np.float64(5), 5),
    ("duration", Decimal("5.00"), 5),
    ("duration", "8s", 8),
    ("duration", "8秒", 8),
    ("duration", "8 sec", 8),
    ("duration", "8.0 Seconds", 8),
    ("duration", "８ 秒钟", 8),
    ("duration", "00:08", 8),
    ("duration", "0:00:08", 8),
    ("duration", "1:05", 65),
    ("duration", dt.time(0, 0, 8), 8),
    ("duration", dt.timedelta(seconds=8), 8),
    ("duration", "\u200b8\ufeff", 8),
    ("resolution", "1080p HD", "1080p"),
    ("resolution", "Full HD (1080P)", "1080p"),
    ("resolution", "720p高清", "720p"),
    ("resolution", "4K", "4k"),
    ("resolution", "\u202a720p\u202c", "720p"),
    ("resolution", "720P", "720p"),
    ("resolution", 720, "720p"),
    ("resolution", 720.0, "720p"),
    ("resolution", "720 p", "720p"),
    ("resolution", "2K", "2k"),
    ("ratio", "16:9", "16:9"),
    ("ratio", "16：9", "16:9"),
    ("ratio", "16x9", "16:9"),
    ("ratio", "16 × 9", "16:9"),
    ("ratio", "16/9", "16:9"),
    ("ratio", dt.time(16, 9), "16:9"),
    ("ratio", dt.timedelta(hours=21, minutes=9), "21:9"),
    ("ratio", "16:09:00", "16:9"),
    ("ratio", "04:03", "4:3"),
    ("ratio", "Adaptive", "adaptive"),
    ("orientation", "Landscape", "landscape"),
    ("orientation", "竖屏", "portrait"),
    ("watermark", True, True),
    ("watermark", np.bool_(False), False),
    ("watermark", "TRUE", True),
    ("watermark", "no", False),
    ("watermark", 1, True),
    ("watermark", 0.0, False),
    ("watermark", "1.0", True),
    ("watermark", "是", True),
    ("watermark", "否", False),
    ("images", "https://a.example/1.png", ("https://a.example/1.png",)),
    ("images", "https://a/1 | https://a/2", ("https://a/1", "https://a/2")),
    ("images", "https://a/1\r\nhttps://a/2\n", ("https://a/1", "https://a/2")),
    ("images", "https://a/1｜https://a/2|", ("https://a/1", "https://a/2")),
    ("images", '["https://a/1", "https://a/2"]', ("https://a/1", "https://a/2")),
    ("images", "['https://a/1', \"https://a/2'\"]", ("https://a/1", "https://a/2'")),
    ("images", "['https://a/1'\n 'https://a/2']", ("https://a/1", "https://a/2")),
    ("images", ["https://a/1", None, float("nan"), " "], ("https://a/1",)),
    ("images", np.array(["https://a/1", "https://a/2"]), ("https://a/1", "https://a/2")),
    ("images", Path("shots/1.png"), (str(Path("shots/1.png")),)),
    ("images", "logo.png", ("logo.png",)),
    ("images", "\u202aC:\\a.png\u200b|\ufeffb.png", ("C:\\a.png", "b.png")),
    ("id", "\ufeffshot-1\u200b", "shot-1"),
    ("prompt", "\u200bsal\u200cam 👨\u200d👩\u200d👧", "\u200bsal\u200cam 👨\u200d👩\u200d👧"),
    (
        "images",
        "media/分镜 1.png | C:\\a.png\ns3://bucket/a b.png",
        ("media/分镜 1.png", "C:\\a.png", "s3://bucket/a b.png"),
    ),
    ("images", "cat, sitting.png", ("cat, sitting.png",)),
    ("images", '["[draft] a.png", "file:///data/a.png"]', ("[draft] a.png", "file:///data/a.png")),
    ("images", "data:image/png;base64,iVBO,https://", ("data:image/png;base64,iVBO,https://",)),
    ("images", "[]", None),
    ("images", [], None),
    ("first_image", ["https://a/1"], "https://a/1"),
    ("first_image", "asset://abc", "asset://abc"),
    ("id", 1, "1"),
    ("id", 1.0, "1"),
    ("id", "1.0", "1"),
    ("id", " shot-1 ", "shot-1"),
    ("id", "007", "007"),
    ("id", "1.10", "1.10"),
    ("id", 2**60 + 1, str(2**60 + 1)),
    ("id", "e\u0301", "é"),
    ("id", pd.Timestamp("2026-05-01"), "2026-05-01"),
    ("id", dt.date(2026, 5, 1), "2026-05-01"),
    ("id", uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ("provider", "Jimmy", "jimmy"),
    ("model", " seedance2.0-mini ", "seedance2.0-mini"),
]


@pytest.mark.parametrize(("field", "cell", "value"), GOOD, ids=lambda part: repr(part)[:40])
def test_every_spelling_is_read(field, cell, value):
    read = PARSERS[field](cell)
    assert read == value
    assert type(read) is type(value)


BAD = [
    ("prompt", 1984, "must be text, not a number"),
    ("prompt", True, "not true or false"),
    ("prompt", ["a"], "not a list"),
    ("prompt", "x" * 1_000_001, "1,000,001 characters; at most 1,000,000"),
    ("prompt", "half \ud83d", "cannot be sent"),
    ("prompt", "zero \x00", "cannot be sent"),
    ("duration", "5.5", "whole number of seconds"),
    ("duration", 5.5, "whole number"),
    ("duration", float("inf"), "whole number"),
    ("duration", True, "whole number"),
    ("duration", "8.5s", "whole number"),
    ("duration", "8 min", "whole number"),
    ("duration", "800ms", "whole number"),
    ("duration", "5-8s", "whole number"),
    ("duration", dt.time(0, 8), "whole number"),
    ("duration", "nan", "whole number"),
    ("duration", "9" * 5000, "whole number"),
    ("resolution", True, "such as 720p"),
    ("ratio", "16-9", "such as 16:9"),
    ("ratio", "0:9", "such as 16:9"),
    ("ratio", 1.78, "such as 16:9"),
    ("ratio", dt.time(16, 9, 30), "such as 16:9"),
    ("ratio", dt.datetime(2026, 9, 16, tzinfo=dt.UTC), "is a date"),
    ("orientation", "square", "landscape or portrait"),
    ("watermark", "maybe", "true or false"),
    ("watermark", 2, "true or false"),
    ("images", "https://a/1, https://a/2", "several URLs or files in one"),
    ("images", "https://a/1 https://a/2", "several URLs or files in one"),
    ("images", "s3://a/1, s3://a/2", "several URLs or files in one"),
    ("images", "a.png, b c.png", "several URLs or files in one"),
    ("images", "分镜1.PNG、分镜2.PNG", "several URLs or files in one"),
    ("images", "[https://a/1]", "JSON array"),
    ("images", "[", "JSON array"),
    ("images", "['https://a/1'", "JSON array"),
    ("images", "['https://a/1' ... 'https://a/9']", "JSON array"),
    ("images", "[" * 200_000, "nested too deeply|JSON array"),
    ("images", '["https://a/1", 5]', "must contain URLs or files, not a number"),
    ("images", 5, "a URL or a file, or a list of them, not a number"),
    ("images", {"url": "https://a/1"}, "not an object"),
    ("images", {"https://a/1"}, "not a list"),
    ("first_image", "https://a/1|https://a/2", "takes one URL or file, but has 2"),
    ("id", True, "not true or false"),
    ("id", "two\nlines", "one line"),
    ("id", "x" * 201, "at most 200"),
    ("model", 2.0, "must be text"),
]


@pytest.mark.parametrize(("field", "cell", "message"), BAD, ids=lambda part: repr(part)[:40])
def test_what_cannot_be_read_is_told(field, cell, message):
    with pytest.raises(CellError, match=message):
        PARSERS[field](cell)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(alphabet=st.characters()),
    st.from_regex(r"\[.{0,30}\]?", fullmatch=True),
    st.binary(),
    st.decimals(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.timedeltas(),
    st.sampled_from([pd.NA, pd.NaT, np.float32(1.5), np.int64(3), np.datetime64("2026-01-01")]),
)
anything = st.one_of(
    scalars,
    st.lists(scalars),
    st.lists(scalars).map(tuple),
    st.lists(scalars).map(lambda items: np.array([*items, None], dtype=object)),
    st.dictionaries(st.text(), scalars),
)


@given(cell=anything)
@example(cell="A´")
def test_whatever_a_cell_holds_it_is_read_or_refused(cell):
    for field, parse in PARSERS.items():
        try:
            value = parse(cell)
        except CellError:
            continue
        if value is None:
            continue
        if field in VideoRequest.model_fields:
            assert getattr(VideoRequest(**{field: value}), field) == value
        elif field == "route":
            assert parse(list(value)) == parse(" > ".join(value)) == value
        else:
            assert isinstance(value, str)
            assert value
        # Reading what was read changes nothing: a table that is written and read again stays the same.
        media = field in {"first_image", "last_image"}
        assert parse([value] if media else value) == value


@given(seconds=st.integers(-(10**8), 10**8))
def test_a_whole_number_is_one_however_it_is_written(seconds):
    spellings = [seconds, float(seconds), str(seconds), f"{seconds}.0", Decimal(seconds), np.int64(seconds)]
    assert {cells.duration(spelling) for spelling in spellings} == {seconds}
