from __future__ import annotations

import contextlib
import datetime as dt
import functools
import io
import json
import pickle
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.errors import InputError, TableError
from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables import source as tablesource
from prefect_seedance.tables.reader import read_table


def refusal(source, **options):
    with pytest.raises(TableError) as caught:
        read_table(source, **options).require_good()
    text = str(caught.value)
    assert text.endswith("Nothing was spent.")
    return text


@pytest.fixture
def write(tmp_path):
    def _write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


def keys(table):
    return [row.key for row in table.rows]


# --- what a row is made of ---------------------------------------------------------------------------------------


def test_a_table_becomes_requests_and_keeps_the_users_own():
    frame = pd.DataFrame(
        {
            "note": ["mine", "mine too"],
            "Prompt": [" a cat ", "a dog"],
            "Duration": [5.0, np.nan],
            "reference-video": [None, "https://a/1.mp4"],
            "Generate Audio": ["yes", ""],
            "model": ["seedance2.0-mini", None],
            "Provider": ["Jimmy", None],
            "ID": [1.0, 2.0],
        },
        index=[10, 20],
    )
    before = frame.copy(deep=True)
    table = read_table(frame)
    assert table.frame is frame
    pd.testing.assert_frame_equal(frame, before)
    one, two = table.rows
    assert (one.key, one.position, one.line, one.model, one.provider) == ("1", 0, 1, "seedance2.0-mini", "jimmy")
    assert one.request == VideoRequest(prompt="a cat", duration=5, generate_audio=True)
    assert (two.key, two.model) == ("2", None)
    assert two.request == VideoRequest(prompt="a dog", reference_videos=["https://a/1.mp4"])
    assert table.columns["generate_audio"] == "Generate Audio"
    assert table.warnings == []
    assert json.loads(json.dumps(table.summary()))["usable"] == 2


def test_requests_and_mappings_are_rows_too():
    request = VideoRequest(prompt="a", duration=5, images=["https://a/1", "https://a/2"], watermark=False)
    facts = {"prompt": "a", "duration": "5", "images": "https://a/1|https://a/2", "watermark": 0}
    table = read_table([request, facts])
    assert [row.request for row in table.rows] == [request, request]
    assert keys(table)[1] == f"{keys(table)[0]}-2"


def test_a_table_without_rows_is_a_table(write):
    for source in (
        [],
        pd.DataFrame(),
        pd.DataFrame({"prompt": []}),
        write("a.csv", "prompt,duration\n"),
        write("a.json", "[]"),
    ):
        table = read_table(source)
        assert table.rows == []
        assert len(table.frame) == 0
        table.require_good()
    assert read_table([], columns={"prompt": "文案"}).rows == []


def test_an_index_named_id_counts_as_the_id_column(tmp_path):
    frame = pd.DataFrame({"prompt": ["a", "b"]}, index=pd.Index([7, 9], name="id"))
    frame.to_csv(tmp_path / "a.csv")
    frame.to_parquet(tmp_path / "a.parquet")
    assert keys(read_table(frame)) == ["7", "9"]
    assert keys(read_table(tmp_path / "a.csv")) == ["7", "9"]
    assert keys(read_table(tmp_path / "a.parquet")) == ["7", "9"]
    assert keys(read_table(frame, columns={"id": ""}))[0].startswith("r-")


def test_own_columns_defaults_and_order_of_columns_are_no_part_of_the_key():
    plain = keys(read_table([{"prompt": "a", "duration": 5}]))
    assert keys(read_table([{"note": 1, "duration": "5.0", "prompt": "a\n", "ratio": None}])) == plain
    assert keys(read_table([{"prompt": "a", "duration": 5, "model": "m"}])) != plain


