from __future__ import annotations

import datetime as dt
import io
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.routes.request import VideoRequest
from prefect_seedance.tables.reader import read_table
from tests.tables.refusals import refusal


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
