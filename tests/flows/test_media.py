"""Rows that name files, people and clips: each medium is brought to the provider once, and into the form it takes."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from prefect_seedance import quote_videos
from prefect_seedance.errors import InvalidRows
from prefect_seedance.sandbox.media import media_bytes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table's media, as a user would keep them."""
    shelf = tmp_path / "campaign"
    (shelf / "素材").mkdir(parents=True)
    for name, width, height in (("logo.png", 640, 640), ("素材/分镜 🍵.jpg", 960, 540), ("portrait.png", 600, 800)):
        (shelf / name).write_bytes(media_bytes(Path(name).name, width=width, height=height, seconds=Decimal(1)))
    (shelf / "dance.mp4").write_bytes(media_bytes("dance.mp4", width=1280, height=720, seconds=Decimal(3)))
    (shelf / "rain.mp3").write_bytes(media_bytes("rain.mp3", width=16, height=16, seconds=Decimal(4)))
    return shelf


def written(folder: Path, rows: list[dict[str, object]]) -> Path:
    path = folder / "prompts.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_many_rows_share_three_files_and_upload_each_once_across_runs(make, sandbox, folder):
    rows = [
        {"id": number, "prompt": f"scene {number}", "images": "logo.png|素材/分镜 🍵.jpg"}
        if number % 2
        else {"id": number, "prompt": f"scene {number}", "images": "logo.png", "reference_audios": "rain.mp3"}
        for number in range(8)
    ]
    table = written(folder, rows)
    result = make(table)
    assert result.counts == {"stored": 8}, [row.error_message for row in result]
    sizes = sum((folder / name).stat().st_size for name in ("logo.png", "素材/分镜 🍵.jpg", "rain.mp3"))
    assert sandbox.state.calls["jimmy.upload"] == 3
    assert sandbox.state.calls["jimmy.upload.bytes"] == sizes

    again = make(table, batch="summer")
    assert again.counts == {"stored": 8}
    (folder / "copy-of-logo.png").write_bytes((folder / "logo.png").read_bytes())
    make([{"id": "c", "prompt": "a copy"}], batch="copies")
    make(written(folder, [{"id": "c", "prompt": "a copy", "images": "copy-of-logo.png"}]), batch="autumn")
    assert sandbox.state.calls["jimmy.upload"] == 3
    sent = Counter(url for job in sandbox.state.jobs() for url in job.request.get("images", []))
    assert sent
    assert all("/_uploads/" in url for url in sent)


@pytest.mark.slow
def test_portraits_pass_the_whitelist_and_a_refused_one_stops_only_its_own_row(make, route_to, sandbox, folder):
    (folder / "fail.png").write_bytes((folder / "portrait.png").read_bytes() + b"\0")
    table = written(
        folder,
        [
            {"id": "good", "prompt": "she smiles", "images": "portrait.png", "media_review": "portrait"},
            {"id": "bad", "prompt": "he smiles", "images": "fail.png", "media_review": "portrait"},
            {"id": "plain", "prompt": "a lamp", "images": "logo.png", "media_review": None},
        ],
    )
    result = make(table, route=route_to("seedance2.0-sp"))
    assert {row.row: row.status for row in result} == {"good": "stored", "bad": "refused", "plain": "stored"}
    bad = next(row for row in result if row.row == "bad")
    assert "fail.png" in bad.error_message
    assert "did not pass the review" in bad.error_message
    assert bad.attempts == 0
    assert len(sandbox.state.bill()) == 2
    good = next(job for job in sandbox.state.jobs() if job.prompt == "she smiles")
    assert [url.partition("://")[0] for url in good.request["images"]] == ["asset"]

    # A new run tries the free review once more; what is stored stays untouched.
    again = make(table, route=route_to("seedance2.0-sp"), retry=["refused"])
    assert again.counts == {"stored": 2, "refused": 1}
    assert sandbox.state.calls["jimmy.realperson.submit"] == 3


@pytest.mark.slow
def test_full_routes_take_own_asset_ids_and_files_only_when_experimental(make, route_to, sandbox, folder):
    table = written(folder, [{"id": 1, "prompt": "a lamp", "images": "logo.png"}])
    with pytest.raises(InvalidRows, match=r"experimental"):
        make(table, route=route_to("sd2_mx_720p"))
    assert sandbox.state.calls["jimmy.upload"] == 0
    result = make(table, route=route_to("sd2_mx_720p", experimental=True))
    assert result.counts == {"stored": 1}, [row.error_message for row in result]
    assert any("no document confirms" in warning for warning in result.warnings)