def test_rows_told_apart_only_by_a_query_are_warned_about():
    rows = [{"prompt": "a", "images": f"https://a/i?n={n}"} for n in (1, 2, 1)]
    table = read_table(rows)
    assert keys(table)[1:] == [f"{keys(table)[0]}-2", f"{keys(table)[0]}-3"]
    (warning,) = table.warnings
    assert (warning.slug, warning.parameters["lines"]) == ("table.alike_rows", [2])
    assert read_table([{**row, "id": n} for n, row in enumerate(rows)]).warnings == []


def test_a_prompt_that_says_nan_is_kept_and_warned_about():
    table = read_table(pd.DataFrame({"prompt": ["a", None, "nan"], "first_image": "https://a/1"}))
    assert [row.request.prompt for row in table.rows] == ["a", None, "nan"]
    (warning,) = table.warnings
    assert (warning.slug, warning.parameters["lines"]) == ("table.null_words", [3])


# --- the same rows from everywhere -------------------------------------------------------------------------------

words = st.one_of(
    st.sampled_from(
        ["NA", "None", "nan", "null", "007", "5.0", "true", "a, b; c | d", 'say "hi"', "line\nbreak", "16:9"]
    ),
    st.text(alphabet="ab 雨夜，。€?'\",;|\t😀", max_size=20),
)
urls = st.sampled_from(
    ["https://a.example/1.png?sig=1", "https://a.example/2,3.png", "asset://abc", "https://é.example/x"]
)
table_rows = st.lists(
    st.fixed_dictionaries(
        {
            "prompt": words,
            "duration": st.one_of(st.none(), st.integers(1, 20)),
            "resolution": st.sampled_from([None, "720p", "1080P"]),
            "ratio": st.sampled_from([None, "16:9", "9：16", "adaptive"]),
            "images": st.one_of(st.none(), st.lists(urls, min_size=1, max_size=3)),
            "first_image": st.one_of(st.none(), urls),
            "watermark": st.sampled_from([None, True, False]),
            "note": st.integers(),
        }
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.slow
@given(rows=table_rows, with_ids=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_means_the_same_in_every_format(tmp_path, rows, with_ids):
    if with_ids:
        rows = [{"id": number, **row} for number, row in enumerate(rows)]
    # A row with nothing in it at all is dropped from a sheet, but not from a DataFrame: not the question here.
    rows = [{**row, "note": 1 + abs(row["note"]) % 1000} for row in rows]
    frame = pd.DataFrame(rows)
    path = tmp_path / "table"
    frame.to_csv(path.with_suffix(".csv"), index=False)
    frame.to_csv(path.with_suffix(".tsv"), index=False, sep="\t")
    frame.to_parquet(path.with_suffix(".parquet"))
    frame.to_excel(path.with_suffix(".xlsx"), index=False)
    path.with_suffix(".json").write_text(json.dumps(rows))
    frame.to_json(path.with_suffix(".jsonl"), orient="records", lines=True)
    (tmp_path / "columns.json").write_text(frame.to_json())
    expected = read_table(rows)
    assert len(expected.rows) + len(expected.bad) == len(rows)
    sources = [
        frame,
        frame.convert_dtypes(),
        *(path.with_suffix(f".{end}") for end in ("csv", "tsv", "parquet", "xlsx", "json", "jsonl")),
        tmp_path / "columns.json",
    ]
    for source in sources:
        table = read_table(source)
        assert [(row.position, row.key, row.request) for row in table.rows] == [
            (row.position, row.key, row.request) for row in expected.rows
        ], source
        assert table.bad.keys() == expected.bad.keys()


def test_arrow_columns_are_read():
    frame = pd.DataFrame({"prompt": ["a"], "images": [["https://a/1"]], "duration": [5], "watermark": [True]})
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    arrow = pd.read_parquet(buffer, dtype_backend="pyarrow")
    assert read_table(arrow).rows == read_table(frame).rows


def test_a_real_time_in_a_sheet_is_a_ratio(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for line in [["prompt", "ratio", "duration"], [None, None, None], ["NA", dt.time(16, 9), 5], ["b", "1:1", "x"]]:
        sheet.append(line)
    book.create_sheet("more")
    book.save(tmp_path / "a.xlsx")
    table = read_table(tmp_path / "a.xlsx")
    assert table.rows[0].request == VideoRequest(prompt="NA", ratio="16:9", duration=5)
    assert table.rows[0].line == 3
    assert [problem.line for problem in table.problems] == [4]
    assert "first sheet, 'Sheet'," in str(table.warnings[0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bom.csv", "\ufeffprompt,duration\n雨夜,5\n".encode()),
        ("gbk.csv", "prompt,duration\n雨夜,5\n".encode("gb18030")),
        ("unicode.txt", "prompt\tduration\r\n雨夜\t5\r\n".encode("utf-16")),
        ("semicolons.csv", "prompt;duration\n雨夜;5\n".encode()),
        ("tabs.csv", "prompt\tduration\n雨夜\t5\n".encode()),
        ("blank.csv", "\n\nprompt,duration,\n\n雨夜,5,\n,,\n".encode()),
        ("short.csv", "prompt,duration,ratio\n雨夜,5\n".encode()),
        ("lying.csv", '[{"prompt": "雨夜", "duration": 5}]'.encode()),
        ("lines.json", '{"prompt": "雨夜", "duration": 5}\n{"prompt": "雨夜", "duration": "5"}\n'.encode()),
        ("rows.json", '{"rows": [{"prompt": "雨夜", "duration": 5}]}'.encode()),
        ("nothing", '{"prompt": "雨夜", "duration": "5"}'.encode()),
        ("lines.jsonl", '\n{"prompt": "雨夜", "duration": 5}\n\n'.encode()),
    ],
)
def test_the_content_decides_how_it_is_read(write, name, content):
    path = write(name, content)
    table = read_table(str(path))
    assert {row.request for row in table.rows} == {VideoRequest(prompt="雨夜", duration=5)}
    assert (table.name, table.folder) == (name, path.parent)
    assert bool(table.warnings) == (name in {"gbk.csv", "short.csv"})


def test_a_workbook_is_believed_whatever_its_name(tmp_path):
    pd.DataFrame({"prompt": ["a"]}).to_excel(tmp_path / "a.xlsx", index=False)
    (tmp_path / "a.xlsx").rename(tmp_path / "a.csv")
    assert len(read_table(tmp_path / "a.csv").rows) == 1


def test_lines_are_counted_as_the_user_sees_them(write):
    path = write("a.csv", '\nprompt,duration\n"two\nlines",x\n\nb,y\n')
    # As a spreadsheet counts: the first line is line 1, a cell with a line break is still one line, blank lines count.
    assert [problem.line for problem in read_table(path).problems] == [3, 5]
    assert [problem.line for problem in read_table(pd.read_csv(path)).problems] == [1, 2]


# --- headings ----------------------------------------------------------------------------------------------------


def test_the_users_headings_are_named_by_columns():
    frame = pd.DataFrame({"文案": ["a"], "秒": [5], "prompt": ["not this"]})
    table = read_table(frame, columns={"prompt": "文案", "duration": "秒"})
    assert table.rows[0].request == VideoRequest(prompt="a", duration=5)


@pytest.mark.parametrize(
    ("headings", "columns", "words"),
    [
        (["words", "n"], None, ["no prompt column", "Columns found: 'words', 'n'", 'columns={"prompt": "words"}']),
        ([], None, ["no prompt column", "Columns found: none"]),
        (["prompt", "duraton"], None, ["'duraton' looks like a misspelling of 'duration'", 'columns={"duration": ""}']),
        (["promt", "resolutoin"], None, ["misspelling of 'prompt'. Rename it.", "misspelling of 'resolution'"]),
        (["prompt", "refrence_videos"], None, ["a misspelling of 'reference_videos'"]),
        (["prompt", "image", "Images"], None, ["'image', 'Images' all mean images", 'columns={"images": "…"}']),
        (["prompt", "note", "note"], None, ["2 columns are called 'note'"]),
        (["prompt", "prompt"], None, ["2 columns are called 'prompt'"]),
        (["文案"], {"文案": "prompt"}, ["wrong way round", 'columns={"prompt": "文案"}']),
        (["prompt"], {"durashun": "秒"}, ["no field 'durashun'", "Did you mean 'duration'?"]),
        (["prompt"], {"duration": "秒"}, ["no such column", "Columns found: 'prompt'"]),
        (["a"], {"prompt": "a", "ratio": "a"}, ["'a' to two fields"]),
        ([("a", "b"), ("c", "d")], None, ["no prompt column"]),
        ([0, 1], None, ["Columns found: '0', '1'"]),
    ],
)
def test_headings_that_cannot_be_used_are_all_told(headings, columns, words):
    text = refusal(pd.DataFrame([["x"] * len(headings)], columns=headings), columns=columns)
    for part in words:
        assert part in text


def test_a_column_like_a_field_may_be_the_users_own():
    frame = pd.DataFrame({"prompt": ["a"], "model": ["Anna"], "mode": ["walking"], "id": [None]})
    row = read_table(frame, columns={"model": "", "id": ""}).rows[0]
    assert row.model is None
    assert row.key.startswith("r-")
    # Beside a real model column, `mode` is nobody's slip.
    assert read_table(frame, columns={"id": ""}).rows[0].model == "Anna"
    assert "'mode' looks like a misspelling of 'model'" in refusal(frame[["prompt", "mode"]])


@pytest.mark.parametrize("heading", ["title", "scene", "shot", "price", "campaign", "status", "notes", "created_at"])
def test_ordinary_columns_are_no_slips(heading):
    assert read_table(pd.DataFrame({"prompt": ["a"], heading: ["x"]})).warnings == []


# --- bad rows ----------------------------------------------------------------------------------------------------


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
    assert keys(empty) == ["a"]
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
    assert len({problem.key for problem in table.problems} | set(keys(table))) == 3


# --- files that are no tables ------------------------------------------------------------------------------------


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


# --- addresses ---------------------------------------------------------------------------------------------------


class _Web(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/moved"))
        elif self.path.startswith("/away"):
            self.send_response(302)
            self.send_header("Location", "http://a.example.invalid/t.csv?token=secret")
        elif self.path.startswith("/t.csv"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write("prompt\n雨夜\n".encode())
            return
        else:
            self.send_response(404)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_table_is_fetched_from_the_web(web):
    for place in ("/t.csv?token=secret", "/moved/t.csv?token=secret"):
        table = read_table(web + place)
        assert table.rows[0].request.prompt == "雨夜"
        assert (table.name, table.folder) == ("t.csv", None)
    assert "answered 404" in (gone := refusal(f"{web}/gone.csv?token=secret"))
    assert "Plain http" in (away := refusal(f"{web}/away"))
    assert "Plain http" in (plain := refusal("http://me:secret@a.example.invalid/t.csv?token=secret"))
    assert "secret" not in gone + away + plain


def test_a_dead_host_is_told_without_its_signature(web):
    port = web.rpartition(":")[2]
    dead = refusal(f"https://127.0.0.1:{port}/t.csv?token=secret")  # nobody speaks TLS there
    assert "cannot be fetched" in dead
    assert "secret" not in dead


def test_a_table_is_read_from_any_store_fsspec_knows():
    with fsspec.open("memory://folder/t.csv", "wb") as file:
        file.write("prompt\n雨夜\n".encode())
    assert read_table("memory://folder/t.csv").rows[0].request.prompt == "雨夜"
    assert "cannot be read (FileNotFoundError)" in refusal("memory://folder/none.csv")
    assert "cannot be read" in refusal("nosuch://folder/t.csv")


def test_a_file_url_is_a_path(write):
    path = write("a b.csv", "prompt\na\n")
    assert read_table(path.as_uri()).folder == path.parent
