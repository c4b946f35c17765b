from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import TableError
from prefect_seedance.tables.reader import read_table
from prefect_seedance.tables.text.delimited import layout, one_line_end, records


def refusal(path):
    with pytest.raises(TableError) as caught:
        read_table(path).require_good()
    return str(caught.value)


@pytest.fixture
def write(tmp_path):
    def _write(content, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode())
        return path

    return _write


def prompts(table):
    return [row.request.prompt for row in table.rows]


# --- quotation marks ---------------------------------------------------------------------------------------------

cells = st.text(alphabet='ab 雨,"\n5', max_size=12)


@given(
    rows=st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=6), separator=st.sampled_from(",;\t")
)
def test_what_a_program_writes_is_read_again(rows, separator):
    file = io.StringIO()
    csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    found = list(records(file.getvalue(), separator, "a.csv"))
    assert [cells for _, cells in found] == rows
    assert [number for number, _ in found] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('id,prompt\n1,a\n2,"Hello\n3,a dog\n', "Line 3 has a cell that starts with a quotation mark"),
        ('id,prompt\n1,"abc" says\n', 'Line 2: text follows behind the closing quotation mark of a cell: "abc"'),
        ('id,prompt\n1,"He said \\"hi\\" to me"\n', "Line 2: text follows"),
        ('id\tprompt\n1\t"Hello, he shouts\n2\ta dog\n3\t"Stop" says she\n', "in line 2 runs on to line 4"),
        ('id,prompt\n1,"Hello, he shouts\n2,a dog\n3,he says bye"\n4,x\n', "opened in line 2 is closed in line 4"),
        ('id,prompt,duration\n1,"Hello,5\n2,a dog,5\n3,bye",5\n4,x,5\n', "opened in line 2 is closed in line 4"),
        ('id,prompt\nshot-1,"Hello\nshot-2,a dog\nshot-3,bye"\nshot-4,x\n', "opened in line 2 is closed in line 4"),
        ('id\tprompt\nx\t"Hello\ny\ta dog\nz\tbye"\n', "opened in line 2 is closed in line 4"),
        ('id,prompt\n1,"two\nlines"\n2,"abc" says\n', "Line 4: text follows"),
    ],
)
def test_a_quotation_mark_in_the_wrong_place_is_refused_with_its_line(write, content, words):
    assert words in refusal(write(content))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('id,prompt\n1,"Scene 1: a cat, walking.\nScene 2: a dog, running."\n2,b\n', "Scene 1: a cat, walking.\n"),
        ('prompt,note\n"A cat, sitting\nA dog, running",x\nb,"l1\nl2"\n', "A cat, sitting\nA dog, running"),
        ('id,prompt,duration\r\n1,"镜头一：猫\n镜头二：狗\n\n镜头三",5\r\n', "镜头一：猫\n镜头二：狗\n\n镜头三"),
        ('prompt\n"a\nb"\nc\n', "a\nb"),
        ('prompt,id\nc,1\nd,2\n"a\nb",3\n', "c"),
        ('prompt\tid\n"a\nb"\t3\n', "a\nb"),
        ('id,prompt\n1,a 5" screen\n', 'a 5" screen'),
        ('id,prompt\n1,a "big" cat\n', 'a "big" cat'),
        ('id,prompt\n1, "a, b" \n', "a, b"),
        ('id,prompt\n1,"say ""hi"""\n', 'say "hi"'),
    ],
)
def test_texts_of_several_lines_and_marks_within_text_are_read(write, content, expected):
    assert prompts(read_table(write(content)))[0].startswith(expected)


# --- line ends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        'id,prompt\r1,"a\nb"\r2,c\r',
        'id,prompt\r\n1,"a\nb"\n2,c\r\n',
        'id,prompt\r\r\n1,"a\r\nb"\r\r\n2,c',
        'id,prompt\n1,"a\nb"\n2,c\n\x1a',
    ],
)
def test_any_line_end_is_read(write, content):
    assert prompts(read_table(write(content))) == ["a\nb", "c"]