def test_anyfast_takes_pictures_inline_and_clips_as_billed_assets_once(make, route_to, sandbox, folder):
    rows = [
        {"id": "inline", "prompt": "a lamp", "images": "logo.png", "ratio": "16:9"},
        *(
            {"id": f"clip-{n}", "prompt": f"dance {n}", "reference_videos": "dance.mp4", "ratio": "16:9"}
            for n in range(3)
        ),
    ]
    result = make(written(folder, rows), route=route_to("seedance-2.0-mini", duration=4))
    assert result.counts == {"stored": 4}, [row.error_message for row in result]
    assets = [line for line in sandbox.state.bill() if line.unit == "request"]
    assert sorted(line.billing_model for line in assets) == ["volc-asset", "volc-asset-video"]
    told = {line.billing_model: line for line in result.costs if line.unit == "request"}
    assert {name: line.units for name, line in told.items()} == {"volc-asset": 1, "volc-asset-video": 1}
    # No price is known for them: said apart, and never as zero.
    assert all(line.unpriced == 1 and line.currency is None for line in told.values())
    assert any("bills per request" in warning for warning in result.warnings)
    make(written(folder, rows), route=route_to("seedance-2.0-mini", duration=4), batch="again")
    assert len([line for line in sandbox.state.bill() if line.unit == "request"]) == 2


def test_a_lost_answer_to_a_billed_asset_is_looked_up_and_not_paid_twice(make, route_to, sandbox, folder):
    sandbox.faults.queue("asset", "ok", "asset_cut_after")
    rows = [{"id": 1, "prompt": "dance", "reference_videos": "dance.mp4", "ratio": "16:9"}]
    result = make(written(folder, rows), route=route_to("seedance-2.0-mini", duration=4))
    assert result.counts == {"stored": 1}, [row.error_message for row in result]
    assert sorted(line.billing_model for line in sandbox.state.bill() if line.unit == "request") == [
        "volc-asset",
        "volc-asset-video",
    ]


def test_a_measured_clip_makes_the_mini_video_quote_and_charge_exact(make, route_to, sandbox, folder):
    from prefect_seedance import PriceBook

    route = route_to(
        "seedance2.0-mini-video",
        duration=4,
        prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p-video": "0.05"}),
    )
    table = written(folder, [{"id": 1, "prompt": "dance", "reference_videos": "dance.mp4"}])
    quoted = quote_videos(table, route=route)
    assert quoted.preparation.rows[0].quote.kind == "exact"
    assert quoted.preparation.rows[0].quote.high == Decimal("0.35")
    result = make(table, route=route, budget="0.35 CNY")
    assert result.cost() == {"CNY": Decimal("0.35")}
    assert sandbox.state.bill()[0].amount == Decimal("0.35")


def test_files_elsewhere_and_broken_ones_are_told_together_before_anything_is_spent(make, sandbox, folder, tmp_path):
    (tmp_path / "secret.png").write_bytes((folder / "logo.png").read_bytes())
    (folder / "text.png").write_text("no picture at all")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    table = written(
        folder,
        [
            {"id": "outside", "prompt": "a", "images": "../secret.png"},
            {"id": "absolute", "prompt": "b", "images": str(tmp_path / "secret.png")},
            {"id": "link", "prompt": "c", "images": "link.png"},
            {"id": "text", "prompt": "d", "images": "text.png"},
            {"id": "missing", "prompt": "e", "images": "nothing.png"},
            {"id": "private", "prompt": "f", "images": "https://10.1.2.3/a.png"},
            {"id": "video", "prompt": "g", "images": "dance.mp4"},
            {"id": "named", "prompt": "like @image2", "images": "logo.png"},
            {"id": "good", "prompt": "h", "images": "logo.png"},
        ],
    )
    with pytest.raises(InvalidRows) as caught:
        make(table)
    assert {row.key for row in caught.value.invalid} == {
        "outside", "absolute", "link", "text", "missing", "private", "video", "named",
    }  # fmt: skip
    assert "Nothing was spent" in str(caught.value)
    assert "1 can:" in str(caught.value)
    assert not sandbox.state.bill()
    assert sandbox.state.calls["jimmy.upload"] == 0


def test_a_dead_host_is_a_warning_and_finished_rows_are_not_looked_at_again(make, sandbox, folder):
    table = written(folder, [{"id": 1, "prompt": "a", "images": "logo.png"}])
    assert make(table).counts == {"stored": 1}
    (folder / "logo.png").unlink()
    again = make(table)
    assert again.counts == {"stored": 1}
    assert again.name == "Nothing new"


def test_media_steps_are_task_runs_of_their_own(make, api, folder, sandbox):
    make(written(folder, [{"id": 1, "prompt": "a", "images": "logo.png"}]), batch="named")
    found = api.post(
        "/task_runs/filter", json={"task_runs": {"name": {"like_": "upload logo"}}, "sort": "EXPECTED_START_TIME_DESC"}
    ).json()
    assert [run["name"] for run in found][:1] == ["upload logo.png"]
    assert found[0]["state_type"] == "COMPLETED"
