"""Media that a provider bills: paid once, whatever becomes of the answer, and only for a row that can be made."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from prefect_seedance import PriceBook, resolve_video
from prefect_seedance.engine import medium
from prefect_seedance.engine.steps.media import submit_asset
from prefect_seedance.providers.jimmy.library import JimmyLibrary
from prefect_seedance.sandbox.http.media import media_bytes
from prefect_seedance.sandbox.world.assets import Assets

PRICES = PriceBook(currency="CNY", prices={"seedance-2.0-mini": "23", "volc-asset": "1", "volc-asset-video": "1"})
GROUP_AND_CLIP = ["volc-asset", "volc-asset-video"]


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """A table of three rows, each with a clip of its own."""
    folder = tmp_path / "campaign"
    folder.mkdir()
    rows = []
    for number in range(3):
        name = f"dance{number}.mp4"
        (folder / name).write_bytes(media_bytes(name, width=1280, height=720, seconds=Decimal(2 + number)))
        rows.append({"id": number, "prompt": f"dance {number}", "reference_videos": name, "ratio": "16:9"})
    pd.DataFrame(rows).to_csv(folder / "prompts.csv", index=False)
    return folder / "prompts.csv"


@pytest.fixture
def mini(route_to):
    return route_to("seedance-2.0-mini", duration=4, prices=PRICES)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost answer is looked for for two seconds, not for a minute."""
    monkeypatch.setattr(submit_asset, "LOOKUP_SECONDS", 2.0)


def bought(sandbox) -> list[str]:
    return sorted(line.billing_model for line in sandbox.state.bill() if line.unit == "request")


def fates(result) -> Counter[str]:
    """How the rows that were chosen stand."""
    return Counter({state: count for state, count in result.counts.items() if state != "left_out"})


def cost_and_count(result) -> tuple[Decimal, int]:
    """What assets cost, and how many requests for them are unknown, by the batch's report."""
    lines = [line for line in result.costs_to_date if line.unit == "request"]
    return sum((line.cost for line in lines), Decimal(0)), sum(line.held for line in lines)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_a_group_of_unknown_outcome_is_asked_for_once_until_a_person_settles_it(make, mini, sandbox, clips):
    sandbox.faults.asset_cut_before = 1.0
    first = make(clips, route=mini)
    assert fates(first) == {"deferred": 3}
    make(clips, route=mini, batch="summer")
    again = make(clips, route=mini)
    assert sandbox.state.calls["anyfast.CreateAssetGroup"] == 1
    assert cost_and_count(again) == (0, 1)
    message = next(iter(again)).error_message
    assert "may have been billed ('volc-asset': 1 CNY)" in message
    assert "prefect-seedance resolve spring asset:1 not_made" in message

    sandbox.faults.rest()
    assert "made nothing" in resolve_video("spring", "asset:1", verdict="not_made")
    assert fates(make(clips, route=mini)) == {"stored": 3}
    assert Counter(bought(sandbox)) == {"volc-asset": 1, "volc-asset-video": 3}


@pytest.mark.usefixtures("impatient")
@pytest.mark.slow
def test_what_a_lost_request_made_is_found_by_a_later_run_and_counted(make, mini, sandbox, clips):
    """The list lags behind: the run that sent it does not find it, and nobody sends it again."""
    sandbox.faults.asset_list_absent_seconds = 3600.0
    sandbox.faults.queue("asset", "ok", "asset_cut_after")
    first = make(clips, route=mini, limit=1)
    assert fates(first) == {"deferred": 1}
    assert cost_and_count(first) == (1, 1)
    assert fates(make(clips, route=mini, limit=1)) == {"deferred": 1}
    assert sandbox.state.calls["anyfast.CreateAsset"] == 1
    sandbox.faults.asset_list_absent_seconds = 0.0
    last = make(clips, route=mini, limit=1, batch="summer")
    assert fates(last) == {"stored": 1}
    last = make(clips, route=mini, limit=1)
    assert fates(last) == {"stored": 1}, [row.error_message for row in last]
    assert bought(sandbox) == GROUP_AND_CLIP
    assert cost_and_count(last) == (2, 0)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_a_name_that_is_taken_is_looked_up_and_never_refuses_a_row(make, mini, sandbox, clips, tmp_path):
    """Another ledger has bought the asset, and the list does not show it yet."""
    elsewhere = {"ledger": str(tmp_path / "other.db"), "output": tmp_path / "other"}
    assert fates(make(clips, route=mini, only=["0"], **elsewhere)) == {"stored": 1}
    assert fates(make(clips, route=mini, only=["1"], batch="summer")) == {"stored": 1}
    sandbox.faults.asset_list_absent_seconds = 3600.0
    unseen = make(clips, route=mini, only=["0"], batch="autumn")
    assert fates(unseen) == {"deferred": 1}
    assert cost_and_count(unseen) == (0, 0)
    sandbox.faults.rest()
    assert fates(make(clips, route=mini, only=["0"], batch="autumn")) == {"stored": 1}
    assert Counter(bought(sandbox)) == {"volc-asset": 1, "volc-asset-video": 2}


