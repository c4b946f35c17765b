"""File names by the user's template."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_seedance.errors import InputError
from prefect_seedance.planning.file_names import file_names
from prefect_seedance.planning.plan import gather
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import find
from prefect_seedance.tables.reader import read_table

ROUTE = RouteSettings(
    account=Account(provider="jimmy", label="default", base_url="http://127.0.0.1:9", api_key=SecretStr("sk_x")),
    route=find("seedance2.0-mini"),
)
ROWS = [
    {"id": "a", "prompt": "x", "duration": 5, "ratio": "16:9", "Client": "Blue Ocean, Inc.", "nr": 7},
    {"id": "b/..", "prompt": "x", "Client": None, "nr": None},
]


def names(template, rows=ROWS, take="1"):
    table = read_table(pd.DataFrame(rows))
    return file_names(template, table, gather(table, (ROUTE,)), batch="spring 26", take=take)


@pytest.mark.parametrize(
    ("template", "first", "second"),
    [
        ("{batch}/{id}-{model}.mp4", "spring-26/a-seedance2.0-mini", "spring-26/b-seedance2.0-mini"),
        ("{id}", "a", "b"),
        ("{Client}/{nr} {ratio} {duration}s", "Blue-Ocean-Inc/7 16-9 5s", "none/none none 5s"),
        ("{provider}_{take}_{id}.MP4", "jimmy_1_a", "jimmy_1_b"),
        ("con/{id}", "con-/a", "con-/b"),
    ],
)
def test_a_template_names_the_files(template, first, second):
    assert names(template) == {"a": first, "b/..": second}


def test_dates_and_takes():
    today = dt.datetime.now().astimezone().date()
    assert names("{date:%Y%m%d}-{id}")["a"] == f"{today:%Y%m%d}-a"
    assert names("{date}-{id}")["a"] == f"{today}-a"
    # A take that the template does not name shows all the same, as it does without a template.
    assert names("{id}.mp4", take="final cut")["a"] == "a.take-final-cut"
    assert names("{id}-{take}", take="2")["a"] == "a-2"
    assert names(None) is None


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{idd}.mp4", r"no 'idd'. Known are: batch, id, take, .*Client, nr\."),
        ("{id.__class__}", "no 'id.__class__'"),
        ("../{id}", r"no '\.\.'"),
        ("/{id}", "no slash"),
        ("{id}/", "no slash"),
        ("a//{id}", "no slash"),
        ("C:\\{id}", r"no '\\'"),
        ("C:/{id}", "no ':'"),
        ("{id", "Write fields in braces"),
        ("{}", "names no field"),
        ("film.mp4", "names no field"),
        ("{id!r}", "cannot have ':' or '!'"),
        ("{nr:>100000000}", "cannot have ':' or '!'"),
        ("a/b/c/d/e/f/{id}", "at most 5"),
    ],
)
def test_a_template_that_leads_elsewhere_or_nowhere(template, text):
    with pytest.raises(InputError, match=text) as caught:
        names(template)
    assert "Nothing was spent" in str(caught.value)


PRINTED = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=150)


@settings(max_examples=40)
@given(PRINTED, st.text())
def test_whatever_stands_in_a_cell_the_file_stays_in_its_folder(ident, client):
    rows = [{"id": f"x{ident}", "prompt": "p", "Client": client}]
    (found,) = names("{Client}/{id}", rows).values()
    folder, _, name = found.partition("/")
    assert folder
    assert name
    assert "/" not in name
    assert {folder, name}.isdisjoint({".", ".."})
    assert len(found.encode()) < 400
