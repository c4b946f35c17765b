"""Files that are no tables, and bad rows: all is said at once, and nothing is spent."""

from __future__ import annotations

import contextlib
import functools
import io
import pickle
import sys

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.errors import InputError, TableError
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables import source as tablesource
from prefect_seedance.tables.reader import read_table
from tests.tables.refusals import refusal


def test_bad_rows_are_told_all_at_once_and_leave_the_others():
    rows = [{"id": n, "prompt": "p", "duration": "5.5", "watermark": "maybe"} for n in range(30)]
    rows[3] = {"id": 3, "prompt": "good", "duration": "5", "watermark": ""}
    rows[4]["first_image"] = "https://a/1?token=secret|https://a/2?token=secret"
    table = read_table(rows)
    assert [(row.key, row.position) for row in table.rows] == [("3", 3)]
    assert sorted(table.bad) == [n for n in range(30) if n != 3]
    with pytest.raises(InputError) as caught:
        table.require_good()
    error = caught.value
    assert isinstance(error, TableError)
    assert len(error.problems) == 59
    assert len(str(error).splitlines()) == 1 + 20 + 1 + 1
    assert "59 problems in 29 rows" in str(error)
    assert "row 1 (0), duration '5.5': must be a whole number" in str(error)
    assert "and 39 more" in str(error)
    assert str(error).endswith("Nothing was spent.")
    assert "secret" not in str(error) + repr(error.problems)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems) == (str(error), error.problems)


def test_ids_must_be_there_once():
    twice = refusal([{"id": 1, "prompt": "a"}, {"id": "1.0", "prompt": "b"}, {"id": 2, "prompt": "c", "duration": "x"}])
    assert "row 2 (1), id '1.0': row 1 has the same id" in twice
    assert "row 3 (2), duration 'x'" in twice
    empty = read_table([{"id": "a", "prompt": "a"}, {"id": " ", "prompt": "b"}])
    assert [row.key for row in empty.rows] == ["a"]
    assert "in a table with ids every row needs one" in str(empty.problems[0])


def test_rows_that_ask_for_nothing_are_bad():
    table = read_table(pd.DataFrame({"prompt": ["a", None, ""], "note": ["x", "sum", None]}))
    assert list(table.bad) == [1, 2]
    assert "the row is empty" in str(table.problems[0])


@pytest.mark.slow
def test_fifty_megabytes_of_prompt_are_refused_in_few_words(write):
    text = refusal(write("a.csv", 'prompt\n"' + "雨夜 " * 8_000_000 + '"\n'))
    assert "at most 1,000,000" in text
    assert len(text) < 1000


def test_bad_rows_have_keys_of_their_own():
    table = read_table([{"prompt": "a", "duration": "x"}, {"prompt": "a", "duration": "y"}, {"prompt": "a"}])
    assert len({problem.key for problem in table.problems} | {row.key for row in table.rows}) == 3


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n \n", "empty"),
        ("a.csv", b",,\n,,\n", "empty"),
        ("a.xlsx", b"prompt\na\n", "content has another format"),
        ("a.xlsx", b"PK\x03\x04broken", "not a readable table"),
        ("a.parquet", b"PAR1broken", "not a readable table"),
        ("a.csv", b"<!DOCTYPE html><p>sign in", "web page"),
        ("a.csv", b"\x89PNG\r\n\x1a\n", "image"),
        ("a.csv", b"\x1f\x8b\x08", "Unpack"),
        ("a.csv", bytes(range(256)), "binary"),
        ("a.csv", "prompt\ncafé élan naïve\n".encode("latin-1"), "Save it as UTF-8"),
        ("a.csv", b'prompt,n\n"open,1\n', "never closed"),
        ("a.csv", b"prompt\na cat, running\n", "Line 2 has 2 cells"),
        ("a.json", b'[{"prompt": "a"}', "not a readable table"),
        ("a.json", b'"words"', "array of objects"),
        ("a.json", b'["a", 5]', "Row 2 is of type int"),
        ("a.json", b"[" * 100_000, "not a readable table|no prompt column"),
        ("a.jsonl", b'{"prompt": "a"}\n{oops\n', "Line 2 is not JSON"),
    ],
)
def test_what_is_no_table_is_refused(write, name, content, words):
    text = refusal(write(name, content))
    assert any(part in text for part in words.split("|")), text


@pytest.mark.parametrize("source", [42, None, {"prompt": "a"}, VideoRequest(prompt="a"), [["a"]], b"prompt"])
def test_what_was_never_a_table_is_refused(source):
    refusal(source)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    assert "no such file" in refusal(tmp_path / "nowhere.csv")
    assert "is a folder" in refusal(tmp_path)
    assert "cannot be read" in refusal("a\x00.csv")
    refusal("x" * 5000)
    path = tmp_path / "a.csv"
    path.write_text("prompt\na\n")
    monkeypatch.setattr(tablesource, "MAX_BYTES", 5)
    assert "larger than" in refusal(path)

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tablesource, "open", denied, raising=False)
    assert "permission denied" in refusal(path)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"prompt": ["a"]}).to_parquet(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert "prefect-seedance[parquet]" in refusal(path)


@functools.cache  # a spreadsheet holds the time, and hypothesis wants the same bytes each time
def _whole(suffix):
    buffer = io.BytesIO()
    frame = pd.DataFrame({"prompt": ["雨夜", "b"], "duration": [5, 6]})
    {"xlsx": frame.to_excel, "parquet": frame.to_parquet, "csv": frame.to_csv}[suffix](buffer)
    return buffer.getvalue()


@given(data=st.data(), suffix=st.sampled_from(["xlsx", "parquet", "csv", "json", "jsonl", "txt"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_table_or_refused(tmp_path, data, suffix):
    if suffix in {"xlsx", "parquet", "csv"} and data.draw(st.booleans()):
        whole = _whole(suffix)
        content = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
        for place in data.draw(st.lists(st.integers(0, max(len(content) - 1, 0)), max_size=3)) if content else ():
            content[place] ^= data.draw(st.integers(1, 255))
    else:
        head = data.draw(st.sampled_from([b"", b"prompt\n", b"prompt,duration\n", b"[", b'{"prompt":']))
        content = head + data.draw(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda t: t.encode())))
    path = tmp_path / f"any.{suffix}"
    path.write_bytes(bytes(content))
    with contextlib.suppress(TableError):  # any other error fails the test
        table = read_table(path)
        assert len(table.rows) + len(table.bad) == len(table.frame)
