from __future__ import annotations

import pytest

from prefect_seedance.routes.request import COLUMNS
from prefect_seedance.tables.reader import read_table

ERRORS = """
#N/A #REF! #NAME? #VALUE! #DIV/0! #NUM! #NULL! #ERROR! #SPILL! #CALC! #FIELD! #CONNECT! #BLOCKED! #BUSY! #GETTING_DATA
#NV #BEZUG! #WERT! #ZAHL! #ÜBERLAUF! #KALK! #NOM? #VALEUR! #N/D #¡REF! #¿NOMBRE? #¡DESBORDAMIENTO! #RIF! #ARG! #NAZWA?
#ССЫЛКА! #ЗНАЧ! #ИМЯ? #Н/Д #ОШИБКА! #ДЕЛ/0! #ПЕРЕНОС! #DEEL/0! #SAYI/0! #AD? #Saknas! #n/a #ref! #NA ####
Err:502 Err:508 Fehler:502 错误:504 Ошибка:502 Loading... Loading… 正在加载...
""".split()  # noqa: SIM905  # noqa: SIM905 - a list of these would be a screen long
FORMULAS = (
    "=A1&B1", '=IMAGE("https://a/1.png")', '=HYPERLINK("https://a","text")', "=2*5", "=5", "=$B$2", "=Sheet1!A1",
    "='My sheet'!A1", '="a "&B2', "=[@Prompt]", '=Table1[Prompt]&", 4k"', "=SUM(A1:A3)", "=_xlfn.CONCAT(A1)",
    "{=SUM(A1)}", "=+A1", "=-5", '=IFERROR(VLOOKUP(A2,B:C,2,0),"")', "=TRUE", '=concat(a1,"b")', "=prompt_1&B2",
)  # fmt: skip
WORDS = (
    "=cat", "-a cat", "@cat", "+a cat", "= a cat", "=cat & dog", "==",
    "=2 cats", "=A1 is the sauce", "#1 cat",
    "#sunset", "#sunset #beach", "#雨夜!", "the cell says #N/A", "Error 404",
    "error 502 page on a screen", "Loading dock", "NA",
    "Err on the side of light", "#", "a=B1", "{a cat}", "#wow!",
)  # fmt: skip


@pytest.mark.parametrize("field", [*COLUMNS, "id", "model", "provider", "route", "media_review"])
def test_an_error_or_a_formula_in_a_known_column_names_its_cell(field):
    for text in [*ERRORS, "Error 502", *FORMULAS, " #REF! ", "\ufeff#N/A"]:
        (problem,) = read_table([{"id": 1, "prompt": "a cat", field: text}]).problems
        assert (problem.line, problem.column, problem.value) == (1, field, text.strip())
        assert str(problem.message).startswith("is a formula" if "=" in text[:2] else "is an error of"), text


@pytest.mark.parametrize("text", WORDS)
def test_a_prompt_of_the_users_own_words_is_one(text):
    (row,) = read_table([{"prompt": text}]).rows
    assert row.request.prompt == text


@pytest.mark.parametrize("text", [*ERRORS, *FORMULAS])
def test_in_a_column_of_the_users_own_it_is_only_text(text):
    table = read_table([{"prompt": "a cat", "note": text}])
    assert not table.problems
    assert table.frame["note"].tolist() == [text]


def test_one_of_several_media_may_be_an_error_too():
    for cell in ("a.png|#N/A", ["a.png", "#REF!"], '["#NV"]'):
        assert "is an error of the spreadsheet" in str(read_table([{"prompt": "a", "images": cell}]).problems[0])


@pytest.mark.parametrize("size", [10**5, 10**6])
def test_long_text_is_judged_at_once(size):
    for text in ("=" + "A1&" * size, "=" + "(" * size, "#" + "A" * size, "=" + "'" * size, "=SUM(" + "x" * size):
        read_table([{"prompt": text}])
