"""The result files of large batches: bounded where nobody could open them, whole where nothing may be missing."""

from __future__ import annotations

import csv
import json
import pickle
import re
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from prefect.utilities.collections import visit_collection

from prefect_seedance.ledger import State, add_up
from prefect_seedance.reports import files
from prefect_seedance.reports.files import SHEET, sheet_is_current, write_files, write_results, write_sheet
from prefect_seedance.reports.results import tables
from prefect_seedance.reports.results.result import GenerateResult, RowResult
from prefect_seedance.reports.results.row_result import Rows
from tests.reports.sheets import a_batch


@pytest.fixture
def result(tmp_path: Path) -> GenerateResult:
    rows, attempts = a_batch(60, tmp_path)
    return GenerateResult(
        batch="spring",
        take="1",
        name="Some failed",
        rows=Rows(RowResult(row.key, row.state.value) for row in rows),
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


def test_files_are_left_alone_while_they_are_what_would_be_written(result, tmp_path):
    def written() -> list[int]:
        write_files(result)
        return [(tmp_path / name).stat().st_mtime_ns for name in ("results.csv", "results.parquet")]

    first = written()
    assert written() == first
    assert {kind: path.name for kind, path in result.files.items()} == {
        "csv": "results.csv",
        "parquet": "results.parquet",
        "sheet": SHEET,
    }
    whole = (tmp_path / "results.csv").read_bytes()
    (tmp_path / "results.csv").write_bytes(whole.replace(b"n1", b"m1"))
    assert written() != first, "somebody has touched a file"
    assert (tmp_path / "results.csv").read_bytes() == whole
    (tmp_path / "results.parquet").unlink()
    assert all(new != old for new, old in zip(written(), first, strict=True)), "a file was gone"
    same = written()
    result.rows = Rows([*result.rows[:59], RowResult(result.rows[59].row, "unknown")])
    assert all(new != old for new, old in zip(written(), same, strict=True)), "a row has moved"
    same = written()
    result.frame.loc[3, "note"] = "other"
    assert all(new != old for new, old in zip(written(), same, strict=True)), "a cell of the user's has changed"
    assert b"other" in (tmp_path / "results.csv").read_bytes()


def test_pieces_make_one_file(result, monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "PIECE", 7)
    amounts = [None if place % 9 else Decimal(f"{place}.{place:03}") for place in range(60)]
    result.rows = Rows(RowResult(f"r{place}", "stored", cost=amount) for place, amount in enumerate(amounts))
    result.frame = pd.DataFrame(
        {"late": [None] * 50 + ["x"] * 10, "mixed": [*range(30), *"abcdefghijklmnopqrstuvwxyzABCD"]}
    )
    write_files(result)
    table = pd.read_parquet(tmp_path / "results.parquet")
    assert table["row"].tolist() == [f"r{place}" for place in range(60)]
    assert [None if value is None else Decimal(value) for value in table["cost"]] == amounts
    assert table["late"].isna().sum() == 50
    assert table["mixed"].tolist()[28:31] == ["28", "29", "a"]
    with (tmp_path / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == [f"r{place}" for place in range(60)]


def test_a_contact_sheet_is_current_until_something_on_it_changes(result, tmp_path):
    assert not sheet_is_current(result), "nothing was written yet"
    write_files(result)
    result.files.clear()
    write_results(result)
    assert sheet_is_current(result)
    assert result.files["sheet"] == tmp_path / SHEET
    result.warnings.append("look here")
    assert not sheet_is_current(result)
    write_sheet(result)
    assert on_sheet(tmp_path)["warnings"] == ["look here"]
    (tmp_path / ".previews").mkdir(exist_ok=True)
    (tmp_path / ".previews" / "new.jpg").write_bytes(b"")
    assert not sheet_is_current(result), "there is a picture more"
    write_sheet(result)
    assert sheet_is_current(result)
    (tmp_path / SHEET).unlink()
    assert not sheet_is_current(result)