@pytest.mark.slow
def test_no_asset_is_bought_for_rows_that_the_budget_does_not_hold(make, mini, sandbox, clips):
    result = make(clips, route=mini, budget="7.99 CNY", max_charge="6 CNY")
    assert fates(result) == {"over_budget": 3}
    assert bought(sandbox) == []
    result = make(clips, route=mini, budget="8 CNY", max_charge="6 CNY", limit=1)
    assert fates(result) == {"stored": 1, "over_budget": 2}, [row.error_message for row in result]
    assert bought(sandbox) == GROUP_AND_CLIP


@pytest.mark.slow
def test_two_people_behind_one_path_are_two_portraits(make, route_to, sandbox):
    rows = [
        {"id": name, "prompt": f"{name} smiles", "images": f"https://media.invalid/photo?id={name}&sig={number}"}
        for number, name in enumerate(("ann", "bob"))
    ]
    rows = [{**row, "media_review": "portrait"} for row in rows]
    assert fates(make(rows, route=route_to("seedance2.0-sp"))) == {"stored": 2}
    sent = {job.prompt: tuple(job.request["images"]) for job in sandbox.state.jobs()}
    assert sent["ann smiles"] != sent["bob smiles"]
    # The same picture, signed anew, is known.
    newly = [{**row, "images": row["images"].replace("sig=", "sig=9")} for row in rows]
    assert fates(make(newly, route=route_to("seedance2.0-sp"), batch="summer")) == {"stored": 2}
    assert sandbox.state.calls["jimmy.realperson.submit"] == 2


@pytest.mark.slow
def test_an_upload_that_ends_soon_is_made_anew_within_the_run(make, route_to, sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(JimmyLibrary, "upload_lifetime", timedelta(seconds=6))
    monkeypatch.setattr(medium, "MARGIN", timedelta(seconds=5))
    (tmp_path / "logo.png").write_bytes(media_bytes("logo.png", width=640, height=640, seconds=Decimal(1)))
    rows = [{"id": number, "prompt": f"scene {number}", "images": "logo.png"} for number in range(12)]
    pd.DataFrame(rows).to_csv(tmp_path / "prompts.csv", index=False)
    result = make(tmp_path / "prompts.csv", route=route_to(max_in_flight=1))
    assert fates(result) == {"stored": 12}
    assert sandbox.state.calls["jimmy.upload"] >= 2


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_an_asset_that_failed_is_handed_in_again_once_each_time_that_is_asked(make, mini, sandbox, clips, monkeypatch):
    """The answer to the second one is lost and the list lags: neither the run nor the next one pays for a third."""
    real, fails = Assets.add, iter([True])
    monkeypatch.setattr(Assets, "add", lambda *a, **k: real(*a, **{**k, "fails": next(fails, False)}))
    assert fates(make(clips, route=mini, limit=1)) == {"refused": 1}
    assert fates(make(clips, route=mini, limit=1)) == {"refused": 1}
    assert bought(sandbox) == GROUP_AND_CLIP
    sandbox.faults.asset_list_absent_seconds = 3600.0
    sandbox.faults.queue("asset", "asset_cut_after")
    assert fates(make(clips, route=mini, limit=1, retry=["refused"])) == {"deferred": 1}
    assert fates(make(clips, route=mini, limit=1, retry=["refused"])) == {"deferred": 1}
    sandbox.faults.rest()
    last = make(clips, route=mini, limit=1)
    assert fates(last) == {"stored": 1}, [row.error_message for row in last]
    assert bought(sandbox) == [*GROUP_AND_CLIP, "volc-asset-video"]
    assert cost_and_count(last) == (3, 0)
