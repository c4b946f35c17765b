"""The ledger against the sandbox's own bill, in good weather and in bad: what is paid is known, and paid once."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from prefect_seedance.blocks import JimmyCredentials, PriceBook
from prefect_seedance.cli.app import run as cli
from prefect_seedance.sandbox import SandboxSettings
from prefect_seedance.sandbox.world.prices import price_list
from tests.lifetimes import end_of_life

ROUTES = {
    "seedance2.0-mini": {"duration": 4, "resolution": "480p"},
    "seedance2.0-mini-video": {"duration": 4, "reference": True},
    "seedance2.0-sp": {"duration": 5, "resolution": "1080p"},
    "seedance2.0-mini-sp": {"duration": 5},
    "seedance2.0-std": {"duration": 6},
    "sd2_mx_fast_720p": {"duration": 5},
    "seedance-2.0-mini": {"duration": 5, "ratio": "9:16", "resolution": "720p"},
}


@pytest.fixture
def all_routes(route_to):
    book = PriceBook(currency="CNY", prices={name: str(price) for name, price in price_list().items()})
    return [route_to(model, prices=book, max_in_flight=8) for model in ROUTES]


def test_every_job_costs_what_the_bill_says(make, all_routes, sandbox):
    table = []
    for model, settings in ROUTES.items():
        expressions = dict(settings)
        row = {"id": model, "prompt": f"for {model}", "model": model}
        if expressions.pop("reference", None):
            row["reference_videos"] = "https://example.com/walk.mp4"
        table.append({**row, **expressions})
    result = make(table, route=all_routes)
    bill = {line.job_id: line for line in sandbox.state.bill()}
    assert len(bill) == len(ROUTES)
    for row in result.rows:
        line = bill[row.job_id]
        assert row.status == "stored"
        assert row.billing_model == line.billing_model, row.row
        if row.row == "seedance2.0-mini-video":
            # The input's length was not known to us: then the cost is unknown, never a guess.
            assert (row.units, row.cost) == (None, None)
            assert row.cost_note
            continue
        assert (row.units, row.unit_price, row.unit) == (line.units, line.unit_price, line.unit), row.row
        assert (row.cost, row.currency) == (line.cost, line.currency), row.row
    known = sum(line.cost for line in bill.values() if line.model != "seedance2.0-mini-video")
    assert result.cost() == {"CNY": known}
    assert sum(line.cost for line in result.costs_to_date) == known
    assert sum(line.unpriced for line in result.costs_to_date) == 1


STORM = {
    "rate_limited": 0.15,
    "error_before": 0.06,
    "error_after": 0.06,
    "broken_after": 0.06,
    "cut_before": 0.06,
    "cut_after": 0.06,
    "failed": 0.05,
    "expired_link": 0.06,
    "stale_link": 0.1,
    "no_ranges": 0.2,
    "changing_etag": 0.1,
    "query_error": 0.1,
    "query_cut": 0.1,
    "query_limited": 0.05,
    "query_broken": 0.1,
    "download_cut": 0.2,
    "download_error": 0.1,
    "odd_headers": 0.3,
    "keyed_link": 0.1,
}


@pytest.mark.parametrize(
    ("envelope", "dialect", "retry_after"),
    [
        ("documented", "lower", 0.2),
        pytest.param("faq", "flat", None, marks=pytest.mark.slow),
        pytest.param("bare", "upper", 0.0, marks=pytest.mark.slow),
        pytest.param("int20000", "new", 1.0, marks=pytest.mark.slow),
    ],
)
def test_in_a_storm_no_row_is_paid_twice_and_the_ledger_knows_every_job(
    make, all_routes, sandbox, envelope, dialect, retry_after, monkeypatch
):
    end_of_life(monkeypatch)
    sandbox.faults.update(**STORM, jimmy_envelope=envelope, anyfast_dialect=dialect, retry_after=retry_after)
    models = ("seedance2.0-mini", "seedance-2.0-mini", "seedance2.0-std")
    table = [
        {"id": f"{n}", "prompt": f"{envelope} {n}", "model": models[n % 3], "duration": 5, "ratio": "16:9"}
        for n in range(18)
    ]
    first = make(table, route=all_routes, patience=30)
    assert sandbox.state.calls["jimmy.create.faulty"] + sandbox.state.calls["anyfast.create.faulty"] > 3

    sandbox.faults.rest()
    second = make(table, route=all_routes)
    unknown = {row.row for row in first.rows if row.status == "unknown"}
    assert {row.row for row in second.rows if row.status == "unknown"} == unknown
    assert {row.status for row in second.rows} <= {"stored", "unknown", "failed", "expired"}

    bill = sandbox.state.bill()
    assert max(Counter(line.prompt for line in bill).values()) == 1, "two paid jobs for one row"
    lines = {line.job_id: line for line in bill}
    for row in second.rows:
        if row.provider == "anyfast" and dialect in {"flat", "upper"} and row.job_id:
            # The old flat answers tell no usage: the cost is unknown then, neither a guess nor nought.
            assert lines.pop(row.job_id)
            assert row.cost is None
            assert row.cost_note
        elif row.status in {"stored", "expired"}:
            assert row.cost == lines.pop(row.job_id).cost, row
        elif row.status == "failed":
            lines.pop(row.job_id)
        else:
            assert row.job_id is None
            assert row.cost is None
    # What is left on the bill was paid without our knowing: each such job belongs to a row that is held as unknown.
    assert {line.prompt.split()[1] for line in lines.values()} <= unknown
    held = sum(line.held for line in second.costs_to_date)
    assert held == len(unknown)
    doubt = [line.doubt for line in second.costs_to_date if line.held]
    assert sum(doubt, Decimal(0)) >= sum((line.cost for line in lines.values()), Decimal(0))


def bill_file(url: str, path: Path, ahead: timedelta = timedelta(hours=8)) -> Path:
    """The sandbox's bill over HTTP, written as a Chinese console exports it: GBK, local times, no account."""
    with path.open("w", newline="", encoding="gbk") as file:
        writer = csv.writer(file)
        writer.writerow(["任务ID", "计费模型名", "金额", "币种", "创建时间"])
        for line in httpx.get(f"{url}/_sandbox/bill").raise_for_status().json():
            made = datetime.fromtimestamp(line["created_at"], UTC) + ahead
            writer.writerow(
                [
                    line["job_id"],
                    line["billing_model"],
                    f"￥{line['cost']}",
                    line["currency"],
                    f"{made:%Y/%m/%d %H:%M:%S}",
                ]
            )
    return path


