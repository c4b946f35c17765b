"""The result files of large batches: bounded where nobody could open them, whole where nothing may be missing."""

from __future__ import annotations

import csv
import json
import pickle
import re
from pathlib import Path

import pandas as pd
import pytest
from prefect.utilities.collections import visit_collection

from prefect_seedance.ledger import State, add_up
from prefect_seedance.reports import files
from prefect_seedance.reports.files import SHEET, write_files
from prefect_seedance.reports.result import GenerateResult, RowResult
from tests.reports.sheets import a_batch


@pytest.fixture
def result(tmp_path: Path) -> GenerateResult:
    rows, attempts = a_batch(60, tmp_path)
    return GenerateResult(
        batch="spring",
        take="1",
        name="Some failed",
        rows=[RowResult(row.key, row.state.value) for row in rows],
        costs=[],
        costs_to_date=add_up(attempts),
        made=0,
        folder=tmp_path,
        ledger="",
        frame=pd.DataFrame({"note": [f"n{number}" for number in range(60)]}),
        history=rows,
        attempts=attempts,
    )


def on_sheet(folder: Path) -> dict:
    page = (folder / SHEET).read_text(encoding="utf-8")
    return json.loads(re.search(r"<script[^>]*application/json[^>]*>(.*?)</script>", page, re.DOTALL)[1])


def test_a_sheet_of_very_many_rows_shows_those_that_need_a_look_and_the_money_of_all(result, monkeypatch, tmp_path):
    write_files(result)
    whole = on_sheet(tmp_path)
    assert len(whole["cards"]) == 60
    assert "warnings" not in whole
    monkeypatch.setattr(files, "SHEET_ROWS", 20)
    write_files(result)
    some = on_sheet(tmp_path)
    assert len(some["warnings"]) == 1
    assert some["warnings"][0].startswith("This page shows 20 of 60 rows, those first that are neither stored nor")
    urgent = [row.row for row in result.rows if row.status != State.STORED]
    calm = [row.row for row in result.rows if row.status == State.STORED]
    kept = {*urgent, *calm[: 20 - len(urgent)]}
    # Those that are shown stand in the order of the table, as they would on the whole sheet.
    assert [card["key"] for card in some["cards"]] == [row.row for row in result.rows if row.row in kept]
    assert [card["columns"] for card in some["cards"]] == [
        card["columns"] for card in whole["cards"] if card["key"] in kept
    ]
    assert (some["cost"], some["routes"]) == (whole["cost"], whole["routes"])
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == 60


def test_a_result_is_named_in_a_line(result):
    assert len(repr(result)) < 2000
    assert "spring-0001" not in repr(result)


def test_prefect_does_not_walk_through_a_result(result):
    seen = []
    visit_collection(result, visit_fn=seen.append, return_data=False)
    assert [type(each) for each in seen] == [GenerateResult]
    assert pickle.loads(pickle.dumps(result)).rows == result.rows
