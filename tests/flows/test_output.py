"""Where videos go, and under which names: folders, a real server that speaks S3, templates; end to end."""

from __future__ import annotations

import io
import multiprocessing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from prefect_seedance import generate_videos, sweep_videos
from prefect_seedance.core import checkpoints
from prefect_seedance.errors import InputError
from prefect_seedance.media import open_storage
from prefect_seedance.reports.files import SHEET
from prefect_seedance.reports.summary import summary
from prefect_seedance.sandbox.http import files as sandbox_files
from tests.chaos import child
from tests.lifetimes import end_of_life
from tests.patience import hasten, patience


def rows(*ids: str) -> list[dict[str, str]]:
    return [{"id": each, "prompt": f"prompt {each}"} for each in ids]


def statuses(result) -> dict[str, str]:
    return {row.row: row.status for row in result.rows}


@pytest.mark.slow
def test_a_batch_in_an_object_store(make, sandbox, s3):
    output = f"{s3}/films"
    first = make(rows("a", "b"), output=output)
    assert statuses(first) == {"a": "stored", "b": "stored"}
    assert [row.video for row in first.rows] == [f"{output}/spring/a.mp4", f"{output}/spring/b.mp4"]
    storage = open_storage(first.folder)
    pictures = {f".previews/{key}{kind}.jpg" for key in "ab" for kind in ("", ".strip")}
    assert set(storage.stamps()) == {
        "a.mp4",
        "b.mp4",
        ".contact-sheet.note",
        ".results.note",
        "results.csv",
        "results.parquet",
        SHEET,
        *pictures,
    }
    assert all(storage.holds(f"{row.row}.mp4", row.bytes, row.sha256) for row in first.rows)
    assert open_storage(output).read("seedance-ledger.json")
    table = pd.read_csv(io.BytesIO(storage.read("results.csv")))
    assert list(table["video"]) == [row.video for row in first.rows]
    assert "testing-secret" not in str(first)

    before = dict(sandbox.state.calls)
    second = make(rows("a", "b"), output=output)
    assert (second.made, second.name, sandbox.state.calls) == (0, "Nothing new", before)

    # Gone, or another one of the same size: fetched again, and never made again.
    storage._files.rm_file(storage._path("a.mp4"))
    storage.write("b.mp4", bytes(first.rows[1].bytes))
    third = make(rows("a", "b"), output=output)
    assert statuses(third) == {"a": "stored", "b": "stored"}
    assert all(storage.holds(f"{row.row}.mp4", row.bytes, row.sha256) for row in third.rows)
    assert storage.read("b.changed-1.mp4") == bytes(first.rows[1].bytes)
    assert sandbox.state.calls["jimmy.create"] == 2


def test_a_store_that_cannot_be_written_costs_nothing(make, route_to, sandbox, s3):
    for where, text in (("s3://no-such-bucket", "Does the bucket exist"), ("gs://bucket", "prefect-seedance\\[gcs\\]")):
        with pytest.raises(InputError, match=f"{text}.*Nothing was spent"):
            generate_videos(rows("a"), route=route_to(), batch="spring", output=where)
    assert sandbox.state.calls["jimmy.create"] == 0


