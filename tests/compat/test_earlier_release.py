"""What an earlier release left behind is continued: its ledger, its output folder, its jobs, and what Prefect pickled.

`README.md` says where the data come from, and how they are made.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import pickle
import re
import shutil
import sqlite3
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.serializers import PickleSerializer

from prefect_seedance import (
    GenerateResult,
    JobTicket,
    NothingStored,
    SeedanceError,
    VideoRequest,
    create_video,
    download_video,
    generate_videos,
    poll_video,
    sweep_videos,
)
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.compat.batch import (
    BATCH,
    BY_HAND,
    DATA,
    ERROR_KINDS,
    LEFT,
    PAID,
    STORED,
    TABLE,
    TAKEN,
    UNKNOWN,
    route,
    routes,
)

pytestmark = pytest.mark.usefixtures("prefect_server")

SINCE = timedelta(hours=1)
"""So long ago the data seem to be made: jobs have ended, leases are over, and links and uploads still live."""

PICKLES: dict[str, dict[str, str]] = json.loads((DATA / "pickles.json").read_text("utf-8"))

NAMES = {
    "BadKey": "authentication",
    "Gone": "not_found",
    "JobFailed": "job_failed",
    "Lost": "lost",
    "Moderated": "content_rejected",
    "OutOfFunds": "insufficient_funds",
    "OverBudget": "over_budget",
    "RateLimited": "rate_limited",
    "Refused": "refused",
    "UnknownOutcome": "unknown_outcome",
    "Unreachable": "unreachable",
    "UserMistake": "input",
}
"""The kinds of errors, by the names that their classes had."""

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00")
UNIX = re.compile(r'(?<="(?:created|expires)_at": )\d{10}(?:\.\d+)?')


@pytest.fixture
def sandbox_settings(tmp_path: Path) -> SandboxSettings:
    path = tmp_path / "sandbox.db"
    load(path, (DATA / "sandbox.sql").read_text("utf-8"))
    return SandboxSettings(speed=200.0, state_path=path)


@pytest.fixture
def earlier(tmp_path: Path, ledger_file: Path, sandbox: SandboxServer) -> Path:
    """The folder of the earlier release, as if it had been moved here, with its ledger as the default one."""
    text = (DATA / "ledger.sql").read_text("utf-8")
    load(ledger_file, text.replace("{home}", str(tmp_path)).replace("{sandbox}", sandbox.url))
    for name in ("videos", "pictures"):
        shutil.copytree(DATA / name, tmp_path / name)
    for path in (tmp_path / "videos").rglob("*"):
        if path.suffix in {".json", ".csv"}:
            path.write_bytes(path.read_bytes().replace(b"{home}", str(tmp_path).encode()))
    for video, modified_ns in asked(ledger_file, "SELECT path, modified_ns FROM seedance_rows WHERE path IS NOT NULL"):
        os.utime(video, ns=(modified_ns, modified_ns))
    return tmp_path


def load(path: Path, text: str) -> None:
    """Make a database of a dump, with all its times moved up to the present."""
    made_at = datetime.fromisoformat(text.partition("\n")[0].removeprefix("-- made_at "))
    passed = datetime.now(UTC) - SINCE - made_at
    text = ISO.sub(lambda found: (datetime.fromisoformat(found[0]) + passed).isoformat(timespec="microseconds"), text)
    text = UNIX.sub(lambda found: str(float(found[0]) + passed.total_seconds()), text)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(text)


def asked(ledger: Path, question: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(ledger)) as database:
        return database.execute(question).fetchall()


def made(sandbox: SandboxServer) -> Counter[str]:
    """How often each prompt is on the bill."""
    return Counter(line.prompt for line in sandbox.state.bill())


def prompt(key: str) -> str:
    return next(row["prompt"] for row in TABLE if row["id"] == key)


def files(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash and time of each video."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.glob("*.mp4")
    }


def test_the_data_hold_what_they_are_meant_to_hold(ledger_file: Path) -> None:
    """Rows in every state, and with every kind of error, by the class names that the column held then."""
    load(ledger_file, (DATA / "ledger.sql").read_text("utf-8"))
    of_batch = f"JOIN seedance_batches b ON b.id = batch_id WHERE b.name = '{BATCH}' AND take = '1'"
    rows = asked(ledger_file, f"SELECT key, state, error_kind FROM seedance_rows {of_batch}")
    assert {state for _, state, _ in rows} == {
        "planned",
        "over_budget",
        "deferred",
        "sent",
        "unknown",
        "created",
        "succeeded",
        "stored",
        "refused",
        "failed",
        "expired",
    }
    assert {key: kind for key, _, kind in rows if kind is not None} == ERROR_KINDS
    assert {key for key, _, _ in rows} == {row["id"] for row in TABLE} - {"new"}
    assert asked(ledger_file, "SELECT count(*) FROM seedance_materials WHERE state = 'ready'") == [(1,)]
    assert asked(ledger_file, "SELECT value FROM seedance_book WHERE name = 'version'") == [("3",)]


def test_the_next_run_pays_for_nothing_again(earlier: Path, sandbox: SandboxServer) -> None:
    folder = earlier / "videos" / BATCH
    options: dict[str, Any] = {"batch": BATCH, "output": earlier / "videos", "media_root": earlier}
    before, videos = made(sandbox), files(folder)
    assert len(videos) == len(STORED) + 1, "of two takes"

    result = generate_videos(TABLE, route=routes(sandbox.url), **options)

    states = {row.row: row.status for row in result}
    stored = dict.fromkeys((*STORED, *PAID, *TAKEN), "stored")
    assert states == stored | dict.fromkeys(UNKNOWN, "unknown") | LEFT
    assert made(sandbox) - before == Counter(prompt(key) for key in TAKEN)
    assert sum(sandbox.state.calls[f"{provider}.create"] for provider in ("jimmy", "anyfast")) == len(TAKEN)
    assert sandbox.state.calls["files"] == len(PAID) + len(TAKEN), "no stored video was fetched"
    assert sandbox.state.calls["jimmy.upload"] == 1, "only the picture that was not there before"
    after = files(folder)
    assert {name: after[name] for name in videos} == videos
    assert len(after) == len(videos) + len(PAID) + len(TAKEN)
    jobs = {line.job_id: line.prompt for line in sandbox.state.bill()}
    for row in result:
        if row.status == "stored":
            assert row.job_id is not None
            assert jobs[row.job_id] == prompt(row.row)
            assert row.video is not None
            assert hashlib.sha256(Path(row.video).read_bytes()).hexdigest() == row.sha256
    # What the failed rows went through is still there for a person to read.
    assert all(row.error_message for row in result if row.status in {"unknown", "failed", "refused", "expired"})

    again = generate_videos(TABLE, route=routes(sandbox.url), **options)
    assert (again.made, {row.row: row.status for row in again}) == (0, states)
    take = generate_videos(TABLE, route=routes(sandbox.url), take="2", only=["stored"], **options)
    assert take.name == "Nothing new"
    swept = sweep_videos(routes(sandbox.url), batch=BATCH, patience=0)
    assert (swept.found, swept.left) == ([], [])
    assert made(sandbox) - before == Counter(prompt(key) for key in TAKEN)
    assert sandbox.state.calls["files"] == len(PAID) + len(TAKEN)


def test_error_kinds_become_stable_names(earlier: Path, sandbox: SandboxServer, ledger_file: Path) -> None:
    """The class names of the column are migrated, and the ledger as it was is kept next to it."""
    sweep_videos(routes(sandbox.url), batch=BATCH, patience=0)
    of_batch = f"JOIN seedance_batches b ON b.id = batch_id WHERE b.name = '{BATCH}' AND take = '1'"
    question = f"SELECT key, error_kind FROM seedance_rows {of_batch} AND error_kind IS NOT NULL"
    kinds = dict(asked(ledger_file, question))
    names = {kind: kind for kind in NAMES.values()} | NAMES
    assert {key: kinds[key] for key in ERROR_KINDS} == {key: names[name] for key, name in ERROR_KINDS.items()}
    before = ledger_file.with_name(f"{ledger_file.name}.version-3")
    assert dict(asked(before, question)) == ERROR_KINDS


def test_a_sweep_fetches_what_was_paid_for(earlier: Path, sandbox: SandboxServer) -> None:
    before = made(sandbox)
    swept = sweep_videos(routes(sandbox.url), batch=BATCH, patience=60)
    assert {row.key for row in swept.found} == {*PAID, "sent"}
    assert {row.key for row in swept.saved} == set(PAID)
    assert {row.key for row in swept.unknown} == set(UNKNOWN)
    assert made(sandbox) == before
    names = {path.stem for path in (earlier / "videos" / BATCH).glob("*.mp4")}
    assert names == {*STORED, "stored.take-2", *PAID}
    swept = sweep_videos(routes(sandbox.url), batch=BATCH, patience=0)
    assert swept.found == []


def plain(name: str) -> Any:
    return pickle.loads(base64.b64decode(PICKLES[name]["pickle"]))


def as_prefect_does(name: str) -> Any:
    return PickleSerializer().loads(PICKLES[name]["prefect"].encode())


READERS = pytest.mark.parametrize("read", [plain, as_prefect_does])


@READERS
def test_job_tickets_are_read_and_used(earlier: Path, sandbox: SandboxServer, read: Any) -> None:
    before = made(sandbox)
    tickets = [read(f"ticket-{state}") for state in ("created", "succeeded", "stored")]
    assert [type(ticket) for ticket in tickets] == [JobTicket] * 3
    assert [ticket.state for ticket in tickets] == ["created", "succeeded", "stored"]
    here = route(sandbox.url)

    @flow
    def go_on() -> list[JobTicket]:
        return [download_video(poll_video(ticket, route=here), route=here) for ticket in tickets]

    @flow
    def begin_again() -> JobTicket:
        return create_video("folded", row="created", batch=BY_HAND, route=here, output=earlier / "videos")

    ended = go_on()
    assert [ticket.state for ticket in ended] == ["stored"] * 3
    assert [ticket.job_id for ticket in ended] == [ticket.job_id for ticket in tickets]
    assert all(ticket.video is not None and Path(ticket.video).is_relative_to(earlier) for ticket in ended)
    assert begin_again().job_id == tickets[0].job_id
    assert sandbox.state.calls["files"] == 2, "the one that was stored is not fetched again"
    assert made(sandbox) == before


ERRORS = sorted(name for name, kept in PICKLES.items() if kept["text"] is not None)


@READERS
@pytest.mark.filterwarnings("ignore:.* is now called:DeprecationWarning")
@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_read(name: str, read: Any) -> None:
    error = read(name)
    assert isinstance(error, SeedanceError)
    # Codes of our own are in `error.code`, and no longer in the text.
    assert str(error) == re.sub(r" \[seedance \w+\]$", "", PICKLES[name]["text"])
    assert error.message
    with pytest.raises(type(error)):
        raise error
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


@READERS
def test_results_are_read(read: Any) -> None:
    result = read("result")
    assert isinstance(result, GenerateResult)
    assert (result.batch, result.name, result.made) == (BATCH, "All stored", len(STORED))
    assert [row.row for row in result.chosen] == list(STORED)
    assert result.to_dataframe()["status"].tolist()[: len(STORED)] == ["stored"] * len(STORED)
    assert result.cost() == {"CNY": sum(line.cost for line in result.costs)}
    nothing = read("NothingStored")
    assert isinstance(nothing, NothingStored)
    assert isinstance(nothing.result, GenerateResult)
    assert nothing.result.counts == {"failed": 1}
    assert read("request") == VideoRequest(prompt="a lantern", duration=4, images=("pictures/cup.png",))
    assert read("sweep").found == []