def test_a_lone_carriage_return_within_a_line_is_refused(write):
    assert "Line 3 holds a lone carriage return" in refusal(write("id,prompt,duration\n1,x,5\n2,a cat\rrunning,5\n"))
    assert one_line_end('a\n"b\rc"\n', "x") == 'a\n"b\nc"\n'


def test_a_zero_byte_is_refused(write):
    assert "Line 3 contains a zero byte" in refusal(write("id,prompt\n1,a\n2,b\x00\n"))


# --- separators, comments, what stands above the headings ---------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("sep=;\r\nid;prompt;price\r\n1;a, b;1,5\r\n", [3]),
        ('sep=^\n"id"^prompt\n1^a, b\n', [3]),
        ('# made by "me\n# the second; line\n\nid;prompt\n1;a, b\n', [5]),
        ("id|prompt|duration\n1|a, b|5\n", [2]),
        ("# id;prompt\n1;a, b\n", [2]),
        ("#;prompt\n1;a, b\n", [2]),
        ("id;prompt;weight\n1;a, b;1,5;;\n", [2]),
    ],
)
def test_the_layout_is_understood(write, content, lines):
    table = read_table(write(content))
    assert prompts(table) == ["a, b"]
    assert [row.line for row in table.rows] == lines


def test_a_tsv_file_may_have_commas_in_truth(write):
    assert prompts(read_table(write("id,prompt\n1,a\n", "a.tsv"))) == ["a"]
    assert layout("a,b\tc\n", "\t,")[0] == "\t"


@pytest.mark.parametrize("title", ["2026 campaign,,\n,,\n", "2026 campaign\n\n", "Spring; summer\n\n"])
def test_titles_above_the_headings_are_found_and_told(write, title):
    table = read_table(write(title + "id,prompt,duration\n1,a cat,5\n"))
    assert [(row.key, row.line) for row in table.rows] == [("1", 4)]
    (warning,) = table.warnings
    assert (warning.slug, warning.parameters["line"]) == ("table.headings_below", 3)


def test_a_title_stands_above_a_heading_that_the_user_named(write):
    path = write("Kampagne\nNr,Texte\n1,a\n")
    assert prompts(read_table(path, columns={"prompt": "Texte"})) == ["a"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a cat,5\na dog,6\n", "seems to have no headings: row 1 holds '5'"),
        ("id,prompt\n1,a\nid,prompt\n2,b\n", "Row 3 holds headings once more, as row 1 does"),
        ("prompt\na\n提示词\nb\n", "Row 3 holds headings once more"),
        ("id,prompt\n1,a cat, running\n", "Line 2 has 3 cells"),
        ("| id | prompt |\n|----|:------:|\n| 1 | a |\n", "Markdown"),
        ("id   prompt     duration\n1    a cat      5\n", "may be a prompt or a heading"),
        ("a cat, running\na dog, sitting\n", "If this is no heading but a row"),
    ],
)
def test_what_has_no_clear_headings_is_refused(write, content, words):
    assert words in refusal(write(content))


def test_rows_that_end_early_and_columns_without_heading_are_told(write):
    (short,) = read_table(write("id,prompt,duration\n1,a cat\n2,b,5\n")).warnings
    assert (short.slug, short.parameters["lines"]) == ("table.short_rows", [2])
    (nameless,) = read_table(write("prompt,,note\na cat,running,x\n")).warnings
    assert (nameless.slug, nameless.parameters["columns"]) == ("table.nameless_columns", [2])


def test_unchecked_boxes_below_the_last_row_are_left_out(write):
    table = read_table(write("prompt,done\na,FALSE\nb,TRUE\n,FALSE\n,FALSE\n\u200b,\ufeff\n"))
    assert prompts(table) == ["a", "b"]
    assert len(table.frame) == 2


def test_a_lost_character_is_a_problem_of_its_cell(write):
    table = read_table(write("id,prompt,note\n1,猫\ufffd,x\n2,ok,\ufffd\n"))
    assert [row.key for row in table.rows] == ["2"]
    assert [(problem.line, problem.message.slug) for problem in table.problems] == [(2, "cell.lost_character")]
    assert table.frame["note"].tolist() == ["x", "\ufffd"]