@pytest.mark.parametrize(
    "instant",
    [
        pytest.param("bytes fetched", marks=pytest.mark.slow),
        pytest.param("video proven", marks=pytest.mark.slow),
        pytest.param("proof written", marks=pytest.mark.slow),
        pytest.param("file renamed", marks=pytest.mark.slow),
        pytest.param("file stored", marks=pytest.mark.slow),
    ],
)
def test_an_unforeseen_error_while_a_row_is_stored_is_that_rows_alone(make, sandbox, s3, instant):
    def die(name: str) -> None:
        if name == instant:
            raise RuntimeError("dies here")

    checkpoints.listen(die)
    try:
        first = make(rows("a"), output=s3)
    finally:
        checkpoints.listen(None)
    assert statuses(first) == {"a": "stored" if instant == "file stored" else "succeeded"}
    assert instant == "file stored" or "dies here" in first.rows[0].error_message
    again = make(rows("a"), output=s3)
    assert statuses(again) == {"a": "stored"}
    assert open_storage(again.folder).holds("a.mp4", again.rows[0].bytes, again.rows[0].sha256)
    assert (sandbox.state.calls["jimmy.create"], sandbox.state.calls["files"]) == (1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("instant", ["bytes fetched", "proof written", "file renamed", "file stored"])
def test_a_process_killed_while_it_stores(sandbox, s3, tmp_path, instant):
    table = tuple((f"r{number}", f"prompt {number}", child.MODELS[0]) for number in range(4))
    task = child.Task(table, sandbox.url, str(tmp_path / "l.db"), f"{s3}/videos", kill_at=instant, kill_nth=2)
    spawn = multiprocessing.get_context("spawn")
    for kill, code in ((instant, -9), (None, 0)):
        process = spawn.Process(target=child.run, args=(replace(task, kill_at=kill),))
        process.start()
        process.join(patience(300))
        assert process.exitcode == code
    found = open_storage(f"{s3}/videos").child(task.batch).stamps()
    assert {name for name in found if name.endswith(".mp4")} == {f"r{number}.mp4" for number in range(4)}
    assert sandbox.state.calls["jimmy.create"] == 4


@pytest.mark.slow
def test_a_sweep_stores_where_the_batch_belongs(make, route_to, sandbox, s3):
    sandbox.state.settings = replace(sandbox.state.settings, speed=1)
    first = make(rows("a"), output=s3, patience=0.2)
    assert statuses(first) == {"a": "created"}
    hasten(sandbox)
    sweep_videos(route=route_to(), batch="spring", patience=patience())
    assert open_storage(first.folder).stamp("a.mp4") is not None


@pytest.mark.slow
def test_names_by_a_template(make, output, sandbox):
    table = [
        {"id": "1", "prompt": "x", "client": "Blue Ocean"},
        {"id": "2", "prompt": "x", "client": "blue ocean"},
        {"id": "3", "prompt": "x", "client": ""},
    ]
    first = make(table, file_name="{client}/{model} {duration}s.mp4")
    names = [Path(row.video).relative_to(output / "spring").as_posix() for row in first.rows]
    assert names[0] == "Blue-Ocean/seedance2.0-mini 5s.mp4"
    assert names[1].startswith("blue-ocean/seedance2.0-mini 5s-"), "one file where case makes no difference"
    assert names[2] == "none/seedance2.0-mini 5s.mp4"
    assert all(Path(row.video).is_file() for row in first.rows)
    assert (output / "spring/.previews/Blue-Ocean/seedance2.0-mini 5s.strip.jpg").is_file()
    # What is in the ledger keeps its name, whatever the template says later.
    second = make([*table, {"id": "4", "prompt": "x", "client": "c"}], file_name="{id}")
    assert [row.video for row in second.rows][:3] == [row.video for row in first.rows]
    assert second.rows[3].video == str(output / "spring/4.mp4")
    assert second.made == 1
    before = sandbox.state.calls["jimmy.create"]
    with pytest.raises(InputError, match=r"no 'clients'. Known are: .*client"):
        make(table, batch="other", file_name="{clients}")
    assert sandbox.state.calls["jimmy.create"] == before


def test_a_video_that_is_not_what_was_asked_for_is_told(make, sandbox, monkeypatch):
    whole = sandbox_files.video_bytes

    def short(name: str, **settings) -> bytes:
        return whole(name, **(settings | {"seconds": Decimal(2)}))

    monkeypatch.setattr(sandbox_files, "video_bytes", short)
    result = make([{"id": "a", "prompt": "x", "duration": 5}])
    text = "the video lasts 2 s instead of 5 s"
    assert (result.rows[0].status, result.rows[0].remarks) == ("stored", text)
    assert result.to_dataframe()["remarks"].tolist() == [text]
    assert make([{"id": "a", "prompt": "x", "duration": 5}]).rows[0].remarks == text
    assert "1 video has a remark: where one differs from what was asked, you may have a claim" in summary(result)


@pytest.mark.slow
def test_nothing_is_told_of_a_video_that_is_what_was_asked_for(make, route_to, sandbox):
    result = make([{"id": "a", "prompt": "x", "ratio": "21:9"}, {"id": "b", "prompt": "x", "resolution": "480p"}])
    assert [row.remarks for row in result.rows] == [None, None]
    anyfast = make(
        [{"id": "c", "prompt": "x", "ratio": "4:3", "generate_audio": False}], route=route_to("seedance-2.0-mini")
    )
    assert [row.remarks for row in anyfast.rows] == [None]


def test_a_dead_link_is_asked_for_again_once(make, route_to, sandbox, monkeypatch):
    end_of_life(monkeypatch)
    sandbox.faults.queue("create", "stale_link", "expired_link")
    result = make(rows("stale", "gone"), route=route_to(max_in_flight=1))
    assert statuses(result) == {"stale": "stored", "gone": "expired"}
    gone = result.rows[1]
    assert gone.error_message.startswith("The video was made and paid for, and has expired: ")
    assert f"Its job is {gone.job_id}." in gone.error_message
    assert (gone.cost, gone.video) == (Decimal("0.25"), None)


def test_a_disk_that_is_too_small_costs_nothing(make, sandbox, monkeypatch):
    monkeypatch.setattr("prefect_seedance.media.storage.local.LocalStorage.free_bytes", lambda storage: 8_000_000)
    with pytest.raises(InputError, match=r"2 videos need about .*Nothing was spent"):
        make(rows("a", "b"))
    assert sandbox.state.calls["jimmy.create"] == 0
    assert make(rows("a", "b"), limit=1).made == 1
