"""The forms: what a person sees of them, and what becomes of what is typed there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect import Flow

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.errors import InputError
from prefect_seedance.flows import forms
from prefect_seedance.flows.forms import dropped
from prefect_seedance.flows.forms.dropped import WatchedFolder
from prefect_seedance.flows.forms.fields import AS_ROUTE, Model, Ratio, Resolution
from prefect_seedance.flows.forms.places import durable_path, find_tables
from prefect_seedance.flows.forms.typed import typed_table
from prefect_seedance.messages import message
from prefect_seedance.routes.catalogue.lookup import CATALOGUE
from prefect_seedance.sandbox import SandboxServer
from prefect_seedance.tables.reader import read_table
from tests.conftest import RouteTo

FLOWS: list[Flow[..., Any]] = [getattr(forms, name) for name in forms.__all__]


@pytest.fixture
def route(route_to: RouteTo) -> RouteDefaults:
    return route_to(duration=5)


@pytest.fixture
def run(prefect_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Runs a form in a folder of its own; returns the final state."""
    monkeypatch.chdir(tmp_path)
    return lambda flow, **said: flow(**said, return_state=True)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_person_understands_the_form(flow: Flow[..., Any]) -> None:
    for name, field in flow.parameters.properties.items():
        assert field["title"] != name
        assert field["title"][0].isupper() or field["title"].startswith("…"), name
        assert len(field["description"]) > 5, f"{name} has no help text"
        # A union would become tabs, and an untyped parameter a box for JSON.
        assert "anyOf" not in field, name
        assert {"type", "enum", "$ref", "allOf"} & field.keys(), name
    assert not {"ledger", "columns", "max_failures", "media_hosts"} & flow.parameters.properties.keys()
    assert flow.description


def test_the_menus_hold_what_the_catalogue_holds() -> None:
    assert set(get_args(Model)) == {AS_ROUTE, *(route.model for route in CATALOGUE)}
    assert set(get_args(Resolution)) == {AS_ROUTE, *(size for route in CATALOGUE for size in route.resolution.allowed)}
    assert set(get_args(Ratio)) == {AS_ROUTE, *(ratio.lower() for route in CATALOGUE for ratio in route.ratio.listed)}


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1).map(lambda t: f"a {t}"))
)
def test_each_typed_line_is_a_prompt(prompts: list[str]) -> None:
    prompts = [prompt for prompt in prompts if "\t" not in prompt and "," not in prompt and ";" not in prompt]
    with typed_table("\n\n".join(prompts)) as table:
        assert [row.request.prompt for row in read_table(table).rows] == prompts


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_rows_out_of_a_spreadsheet_keep_their_columns(separator: str) -> None:
    text = f"id{separator}prompt{separator}duration\nx{separator}a fox{separator}7\n"
    with typed_table(text) as table:
        (row,) = read_table(table).rows
    assert (row.key, row.request.prompt, row.request.duration) == ("x", "a fox", 7)


@pytest.mark.parametrize("head", ["promt,duration", "note,promt", "id,promt", "Prompts,ratio"])
def test_a_doubtful_head_is_not_taken_for_a_prompt(head: str) -> None:
    with typed_table(f"{head}\na fox,5\n") as table, pytest.raises(InputError, match="Nothing was spent"):
        read_table(table).require_good()


def test_a_worker_without_a_folder_of_its_own_loses_no_video(monkeypatch: pytest.MonkeyPatch) -> None:
    what = message("form.the_folder")
    with tempfile.TemporaryDirectory(suffix="prefect") as folder:
        monkeypatch.chdir(folder)
        with pytest.raises(InputError, match=r"^The folder 'videos' starts in a temporary folder"):
            durable_path("videos", what)
        assert durable_path("/data/videos", what) == "/data/videos"
        assert durable_path("s3://bucket/videos", what) == "s3://bucket/videos"
        monkeypatch.chdir("/")


