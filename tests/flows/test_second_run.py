"""DESIGN, section 4: what the next run of the same batch and take does with a row, state by state."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from prefect_seedance import generate_videos
from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.engine.steps import absence
from prefect_seedance.errors import InputError
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from tests.lifetimes import end_of_life, hurry
from tests.patience import eventually, hasten


def creates(sandbox) -> int:
    return sandbox.state.calls["jimmy.create"]


def statuses(result) -> dict[str, str]:
    return {row.row: row.status for row in result.rows}


def rows(*ids: str) -> list[dict[str, str]]:
    return [{"id": each, "prompt": f"prompt {each}"} for each in ids]


def test_a_stored_row_costs_no_call_at_all(make, sandbox):
    first = make(rows("a", "b"))
    before = dict(sandbox.state.calls)
    second = make(rows("a", "b"))
    assert sandbox.state.calls == before
    assert (second.made, second.name) == (0, "Nothing new")
    assert [row.video for row in second.rows] == [row.video for row in first.rows]
    assert second.cost() == {}
    assert sum(line.cost for line in second.costs_to_date) == Decimal("0.50")


@pytest.mark.slow
def test_a_row_refused_for_now_is_taken_again(make, route_to, sandbox):
    """Funds are used up after two; a wrong key and a filled purse later, the rest is made, and nothing twice."""
    sandbox.state.settings = replace(sandbox.state.settings, funds=Decimal("0.6"))
    first = make(rows("a", "b", "c", "d"), route=route_to(max_in_flight=1))
    assert sorted(statuses(first).values()) == ["deferred", "deferred", "stored", "stored"]
    sandbox.state.settings = replace(sandbox.state.settings, funds=None)
    wrong = JimmyCredentials(api_key="sk_wrong", base_url=sandbox.url)
    assert make(rows("a", "b", "c", "d"), route=route_to(credentials=wrong)).made == 0
    last = make(rows("a", "b", "c", "d"))
    assert last.made == 2
    assert set(statuses(last).values()) == {"stored"}
    assert sorted(line.prompt for line in sandbox.state.bill()) == [f"prompt {each}" for each in "abcd"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("cut_before", marks=pytest.mark.slow),
        pytest.param("cut_after", marks=pytest.mark.slow),
        pytest.param("error_before", marks=pytest.mark.slow),
        pytest.param("error_after", marks=pytest.mark.slow),
        "broken_after",
    ],
)
def test_an_unknown_row_is_never_taken_by_itself(make, route_to, output, sandbox, fault):
    sandbox.faults.queue("create", fault)
    first = make(rows("a"))
    assert statuses(first) == {"a": "unknown"}
    assert (first.rows[0].cost, first.rows[0].job_id) == (None, None)
    assert first.costs_to_date[0].held == 1
    again = make(rows("a"))
    assert statuses(again) == {"a": "unknown"}
    assert make(rows("a"), retry=["failed", "refused", "expired"]).rows[0].status == "unknown"
    with pytest.raises(InputError, match="may have been paid"):
        generate_videos(rows("a"), route=route_to(), batch="spring", output=output, retry=["unknown"])
    assert creates(sandbox) == 1
    # A new take is the user's own decision, and pays.
    assert statuses(make(rows("a"), take="2")) == {"a": "stored"}


@pytest.mark.slow
def test_rows_that_ended_badly_are_left_alone_unless_asked(make, route_to, sandbox, monkeypatch):
    end_of_life(monkeypatch)
    sandbox.faults.queue("create", "failed", "moderated", "expired_link", "ok")
    one_by_one = route_to(max_in_flight=1)
    first = make(rows("a", "b", "c", "d"), route=one_by_one)
    assert statuses(first) == {"a": "failed", "b": "failed", "c": "expired", "d": "stored"}
    assert first.rows[2].cost == Decimal("0.25"), "an expired link was made and paid"

    left = make(rows("a", "b", "c", "d"), route=one_by_one)
    assert statuses(left) == statuses(first)
    assert creates(sandbox) == 4

    failed_again = make(rows("a", "b", "c", "d"), route=one_by_one, retry=["failed"])
    assert statuses(failed_again) == {"a": "stored", "b": "stored", "c": "expired", "d": "stored"}
    assert failed_again.rows[0].attempts == 2
    assert creates(sandbox) == 6
    all_again = make(rows("a", "b", "c", "d"), route=one_by_one, retry=["expired"])
    assert set(statuses(all_again).values()) == {"stored"}
    assert creates(sandbox) == 7
    # The row's cost is that of all its attempts: paid twice, since the user asked for it.
    assert all_again.rows[2].cost == Decimal("0.50")
    assert [line.prompt for line in sandbox.state.bill()].count("prompt c") == 2


@pytest.mark.slow
def test_a_row_refused_by_the_provider_is_left_alone_unless_asked(make, route_to, sandbox):
    anyfast = route_to("seedance-2.0-mini")
    table = [{"id": "a", "prompt": "Mickey Mouse"}, {"id": "b", "prompt": "fine"}]
    first = make(table, route=anyfast)
    assert statuses(first) == {"a": "refused", "b": "stored"}
    make(table, route=anyfast)
    assert sandbox.state.calls["anyfast.create"] == 2
    make(table, route=anyfast, retry=["refused"])
    assert sandbox.state.calls["anyfast.create"] == 3
    assert [line.prompt for line in sandbox.state.bill()] == ["fine"]


@pytest.mark.slow
def test_a_file_gone_or_changed_is_fetched_again_and_never_made_again(make, sandbox, monkeypatch):
    first = make(rows("gone", "cut", "kept"))
    videos = {row.row: Path(row.video) for row in first.rows}
    whole = videos["cut"].read_bytes()
    videos["gone"].unlink()
    videos["cut"].write_bytes(whole[:-1])
    fetched = make(rows("gone", "cut", "kept"))
    assert set(statuses(fetched).values()) == {"stored"}
    assert videos["gone"].is_file()
    assert videos["cut"].read_bytes() == whole
    assert sandbox.state.calls["files"] == 5

    videos["gone"].unlink()
    hurry(monkeypatch)
    long_after = time.time() + 30 * 86_400
    monkeypatch.setattr(absence, "now", lambda: datetime.fromtimestamp(long_after, UTC))
    sandbox.state.settings = replace(sandbox.state.settings, clock=lambda: long_after)
    late = make(rows("gone", "cut", "kept"))
    assert statuses(late) == {"gone": "expired", "cut": "stored", "kept": "stored"}
    assert late.rows[0].cost == Decimal("0.25")
    assert creates(sandbox) == 3


@pytest.mark.slow
def test_a_job_that_outlasts_the_patience_is_kept_for_the_next_run(make, sandbox):
    sandbox.state.settings = replace(sandbox.state.settings, speed=1)
    first = make(rows("a"), patience=0.2)
    assert statuses(first) == {"a": "created"}
    job = first.rows[0].job_id
    hasten(sandbox)
    second = make(rows("a"))
    assert (statuses(second), second.rows[0].job_id) == ({"a": "stored"}, job)
    assert creates(sandbox) == 1


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ({"prompt": "x"}, {"prompt": "y"}, "prompt"),
        ({"prompt": "x", "duration": 5}, {"prompt": "x", "duration": 6}, "duration"),
        ({"prompt": "x"}, {"prompt": "x", "ratio": "1:1"}, "ratio"),
    ],
)
def test_the_same_key_with_another_request_is_an_error_that_says_what_changed(make, sandbox, first, second, text):
    make([{"id": "a", **first}])
    with pytest.raises(InputError, match=text) as caught:
        make([{"id": "a", **second}, {"id": "b", "prompt": "new"}])
    assert "take" in str(caught.value)
    assert "batch" in str(caught.value)
    assert creates(sandbox) == 1


@pytest.mark.slow
def test_signed_parts_of_a_link_do_not_make_it_another_request(make, sandbox):
    """Signed links are renewed all the time: the same picture with another signature is the same request."""
    link = f"{sandbox.url.replace('http:', 'https:')}/_media/a.png?sig="
    make([{"id": "a", "prompt": "x", "images": link + "old"}])
    assert make([{"id": "a", "prompt": "x", "images": link + "new"}]).made == 0
    assert creates(sandbox) == 1


DYING = """
import json, sys
from prefect_seedance import generate_videos
from prefect_seedance.blocks import JimmyCredentials, PriceBook, RouteDefaults
url, output = sys.argv[1:]
route = RouteDefaults(credentials=JimmyCredentials(api_key="sk_sandbox", base_url=url), model="seedance2.0-mini",
    prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05"}), poll_seconds=0.1, max_in_flight=1)
table = [{"id": each, "prompt": f"prompt {each}"} for each in ("made", "sent", "planned")]
generate_videos(table, route=route.model_copy(update={"max_in_flight": 2}), batch="spring", output=output)
"""


@pytest.mark.slow
def test_rows_of_a_killed_run(make, prefect_server, output, tmp_path, monkeypatch):
    """Killed with one job accepted, one create on its way, and one row not yet sent: one process, no warning."""
    # The same host: dead is known at once, or this would take a day.
    monkeypatch.setenv("PREFECT_SEEDANCE_LEASE", "86400")
    settings = SandboxSettings(job_seconds=(60, 60))
    with SandboxServer(settings) as sandbox:
        sandbox.faults.queue("create", "ok", "slow_create")
        sandbox.faults.slow_create_seconds = 3600.0
        script = tmp_path / "dying.py"
        script.write_text(DYING)
        dying = subprocess.Popen([sys.executable, script, sandbox.url, output], stderr=subprocess.PIPE)
        # A job that is asked about is in the ledger.
        eventually(
            lambda: (creates(sandbox) == 2 and sandbox.state.calls["jimmy.query"]) or dying.poll() is not None,
            "two creates, of which one is answered",
        )
        assert dying.poll() is None, dying.stderr.read()
        dying.kill()
        dying.communicate()
        on_their_way = [line.prompt for line in sandbox.state.bill()]
        assert len(on_their_way) == 2

        hasten(sandbox)
        sandbox.state.settings = replace(sandbox.state.settings, job_seconds=(0.1, 0.2))
        route = RouteDefaults(
            credentials=JimmyCredentials(api_key="sk_sandbox", base_url=sandbox.url),
            model="seedance2.0-mini",
            prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05"}),
            poll_seconds=0.1,
        )
        result = make(rows("made", "sent", "planned"), route=route)
        found = statuses(result)
        assert found["planned"] == "stored"
        assert sorted(found.values()) == ["stored", "stored", "unknown"]
        assert creates(sandbox) == 3
        assert sorted(line.prompt for line in sandbox.state.bill()) == ["prompt made", "prompt planned", "prompt sent"]
        adopted = next(row for row in result.rows if row.status == "stored" and row.row != "planned")
        assert json.dumps(adopted.job_id) in json.dumps([line.job_id for line in sandbox.state.bill()])
