"""A provider's bill: its spellings, its files, and what is said of each job beside the ledger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import InputError
from prefect_seedance.reports.bill.amounts import read_amount
from prefect_seedance.reports.bill.comparison import Bought, compare
from prefect_seedance.reports.bill.reading import Bill, BillLine, read_bill

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
QUARTER = Decimal("0.25")


@pytest.mark.parametrize(
    ("cell", "value", "currency"),
    [
        ("0.25", "0.25", None),
        ("0,25", "0.25", None),
        ("0,250", "0.250", None),
        ("0.25 CNY", "0.25", "CNY"),
        ("cny 0,25", "0.25", "CNY"),
        ("¥0.25", "0.25", "CNY"),
        ("￥０．２５", "0.25", "CNY"),
        ("0.25元", "0.25", "CNY"),
        ("RMB 0.25", "0.25", "CNY"),
        ("$0.05", "0.05", "USD"),
        ("US$ 0.05", "0.05", "USD"),
        ("1,234.50", "1234.50", None),
        ("1.234,50 €", "1234.50", "EUR"),
        ("1 234,50", "1234.50", None),
        ("1,234,567", "1234567", None),
        ("-0.25", "-0.25", None),
        ("−0.25", "-0.25", None),
        ("-¥0.25", "-0.25", "CNY"),
        ("¥-0.25", "-0.25", "CNY"),
        ("(0.25)", "-0.25", None),
        (0.25, "0.25", None),
        (1e-05, "0.00001", None),
        (Decimal("0.2500"), "0.2500", None),
        (3, "3", None),
    ],
)
def test_an_amount_in_each_spelling(cell: Any, value: str, currency: str | None) -> None:
    assert read_amount(cell) == (Decimal(value), currency)


@pytest.mark.parametrize("cell", ["", " ", "NaN", "nan", float("nan"), None, "-", "--", "—", "null", "N/A", pd.NA])
def test_an_empty_amount_is_not_zero(cell: Any) -> None:
    assert read_amount(cell) == (None, None)


@pytest.mark.parametrize(
    "cell",
    [
        "1,234",
        "about 3",
        "0.25 CNY USD",
        "0.25.1",
        "0,25,1",
        "inf",
        float("inf"),
        "--1",
        "-(1)",
        "1/4",
        True,
        "12:30",
        "0.2 credits!",
    ],
)
def test_what_is_no_amount_or_could_be_two_is_refused(cell: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_amount(cell)


@given(
    st.decimals(0, 10**9, places=6),
    st.sampled_from(["{}", "¥{}", "{} CNY", "{}元", " {} ", "-{}"]),
    st.booleans(),
)
def test_no_digit_of_an_amount_is_lost(value: Decimal, spelling: str, full_width: bool) -> None:
    text = spelling.format(f"{value:f}")
    if full_width:
        text = text.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789.-"})
    assert abs(read_amount(text)[0] or Decimal(0)) == value


ROWS = [
    ("任务ID", "模型", "金额(元)", "创建时间"),
    ("vid_0001", "mini", "0.25", "2026/11/30 20:00:05"),
    ("合计", "", "0.25", ""),
]
CSV = "\n".join(",".join(row) for row in ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_bill_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "bill.csv"
    path.write_bytes(CSV.encode(encoding))
    (line,) = read_bill(path).lines
    assert (line.job_id, line.amount, line.currency, line.models) == ("vid_0001", QUARTER, "CNY", {"mini"})
    assert line.time == datetime(2026, 11, 30, 20, 0, 5)  # noqa: DTZ001 - the bill gives no zone


def test_a_bill_from_excel_or_as_json(tmp_path: Path) -> None:
    cells = [
        {"task_id": "vid_0001", "Cost": 0.25, "currency": "usd", "created_at": NOON.timestamp()},
        {"task_id": "vid_2", "Cost": None},
    ]
    pd.DataFrame(cells).to_excel(tmp_path / "bill.xlsx", index=False)
    (tmp_path / "bill.json").write_text(json.dumps(cells))
    for name in ("bill.xlsx", "bill.json"):
        first, second = read_bill(tmp_path / name).lines
        assert (first.amount, first.currency, first.time) == (QUARTER, "USD", NOON)
        assert (second.amount, second.currency) == (None, None)


def bill_of(tmp_path: Path, text: str, **options: Any) -> Bill:
    path = tmp_path / "bill.csv"
    path.write_text(text)
    return read_bill(path, **options)


def test_lines_of_a_job_are_added_up_and_currencies_kept_apart(tmp_path: Path) -> None:
    text = "job,amount\nj1,0.20 CNY\nj1,0.05 CNY\nj1,0.05 USD\nj2,1 CNY\nj2,\n,7 CNY"
    bill = bill_of(tmp_path, text)
    assert [(line.job_id, line.currency, line.amount) for line in bill.lines] == [
        ("j1", "CNY", QUARTER),
        ("j1", "USD", Decimal("0.05")),
        ("j2", "CNY", Decimal(1)),
        ("j2", None, None),
    ]
    assert bill.without_job == 1


def test_an_amount_without_a_currency_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"line 2: 0.25 of which currency.*--bill-currency"):
        bill_of(tmp_path, "job,amount\nj1,0.25")
    assert bill_of(tmp_path, "job,amount\nj1,0.25", currency="cny").lines[0].currency == "CNY"


def test_all_bad_amounts_are_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)2 lines have no amount.*line 2, amount: '1,234'.*line 4, amount: 'x'"):
        bill_of(tmp_path, 'job,amount\nj1,"1,234"\nj2,1\nj3,x', currency="CNY")


@pytest.mark.parametrize(("text", "word"), [("a,amount\n1,2", "--bill-job"), ("job,b\n1,2", "--bill-amount")])
def test_a_missing_column_is_named(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        bill_of(tmp_path, text)
    assert bill_of(tmp_path, "a,b\nj1,2 CNY", job_column="A", amount_column=" b ").lines[0].amount == 2


def ours(job_id: str | None, row: str, charge: Decimal | None = QUARTER, **fields: Any) -> Bought:
    given = {
        "batch": "spring",
        "take": "1",
        "account": "jimmy/main",
        "models": frozenset({"mini", "mini-720p"}),
        "sent_at": NOON,
        "currency": "CNY",
        "least": QUARTER,
        "most": QUARTER,
    }
    return Bought(job_id=job_id, row=row, charge=charge, **{**given, **fields})


def billed(job_id: str, amount: Decimal | None = QUARTER, currency: str | None = "CNY", **fields: Any) -> BillLine:
    return BillLine(job_id, currency, amount, **fields)


@pytest.mark.parametrize(
    ("here", "there", "verdict"),
    [
        (ours("j", "a"), billed("j"), "agreed"),
        (ours("j", "a"), billed("j", Decimal("0.250")), "agreed"),
        (ours("j", "a"), billed("j", Decimal("0.26")), "differs"),
        (ours("j", "a"), billed("j", currency="USD"), "other currency"),
        (ours("j", "a", Decimal(0)), billed("j", Decimal(0), currency="USD"), "agreed"),
        (ours("j", "a", None), billed("j"), "amount unknown here"),
        (ours("j", "a", None, open=True), billed("j"), "not settled here yet"),
        (ours("j", "a"), billed("j", None), "no amount there"),
        (ours("j", "a", None, undocumented=True), billed("j"), "failed, charged"),
        (ours("j", "a", None, undocumented=True), billed("j", Decimal(0)), "failed, not charged"),
        (ours("j", "a", None, undocumented=True), billed("j", currency="USD"), "other currency"),
    ],
)
def test_the_verdict_of_a_job(here: Bought, there: BillLine, verdict: str) -> None:
    (match,) = compare(Bill([there]), [here]).matches
    assert match.verdict == verdict


def test_what_the_bill_must_have() -> None:
    """The jobs of its accounts from its first to its last one, and those of the batch that the user names."""
    hour = timedelta(hours=1)
    ledger = [
        ours("first", "a", sent_at=NOON),
        ours("between", "b", sent_at=NOON + hour),
        ours("refunded", "c", Decimal(0), sent_at=NOON + hour),
        ours("failed", "d", None, undocumented=True, sent_at=NOON + hour),
        ours("running", "e", None, open=True, sent_at=NOON + hour),
        ours("last", "f", sent_at=NOON + 2 * hour),
        ours("later", "g", sent_at=NOON + 3 * hour, batch="summer"),
        ours("elsewhere", "h", sent_at=NOON + hour, account="anyfast/main"),
    ]
    bill = Bill([billed("first"), billed("last")])
    found = compare(bill, ledger)
    assert {match.job_id: match.verdict for match in found.matches} == {
        "first": "agreed",
        "last": "agreed",
        "between": "missing there",
        "failed": "failed, not on the bill",
    }
    assert found.elsewhere == 2
    assert found.matches[0].verdict == "missing there", "disagreements come first"
    assert {match.job_id for match in compare(bill, ledger, batch="summer").matches} >= {"later"}
    other = compare(bill, ledger, account="anyfast/main").matches
    assert {match.verdict for match in other} == {"other account"}


def test_sums_are_by_account_and_currency() -> None:
    ledger = [
        ours("j1", "a"),
        ours("j2", "b", Decimal("0.05"), account="jimmy/usd", currency="USD"),
        ours("j3", "c", None),
    ]
    bill = Bill([billed("j1", Decimal("0.26")), billed("j2", Decimal("0.05")), billed("j3")])
    assert compare(bill, ledger).sums == {
        ("jimmy/main", "CNY"): (QUARTER, Decimal("0.51")),
        ("jimmy/usd", "CNY"): (Decimal(0), Decimal("0.05")),
        ("jimmy/usd", "USD"): (Decimal("0.05"), Decimal(0)),
    }


def candidates(line: BillLine, *ledger: Bought, account: str | None = None) -> tuple[str, list[str]]:
    found = compare(Bill([line]), ledger, account=account).matches[0]
    return found.verdict, [each.row for each in found.candidates]


def test_a_line_without_a_row_is_offered_to_the_unknown_rows_that_fit() -> None:
    line = billed("vid_lost", models=frozenset({"mini-720p"}), time=NOON + timedelta(minutes=1))
    likely = ours(None, "likely", None, sent_at=NOON + timedelta(seconds=30))
    assert candidates(
        line,
        ours(None, "early", None, sent_at=NOON - timedelta(minutes=5)),
        likely,
        replace(likely, row="another price", least=Decimal(1), most=Decimal(2)),
        replace(likely, row="another currency", currency="USD"),
        replace(likely, row="another model", models=frozenset({"pro"})),
        replace(likely, row="another day", sent_at=NOON + timedelta(days=1)),
        replace(likely, row="no price", currency=None, least=None, most=None, sent_at=NOON - timedelta(minutes=6)),
        ours("job", "known"),
    ) == ("missing here", ["likely", "early", "no price"])
    assert candidates(line, likely, account="jimmy/other") == ("missing here", [])
    assert candidates(line, likely, account="main") == ("missing here", ["likely"])


def test_a_line_whose_job_an_unknown_rows_answer_names_is_that_rows() -> None:
    named = ours(None, "named", None, words='HTTP 502: {"x": "vid_lost", "y"', sent_at=NOON - timedelta(days=9))
    assert candidates(billed("vid_lost"), ours(None, "other", None), named) == ("named here", ["named"])
    assert candidates(billed("vid_los"), named)[0] == "missing here"
    assert candidates(billed("502"), named)[0] == "missing here", "a short id is in any text"


def test_times_without_a_zone_are_read_by_the_jobs_that_both_sides_know() -> None:
    ahead = timedelta(hours=8, seconds=20)
    local = lambda moment: (moment + ahead).replace(tzinfo=None)  # noqa: E731
    known = [ours(f"j{n}", f"r{n}", sent_at=NOON + timedelta(hours=n)) for n in range(3)]
    lines = [billed(str(each.job_id), time=local(each.sent_at)) for each in known]
    right = ours(None, "right", None, sent_at=NOON + timedelta(minutes=90))
    wrong = ours(None, "wrong", None, sent_at=NOON + timedelta(minutes=50))
    missing = compare(Bill([*lines, billed("vid_lost", time=local(right.sent_at))]), [*known, right, wrong])
    (match,) = (each for each in missing.matches if each.verdict == "missing here")
    assert [each.row for each in match.candidates] == ["right"]
    assert [each.row for each in missing.unexplained] == ["wrong"]


def test_a_job_that_is_an_error_of_the_spreadsheet_is_no_job_of_the_ledger(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in [["job_id", "amount"], ["#N/A", "5 CNY"], ["j2", "=1+1"]]:
        book.active.append(line)
    book.save(tmp_path / "bill.xlsx")
    with pytest.raises(InputError, match="line 3"):
        read_bill(tmp_path / "bill.xlsx")
    book.active["B3"] = "6 CNY"
    book.save(tmp_path / "bill.xlsx")
    assert [line.job_id for line in read_bill(tmp_path / "bill.xlsx").lines] == ["#N/A", "j2"]
