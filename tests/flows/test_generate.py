"""The one call that all users make: a table in, verified videos and their cost out."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import av
import pandas as pd
import pytest
from prefect import flow

from prefect_seedance import VideoRequest, agenerate_videos, generate_video, generate_videos
from prefect_seedance.core.events import RowEvent, watching
from tests.patience import patience

DOCUMENTED = {
    "status", "route", "job_id", "video", "sha256", "bytes", "width", "height", "seconds", "billing_model", "units",
    "unit_price", "cost", "currency", "error_code", "error_message",
}  # fmt: skip


def test_a_table_over_several_routes_becomes_verified_videos_and_costs(make, route_to, sandbox):
    table = pd.DataFrame(
        {
            "id": ["second", "job", "tokens", "refused", "chinese"],
            "prompt": ["a lantern", "a shoe", "an astronaut", "Mickey Mouse", "采茶女孩抬头微笑 🍵"],
            "model": [None, "seedance2.0-md", "seedance-2.0-mini", None, "seedance2.0-mini"],
            "resolution": ["480p", None, "480p", None, "720p"],
            "ratio": ["1:1", "16:9", "16:9", "16:9", "9:16"],
            "Campaign No.": [3, 1, 4, 1, 5],
        },
        index=["e", "d", "c", "b", "a"],
    )
    given = table.copy(deep=True)
    routes = [route_to(duration=4), route_to("seedance2.0-md"), route_to("seedance-2.0-mini", duration=5)]

    result = make(table, route=routes)
    frame = result.to_dataframe()

    pd.testing.assert_frame_equal(table, given)
    pd.testing.assert_frame_equal(frame[list(given.columns)], given)
    assert set(frame.columns) >= DOCUMENTED
    assert frame["status"].tolist() == ["stored", "stored", "stored", "failed", "stored"]
    assert frame.loc["b", "error_message"] == "PROVIDER_MODERATION_ERROR: TRADEMARK"
    assert pd.isna(frame.loc["b", "video"])
    bill = {line.job_id: line for line in sandbox.state.bill()}
    assert len(bill) == 5
    sizes = {"e": (640, 640, 4), "d": (1280, 720, 5), "c": (864, 496, 5), "a": (720, 1280, 4)}
    for name, (_width, _height, seconds) in sizes.items():
        row = frame.loc[name]
        data = Path(row["video"]).read_bytes()
        assert (row["sha256"], row["bytes"]) == (hashlib.sha256(data).hexdigest(), len(data))
        with av.open(row["video"]) as opened:
            stream = opened.streams.video[0]
            assert (stream.width, stream.height) == (row["width"], row["height"])
            assert sum(1 for _ in opened.decode(stream)) / 24 == pytest.approx(seconds, abs=0.3)
        assert row["seconds"] == pytest.approx(Decimal(seconds), abs=Decimal("0.3"))
        assert isinstance(row["cost"], Decimal)
        assert row["cost"] == row["units"] * row["unit_price"] == bill[row["job_id"]].amount
        assert row["currency"] == "CNY"
    # A failed job at Jimmy AI may be charged or not: no document says, so it is neither a cost nor a zero.
    assert frame.loc["b", "cost"] is None
    assert result.cost() == {"CNY": sum(frame["cost"].dropna())}
    assert sandbox.state.calls["files.with_authorization"] == 0
    stored = {Path(path).name for path in frame["video"].dropna()}
    assert {path.name for path in result.folder.glob("*.mp4")} == stored
    assert not [path for path in result.folder.rglob("*") if path.suffix in {".part", ".json", ".tmp"}]

    from_csv = pd.read_csv(result.files["csv"], dtype=str)
    from_parquet = pd.read_parquet(result.files["parquet"])
    for written in (from_csv, from_parquet):
        assert written["id"].tolist() == given["id"].tolist()
        assert written["prompt"].tolist() == given["prompt"].tolist()
        assert written["sha256"].dropna().tolist() == frame["sha256"].dropna().tolist()
        assert [Decimal(str(cost)) for cost in written["cost"].dropna()] == frame["cost"].dropna().tolist()


@pytest.mark.slow
def test_the_same_rows_are_the_same_rows_from_any_kind_of_table(make, sandbox, tmp_path):
    rows = [{"prompt": "one", "duration": 5, "watch": "a"}, {"prompt": "二", "duration": 4, "watch": None}]
    frame = pd.DataFrame(rows)
    frame.to_csv(tmp_path / "table.csv", index=False)
    frame.to_parquet(tmp_path / "table.parquet")
    frame.to_excel(tmp_path / "table.xlsx", index=False)
    frame.to_json(tmp_path / "table.jsonl", orient="records", lines=True)
    requests = [VideoRequest(prompt="one", duration=5), VideoRequest(prompt="二", duration=4)]

    first = make(rows)
    others = [make(tmp_path / name) for name in ("table.csv", "table.parquet", "table.xlsx", "table.jsonl")]
    others += [make(str(tmp_path / "table.csv")), make(frame), make(requests)]

    assert first.made == 2
    assert [other.made for other in others] == [0] * 7
    assert {tuple(row.row for row in other.rows) for other in others} == {tuple(row.row for row in first.rows)}
    assert sandbox.state.calls["jimmy.create"] == 2


@pytest.mark.slow
def test_headings_choice_pilot_and_take(make, sandbox):
    table = pd.DataFrame({"编号": ["a", "b", "c"], "文案": ["x", "y", "z"]})
    columns = {"prompt": "文案", "id": "编号"}

    pilot = make(table, columns=columns, limit=1)
    assert pilot.to_dataframe()["status"].tolist() == ["stored", "left_out", "left_out"]
    chosen = make(table, columns=columns, only=["c"])
    assert chosen.to_dataframe()["status"].tolist() == ["stored", "left_out", "stored"]
    assert (pilot.made, chosen.made) == (1, 1)
    everything = make(table, columns=columns)
    assert everything.made == 1
    again = make(table, columns=columns, take="2", only=["a"])
    assert [line.prompt for line in sandbox.state.bill()] == ["x", "z", "y", "x"]
    first, second = Path(everything.rows[0].video), Path(again.rows[0].video)
    assert first != second
    assert first.read_bytes() != second.read_bytes()
    assert hashlib.sha256(first.read_bytes()).hexdigest() == everything.rows[0].sha256
    assert again.cost() == {"CNY": Decimal("0.25")}
    assert sum(line.cost for line in again.costs_to_date) == Decimal("1.00")


def test_never_more_jobs_at_once_than_the_route_allows(make, route_to, sandbox):
    result = make([{"prompt": f"wave {n}"} for n in range(9)], route=route_to(max_in_flight=3))
    assert result.made == 9
    # On a busy machine the third may come when the first is done.
    assert 1 < sandbox.state.peak["jimmy"] <= 3


# Prefect leaves a connection to its own server open when a test's event loop closes.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*socket.socket")
async def test_it_works_where_a_loop_runs_already_and_inside_other_flows(prefect_server, route_to, output, sandbox):
    """A notebook has a running loop; a user's pipeline has flows of both kinds around ours."""
    options = {"route": route_to(), "output": output}

    @flow
    def sync_pipeline() -> str:
        return generate_videos([{"prompt": "one"}], batch="sync", **options).name

    @flow
    async def async_pipeline() -> tuple[str, str]:
        pair = await asyncio.gather(
            agenerate_videos([{"prompt": "two"}], batch="left", **options),
            agenerate_videos([{"prompt": "three"}], batch="right", **options),
        )
        return pair[0].name, pair[1].name

    in_a_cell = generate_video("four", batch="cell", **options)
    assert in_a_cell.name == "All stored"
    assert await async_pipeline() == ("All stored", "All stored")
    assert await asyncio.to_thread(sync_pipeline) == "All stored"
    assert sandbox.state.calls["jimmy.create"] == 4


