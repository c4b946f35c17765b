from __future__ import annotations

import pytest

from prefect_seedance.errors import TableError
from prefect_seedance.tables.reader import read_table


def read(tmp_path, content, name="a.txt"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = read_table(path)
    return [row.request.prompt for row in table.rows], [warning.slug for warning in table.warnings]


@pytest.mark.parametrize(
    ("content", "more"),
    [
        ("a cat, running\na dog\n", []),
        ("a cat, running\r\n\r\na dog", []),
        ("1. a cat, running\n2. a dog\n", ["table.list_marks"]),
        ("1、a cat, running\n2、a dog\n", ["table.list_marks"]),
        ("- a cat, running\n- a dog\n", ["table.list_marks"]),
        ('"a cat, running",\n"a dog"\n', ["table.list_marks"]),
        ("# animals\na cat, running\n---\na dog\n", ["table.list_comments"]),
    ],
)
def test_each_line_is_a_prompt(tmp_path, content, more):
    assert read(tmp_path, content) == (["a cat, running", "a dog"], ["table.read_as_list", *more])


def test_a_list_of_markdown_and_one_in_a_csv_file_are_lists(tmp_path):
    assert read(tmp_path, "- a cat\n- a dog\n", "a.md")[0] == ["a cat", "a dog"]
    assert read(tmp_path, '"a cat, running"\na dog\n', "a.csv") == (["a cat, running", "a dog"], ["table.read_as_list"])
    assert read(tmp_path, "雨夜的霓虹街道\n清晨的湖面上\n".encode("gbk"))[0] == ["雨夜的霓虹街道", "清晨的湖面上"]


def test_a_word_with_a_hash_is_a_prompt(tmp_path):
    assert read(tmp_path, "#cat in the rain\na dog\n")[0] == ["#cat in the rain", "a dog"]


def test_a_heading_settles_all_doubts(tmp_path):
    content = "Prompt\na cat\nin the rain, slowly\n\n  a dog\n1. a bird\n"
    assert read(tmp_path, content) == (["a cat", "in the rain, slowly", "a dog", "1. a bird"], [])


@pytest.mark.parametrize(
    "content", ["id\tprompt\n1\ta cat\n", "id,prompt,duration\n1,a cat,5\n", "prompt,x\na cat,1\n"]
)
def test_a_table_with_headings_is_a_table(tmp_path, content):
    assert read(tmp_path, content)[0] == ["a cat"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("My prompts:\na cat\na dog\n", "line 1 may be a prompt or a heading: 'My prompts:'"),
        ("Spring\na black cat walks in rain\na dog runs over a field\n", "line 1 may be"),
        ("Beschreibung\na cat in rain\na dog in snow\n", "line 1 may be"),
        ("a cat\nin the rain\n\na dog\nin the sun\n", "blocks of several lines"),
        ("1. a cat\n   on a mat\n2. a dog\n", "only some of its lines are numbered"),
        ("a cat\n- a dog\n", "only some of its lines"),
        ("```\na cat\n```\n", "line 1 is no prompt"),
        ("id   prompt    duration\n1    a cat     5\n", "line 1 may be"),
        ("name,beschreibung\n1,a cat\n2,a dog\n", "no prompt column"),
        ("1\ta cat\n2\ta dog\n", "no headings"),
    ],
)
def test_what_may_be_no_prompt_is_refused(tmp_path, content, words):
    with pytest.raises(TableError) as caught:
        read(tmp_path, content)
    assert words in str(caught.value)