TWO_KEYS = SandboxSettings(speed=100, keys={**SandboxSettings().keys, "sk_second": "jimmy/second"})


@pytest.mark.slow
@pytest.mark.parametrize("sandbox_settings", [TWO_KEYS])
def test_the_bill_is_held_against_the_whole_ledger_and_finds_the_unknown_rows(
    make, route_to, sandbox, tmp_path, capsys
):
    sandbox.faults.queue("create", "ok", "cut_after", "broken_after", "failed", "ok")
    table = [{"id": f"r{n}", "prompt": f"a lantern {n}"} for n in range(5)]
    make(table, batch="spring", route=route_to(duration=5, max_in_flight=1))
    second = JimmyCredentials(api_key="sk_second", base_url=sandbox.url, account="second")
    dollars = PriceBook(currency="USD", prices={"seedance2.0-mini-720p": "0.05"})
    make(table[:2], batch="summer", route=route_to(duration=5, credentials=second, prices=dollars))

    path = bill_file(sandbox.url, tmp_path / "bill.csv")
    capsys.readouterr()
    assert cli(["report", "--bill", str(path)]) == 1
    text = capsys.readouterr().out
    last = text.strip().splitlines()[-1]
    for count in ("2 agreed", "1 failed, charged", "1 missing here", "1 named here", "2 other currency"):
        assert count in last, text
    assert re.search(r"jimmy/second +USD +0.5 +0\b", text), text
    assert re.search(r"jimmy/second +CNY +0 +0.5\b", text), text
    assert "This bill does: 1 of 1 were" in text

    # What it offers is right: each unknown row is resolved by its own job, and nothing is paid again.
    commands = dict(re.findall(r"prefect-seedance resolve spring (\S+) job (\S+)", text))
    made = {line.job_id: line.prompt for line in sandbox.state.bill()}
    assert {row: made[job] for row, job in commands.items()} == {"r1": "a lantern 1", "r2": "a lantern 2"}
    for row, job in commands.items():
        assert cli(["resolve", "spring", row, "job", job]) == 0
    make(table, batch="spring", route=route_to(duration=5))
    assert sandbox.state.calls["jimmy.create"] == 7
    capsys.readouterr()
    assert cli(["report", "spring", "--bill", str(path)]) == 1, "the failed job was charged, and the ledger cannot know"
    text = capsys.readouterr().out
    assert "4 agreed" in text, text
    assert "summer" not in text


@pytest.mark.slow
def test_a_result_that_is_no_whole_video_is_never_stored(make, route_to, sandbox):
    kinds = ("truncated_result", "corrupt_result", "html_result")
    sandbox.faults.queue("create", *kinds)
    table = [{"id": kind, "prompt": kind} for kind in kinds]
    result = make(table, route=route_to(max_in_flight=1), patience=120)
    assert {row.status for row in result.rows} == {"succeeded"}
    assert [row.cost for row in result.rows] == [Decimal("0.25")] * 3, "made and paid: the cost is known"
    assert all(row.video is None and row.error_message for row in result.rows)
    assert list(result.folder.glob("*.mp4")) == []
    assert sandbox.state.calls["jimmy.create"] == 3