@pytest.mark.slow
def test_a_batch_template_is_filled_from_the_scheduled_time_and_survives_a_retry(
    prefect_server, route_to, output, sandbox
):
    """The first attempt runs out of patience; Prefect retries the flow, and the same batch takes its job up."""
    sandbox.state.settings = replace(sandbox.state.settings, speed=20)  # jobs of 1 to 2 seconds
    patient = generate_videos.with_options(retries=4, retry_delay_seconds=0.3)
    options = {"route": route_to(), "output": output, "patience": 0.4, "return_state": True}
    state = patient([{"prompt": "slow"}], batch="nightly-{scheduled:%Y-%m-%d}", **options)
    result = state.result()
    assert result.batch == f"nightly-{datetime.now(UTC):%Y-%m-%d}"
    assert result.folder.name == result.batch
    assert result.rows[0].status == "stored"
    assert sandbox.state.calls["jimmy.create"] == 1


@pytest.mark.slow
def test_whoever_only_looks_on_brings_no_row_down(make, sandbox, caplog):
    def broken(_: RowEvent) -> None:
        raise BrokenPipeError("stdout is gone")

    with watching(broken):
        result = make([{"id": "a", "prompt": "a lantern"}], patience=patience())
    assert result.counts == {"stored": 1}
    assert "A watcher of row events failed" in caplog.text
