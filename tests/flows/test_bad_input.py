"""Bad input: each a clear message, and nothing spent or lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prefect_seedance import GenerateResult, NothingStored, SeedanceError, generate_videos, quote_videos
from prefect_seedance.blocks import JimmyCredentials
from prefect_seedance.errors import InputError
from prefect_seedance.media.storage import part as storage_part

GOOD = [{"id": "a", "prompt": "a lantern"}]


@pytest.fixture
def refused(prefect_server, route_to, output, sandbox):
    """Asserts that a call is refused in words that a person can use, and that nothing was sent."""

    def call(table, *text: str, **options) -> str:
        settings = {"route": route_to(), "batch": "spring", "output": output, **options}
        with pytest.raises(SeedanceError) as caught:
            generate_videos(table, **settings)
        message = str(caught.value)
        assert not isinstance(caught.value, NothingStored), message
        for piece in text:
            assert piece.lower() in message.lower(), message
        assert "Traceback" not in message
        assert len(message) < 3000
        assert sandbox.state.calls["jimmy.create"] == 0
        return message

    return call


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (pd.DataFrame({"words": ["x"]}), ("prompt", "'words'", "columns=")),
        (pd.DataFrame({"prompt": ["x"], "duraton": [5]}), ("duraton", "duration")),
        (pd.DataFrame({"prompt": ["x"], "resolutoin": [5]}), ("resolutoin", "resolution")),
        (pd.DataFrame({"prompt": ["x"], "Prompt ": ["y"]}), ("prompt",)),
        ([{"id": "1", "prompt": "x"}, {"id": 1, "prompt": "y"}], ("same id", "'1'")),
        ([{"prompt": "x" * 50_000_000}], ("50,000,000 characters",)),
        (None, ("table",)),
        (42, ("table",)),
        ({"prompt": "x"}, ("table",)),
        ("/nowhere/at/all.csv", ("/nowhere/at/all.csv", "no such file")),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, tuple) else value[0][:12],
)
def test_a_table_that_cannot_be_used(refused, table, text):
    refused(table, *text)


def test_a_file_that_is_no_table(refused, tmp_path):
    for name, content in {
        "empty.csv": b"",
        "binary.csv": bytes(range(256)) * 50,
        "video.xlsx": b"\0\0\0\x20ftypisom" + bytes(500),
        "broken.json": b'[{"prompt": "x"',
        "page.parquet": b"<html><body>Not found</body></html>",
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        refused(path, name)
    refused(tmp_path, str(tmp_path.name))


def test_all_bad_rows_are_told_at_once_and_may_be_left_out(make, refused, route_to, sandbox):
    table = pd.DataFrame(
        {
            "id": ["half", "empty", "unable", "range", "number", "fine"],
            "prompt": ["x", np.nan, "x", "x", "x", "x"],
            "duration": ["5.5", 5, 5, 99, "five", "5.0"],
            "watermark": [None, None, "yes", None, None, ""],
            "resolution": [None, None, None, "8k", None, "720P"],
        }
    )
    refused(table, "half", "5.5", "empty", "unable", "watermark", "range", "99", "8k", "number", "five", "nothing was")
    # What a route cannot honour names the route, the field, the value and what is allowed.
    for piece in ("seedance2.0-mini", "resolution", "720p", "1080p"):
        refused(table, piece)
    mini = route_to("seedance-2.0-mini")
    refused([{"prompt": "x", "resolution": "1080p"}], "seedance-2.0-mini", "1080p", "720p", route=mini)
    # A default that the route cannot honour is no better than a cell.
    refused(GOOD, "duration", "99", route=route_to(duration=99))
    refused(GOOD, "watermark", route=route_to(watermark=True))
    result = make(table, on_invalid="skip")
    frame = result.to_dataframe().set_index("id")
    assert frame["status"].to_dict() == dict.fromkeys(table["id"][:5], "invalid") | {"fine": "stored"}
    assert "99" in frame.loc["range", "error_message"]
    assert "8k" in frame.loc["range", "error_message"]
    assert sandbox.state.calls["jimmy.create"] == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"batch": ""}, ("batch",)),
        ({"batch": "{nope}"}, ("nope", "scheduled")),
        ({"batch": "x" * 300}, ("batch",)),
        ({"limit": 0}, ("limit",)),
        ({"limit": -1}, ("limit",)),
        ({"only": ["zzz"]}, ("only", "zzz")),
        ({"retry": ["unknown"]}, ("retry", "paid")),
        ({"retry": ["stored"]}, ("retry", "stored")),
        ({"patience": -1}, ("patience",)),
        ({"patience": float("nan")}, ("patience",)),
        ({"columns": {"prompt": "nope"}}, ("nope",)),
        ({"columns": {"prmpt": "prompt"}}, ("prmpt",)),
        ({"route": None}, ("route",)),
        ({"route": []}, ("route",)),
        ({"route": 5}, ("route",)),
        ({"route": "no-such-block"}, ("no-such-block", "route")),
        ({"output": "/dev/null/videos"}, ("/dev/null",)),
        ({"ledger": "nonsense://here"}, ("nonsense", "ledger")),
        ({"ledger": "postgresql+asyncpg://me:hush@127.0.0.1:9/x"}, ("ledger", "127.0.0.1")),
    ],
    ids=lambda value: f"{next(iter(value))}={str(next(iter(value.values())))[:16]}" if isinstance(value, dict) else "",
)
def test_a_setting_that_cannot_be_used(refused, options, text):
    message = refused(GOOD, *text, **options)
    assert "hush" not in message
    assert "(None)" not in message


def test_a_folder_that_cannot_be_written(refused, tmp_path, sandbox):
    (tmp_path / "file").write_text("mine")
    refused(GOOD, "file", output=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):  # root may write anywhere but here
        locked = Path("/proc/1")
    refused(GOOD, str(locked), output=locked / "videos")


@pytest.mark.slow
def test_a_folder_of_another_ledger(make, refused, output, tmp_path, sandbox):
    make(GOOD)
    sandbox.state.calls.clear()
    refused(GOOD, "another ledger", "nothing was spent", ledger=f"sqlite+aiosqlite:///{tmp_path}/other.db")
    refused(GOOD, "another ledger", batch="autumn", ledger=str(tmp_path / "other.db"))
    manifest = next(output.glob("*.json"))
    manifest.write_text("{}")
    refused(GOOD, manifest.name)


def test_a_file_that_is_no_ledger_is_left_as_it_is(refused, tmp_path):
    precious = tmp_path / "table.csv"
    precious.write_bytes(b"prompt\n" + b"x" * 5000)
    refused(GOOD, "table.csv", ledger=str(precious))
    assert precious.read_bytes() == b"prompt\n" + b"x" * 5000


def test_a_wrong_key_stops_the_account_and_says_so(make, route_to, sandbox):
    wrong = JimmyCredentials(api_key="sk_wrong_5e1f", base_url=sandbox.url)
    result = make([{"prompt": f"x{n}"} for n in range(12)], route=route_to(credentials=wrong, max_in_flight=2))
    assert {row.status for row in result.rows} == {"deferred"}
    assert sandbox.state.calls["jimmy.create"] <= 2
    lines = [row.error_message for row in result.rows if row.error_message]
    assert lines
    assert all("key" in message for message in lines), "a person reads what is wrong: the key"
    assert "sk_wrong_5e1f" not in str(result.rows)


def test_no_key_and_no_safe_host(refused, route_to):
    refused(GOOD, "key", "empty", route=route_to(credentials=JimmyCredentials(api_key=" ")))
    plain = JimmyCredentials(api_key="sk_x1", base_url="http://example.com")
    assert "sk_x1" not in refused(GOOD, "https", "example.com", route=route_to(credentials=plain))


def test_an_empty_table_is_no_error(make, sandbox):
    for table in ([], pd.DataFrame({"prompt": []}), pd.DataFrame({"id": [], "prompt": [], "mine": []})):
        result = make(table)
        assert (result.name, result.made, len(result.to_dataframe())) == ("Nothing new", 0, 0)
    assert not sandbox.state.calls


HOSTILE = {
    "A": "{} {prompt} {0} %s %(x)s $HOME `id`",
    "a": "<script>alert('1')</script> <img src=x> | a | b |",
    "../../etc/passwd": "two\nlines\nand a\ttab",
    "..": "🎬👩‍👩‍👧‍👦 \u202eright to left",
    "a/b\\c:d*?": "NA",
    "con": "None",
    "=one": "=cat, running",
    "长" * 60: "茶" * 300,
    "é": "nan",
}


@pytest.mark.slow
def test_hostile_prompts_and_ids_stay_what_they_are(make, route_to, output, sandbox, api):
    table = pd.DataFrame({"id": list(HOSTILE), "prompt": list(HOSTILE.values())})
    table["status"] = [f"mine {n}" for n in range(len(table))]
    table["cost"] = range(len(table))
    result = make(table, batch="../<b>x</b>|")
    assert {row.status for row in result.rows} == {"stored"}
    assert sorted(line.prompt for line in sandbox.state.bill()) == sorted(HOSTILE.values())
    videos = [Path(row.video) for row in result.rows]
    assert all(video.resolve().is_relative_to(output.resolve()) for video in videos)
    assert len({video.name.casefold() for video in videos}) == len(HOSTILE), "`A` and `a` are one file on many disks"
    assert all(len(video.name.encode()) <= 120 and video.is_file() for video in videos)

    frame = result.to_dataframe()
    assert frame.columns.is_unique
    for column in table:  # the user's own columns of these names are untouched
        pd.testing.assert_series_equal(frame[column], table[column])
    ours = frame[[name for name in frame if "status" in name and name != "status"]]
    assert ours.eq("stored").all().all()
    assert not ours.empty
    from_csv = pd.read_csv(result.files["csv"], dtype=str, keep_default_na=False)
    assert from_csv["prompt"].tolist() == list(HOSTILE.values())
    assert make(table, batch="../<b>x</b>|").made == 0


@pytest.mark.slow
def test_a_hostile_take_stays_in_its_folder(make, output, sandbox):
    for take in ("a/../../b", "长" * 300, "<2>"):
        result = make(GOOD, take=take)
        written = [Path(result.rows[0].video), *result.files.values()]
        assert all(path.is_file() and path.resolve().parent == output.resolve() / "spring" for path in written)
    assert sandbox.state.calls["jimmy.create"] == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "index",
    [
        pd.MultiIndex.from_tuples([("a", 1), ("a", 1)], names=["film", "shot"]),
        pd.Index([7, 7]),
        pd.date_range("2026-01-01", periods=2),
        pd.Index([None, np.nan], dtype=object),
    ],
    ids=["multi", "duplicate", "dates", "missing"],
)
def test_any_index_comes_back(make, index):
    table = pd.DataFrame({"prompt": ["x", "y"], "blob": [{"deep": [1]}, None]}, index=index)
    frame = make(table, columns={}).to_dataframe()
    pd.testing.assert_frame_equal(frame[["prompt", "blob"]], table)
    assert frame["status"].tolist() == ["stored", "stored"]


@pytest.mark.slow
def test_the_answer_may_be_given_back_as_the_next_table(make, sandbox):
    """People filter a result and run it again: nothing may be paid twice for that."""
    first = make([{"prompt": "x"}, {"prompt": "y"}])
    assert isinstance(first, GenerateResult)
    for table in (first.to_dataframe(), first.to_dataframe().iloc[1:], first.files["csv"], first.files["parquet"]):
        assert make(table).made == 0
    assert sandbox.state.calls["jimmy.create"] == 2


@pytest.mark.slow
def test_a_dead_host_sends_nothing_and_keeps_the_rows(make, route_to, sandbox):
    dead = JimmyCredentials(api_key="sk_sandbox", base_url="http://127.0.0.1:9")
    result = make([{"prompt": f"x{n}"} for n in range(6)], route=route_to(credentials=dead))
    assert {row.status for row in result.rows} == {"deferred"}
    assert "connection attempts failed" in str(result.rows)
    assert result.costs_to_date == [] or sum(line.cost for line in result.costs_to_date) == 0
    assert make([{"prompt": f"x{n}"} for n in range(6)]).made == 6


def test_without_room_nothing_is_lost(make, sandbox, monkeypatch):
    """No room for the file: the paid job is kept, and stored by the next run without another create."""
    refusals = []

    def full(path: str, flags: int) -> int:
        refusals.append(path)
        raise OSError(errno.ENOSPC, "No space left on device", path)

    with monkeypatch.context() as patch:
        patch.setattr(storage_part, "_open_no_link", full)
        try:
            text = str([row.error_message for row in make(GOOD).rows])
        except SeedanceError as error:
            text = str(error)
    assert refusals
    assert "disk is full" in text.lower()
    assert sandbox.state.calls["jimmy.create"] == 1
    assert make(GOOD).rows[0].status == "stored"
    assert sandbox.state.calls["jimmy.create"] == 1


def test_quotes_refuse_the_same_tables(prefect_server, route_to, sandbox):
    for table in ({"x": 1}, [{"words": "x"}], [{"prompt": "x", "duration": 99}]):
        with pytest.raises(InputError):
            quote_videos(table, route=route_to())
    assert not sandbox.state.calls