def test_a_pattern_names_each_table_by_itself(tmp_path: Path) -> None:
    for name in ("b.csv", "a {1}.csv", "sub/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("prompt\nx\n")
    assert [found.label for found in find_tables(f"{tmp_path}/*.csv")] == ["a-1-.csv", "b.csv"]
    assert [found.label for found in find_tables(f"{tmp_path}/**/*.csv")] == ["a-1-.csv", "b.csv", "sub-b.csv"]
    assert [found.label for found in find_tables(f"{tmp_path}/b.csv")] == [""]
    with pytest.raises(InputError, match="No table matches"):
        find_tables(f"{tmp_path}/*.xlsx")
    (tmp_path / "sub-b.csv").write_text("prompt\nx\n")
    with pytest.raises(InputError, match="too similar"):
        find_tables(f"{tmp_path}/**/*.csv")


@pytest.mark.slow
def test_typed_rows_become_videos_and_the_summary_shows_them(
    run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer, prefect_server: str, tmp_path: Path
) -> None:
    said = {"rows": "id,prompt\nfox,a fox\nmouse,Mickey Mouse", "batch": "typed", "route": route}
    state = run(forms.videos_from_table, **said)
    assert (state.name, state.message) == ("Some failed", "1 stored, 1 failed at the provider")
    assert (tmp_path / "videos/typed/fox.mp4").exists()
    assert run(forms.videos_from_table, **said).name == "Nothing new"
    assert len(sandbox.state.bill()) == 2

    flow_run = str(state.state_details.flow_run_id)
    wanted = {"artifacts": {"flow_run_id": {"any_": [flow_run]}}}
    artifacts = httpx.post(f"{prefect_server}/api/artifacts/filter", json=wanted).json()
    (summary,) = [each["data"] for each in artifacts if each["type"] == "markdown"]
    assert "(data:image/jpeg;base64," in summary
    assert len(summary) < 100_000
    stored = httpx.get(f"{prefect_server}/api/flow_runs/{flow_run}").text
    assert "sk_sandbox" not in stored, "a block that was never saved stays a secret too"


@pytest.mark.slow
def test_wrong_wishes_fail_before_anything_is_spent(
    run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer
) -> None:
    table = forms.videos_from_table
    for flow, said, text in (
        (table, {"batch": "w"}, "Neither a table nor rows"),
        (table, {"batch": "w", "table": "x.csv", "rows": "a fox"}, "leave one of them empty"),
        (table, {"batch": "w", "rows": "a fox", "model": "seedance-2.0-mini"}, "sold by anyfast"),
        (table, {"batch": "w", "rows": "a fox", "resolution": "4k"}, '"If a row breaks a rule": leave it out'),
        (table, {"batch": "w", "rows": "a fox", "budget": "lots"}, "Budget of the batch"),
        (table, {"batch": "w", "rows": "Szene,ratio\na fox,1:1"}, '"Heading of the prompts": Szene'),
        (forms.one_video, {"prompt": " "}, "prompt"),
        (forms.one_video, {"prompt": "a fox", "duration": 2}, "duration"),
        (forms.quote_table, {"rows": ""}, "either a table or typed rows"),
    ):
        state = run(flow, route=route, **said)
        assert state.is_failed(), said
        assert text in state.message, state.message
        assert "[seedance" not in state.message
    assert sandbox.state.bill() == []


@pytest.mark.slow
def test_every_table_of_a_pattern_is_a_batch_and_a_bad_one_stops_no_other(
    run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer, tmp_path: Path
) -> None:
    for name, text in (("a.csv", "prompt\nx\n"), ("bad.csv", "colour,size\nred,5\n"), ("c.csv", "prompt\ny\n")):
        (tmp_path / name).write_text(text)
    state = run(forms.videos_from_table, table="*.csv", batch="n", route=route)
    assert state.name == "Some failed"
    assert "2 of 3 tables completed" in state.message
    assert "bad.csv: Table 'bad.csv' cannot be used" in state.message
    assert {path.name for path in (tmp_path / "videos").iterdir() if path.is_dir()} >= {"n-a.csv", "n-c.csv"}
    assert len(sandbox.state.bill()) == 2
    again = run(forms.videos_from_table, table="*.csv", batch="n", route=route)
    assert again.name == "Some failed"
    assert len(sandbox.state.bill()) == 2


@pytest.mark.slow
def test_one_video_with_another_model(run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer) -> None:
    said = {"prompt": "a fox", "route": route, "model": "seedance2.0-sp", "resolution": "1080p", "ratio": "9:16"}
    state = run(forms.one_video, **said)
    (row,) = state.result().rows
    assert (row.route, row.status) == ("seedance2.0-sp", "stored")
    assert (row.width, row.height) == (1080, 1920)
    assert run(forms.one_video, **said).name == "Nothing new"
    assert run(forms.one_video, **said, take="2").name == "All stored"
    assert len(sandbox.state.bill()) == 2


def test_a_quote_spends_nothing(run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer) -> None:
    state = run(forms.quote_table, rows="a fox\na lantern", route=route)
    assert (state.name, "0.5 CNY" in state.message) == ("Quoted", True)
    assert sandbox.state.bill() == []


@pytest.mark.slow
def test_a_watched_folder_makes_each_table_once(
    run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()

    def look() -> Any:
        return run(forms.watch_folder, folder="inbox", route=route, settle=0.1)

    assert look().name == "Nothing new"
    (inbox / "spring.csv").write_text("id,prompt\na,a fox\nb,a lantern\n")
    (inbox / "bad.csv").write_text("colour,size\nred,5\n")
    (inbox / "~$spring.xlsx").write_text("a lock")
    (inbox / ".hidden.csv").write_text("prompt\nx\n")
    first = look()
    assert first.name == "Some failed"
    assert "bad.csv" in first.message
    assert len(sandbox.state.bill()) == 2
    (inbox / "bad.csv").unlink()
    assert look().name == "Nothing new"

    # One row mended, one row more: of the changed table only these are paid.
    (inbox / "spring.csv").write_text("id,prompt\na,a fox\nb,a red lantern\nc,a tea house\n")
    assert look().name == "All completed"
    assert len(sandbox.state.bill()) == 4
    assert look().name == "Nothing new"
    # The old content again is the old batch, and is known.
    (inbox / "spring.csv").write_text("id,prompt\na,a fox\nb,a lantern\n")
    assert look().name == "Nothing new"
    assert len(sandbox.state.bill()) == 4


def test_a_file_that_is_still_written_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    growing, still = tmp_path / "growing.csv", tmp_path / "still.csv"
    still.write_text("prompt\nx\n")
    growing.write_text("prompt\nx\n")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(dropped.time, "sleep", lambda _: growing.write_text("prompt\nx\ny\n"))
        found = WatchedFolder(str(tmp_path)).look(0.2)
    assert ([each.name for each in found.tables], found.unfinished) == (["still.csv"], ["growing.csv"])
    stamp = still.stat().st_mtime_ns
    still.write_text("prompt\nz\n")
    os.utime(still, ns=(stamp, stamp))
    assert not found.tables[0].unchanged(), "the same size and time, and another content"


def test_a_prefix_is_watched_like_a_folder() -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    store.pipe("/inbox/spring.csv", b"prompt\nx\n")
    store.pipe("/inbox/notes.txt", b"not a table")
    try:
        (found,) = WatchedFolder("memory://inbox/").look(0.01).tables
        assert found.unchanged()
        assert found.batch.startswith("spring.csv-")
        assert [each.label for each in find_tables("memory://inbox/*.csv")] == ["spring.csv"]
    finally:
        store.rm("/inbox", recursive=True)


@pytest.mark.slow
def test_the_cost_report_tells_unknowns_first_and_they_can_be_resolved(
    run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer, prefect_server: str
) -> None:
    sandbox.faults.queue("create", "cut_after", "ok")
    state = run(forms.videos_from_table, rows="id,prompt\na,a fox\nb,a lantern", batch="lost", route=route)
    assert state.name == "Some unknown"
    report = run(forms.cost_report, days=1)
    assert (report.name, "0.25 CNY for 1 video" in report.message) == ("Some unknown", True)
    flow_run = str(report.state_details.flow_run_id)
    wanted = {"artifacts": {"flow_run_id": {"any_": [flow_run]}, "type": {"any_": ["markdown"]}}}
    (artifact,) = httpx.post(f"{prefect_server}/api/artifacts/filter", json=wanted).json()
    text = artifact["data"]
    assert text.index("may have been paid") < text.index("## By batch") < text.index("## By route")
    shown = run(forms.resolve_unknown, batch="lost", finding="nothing was made or charged")
    assert shown.name == "Not confirmed"
    for piece in ("1 unknown row", "0.25 CNY", '"Settle them all" set'):
        assert piece in shown.message
    unknown = next(row.row for row in state.result().rows if row.status == "unknown")
    words = run(forms.resolve_unknown, batch="lost", row=unknown, finding="nothing was made or charged")
    assert (words.name, "was not made" in words.message) == ("Resolved", True)
    assert run(forms.cost_report, days=1).name == "Reported"
    assert run(forms.cost_report, days=1, batch="other").message.startswith("nothing for 0 videos")


def test_a_forms_run_looks_first_whether_its_provider_is_there(
    run: Callable[..., Any], route: RouteDefaults, sandbox: SandboxServer
) -> None:
    sandbox.faults.update(wrong_host="redirect")
    state = run(forms.videos_from_table, rows="a fox", batch="astray", route=route)
    assert (state.name, "elsewhere.example" in state.message) == ("Not started", True)
    assert sandbox.state.calls["wrong_host.POST"] == 0


def test_the_forms_are_plain_json() -> None:
    for flow in FLOWS:
        json.dumps(flow.parameters.model_dump())
