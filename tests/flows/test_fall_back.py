"""Several routes through the flow: by cell, by choice and by saved block; what is told of them, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from prefect_seedance import quote_videos
from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.errors import InputError
from prefect_seedance.flows.forms import videos_from_table, watch_folder
from prefect_seedance.reports.money import cost_table
from prefect_seedance.reports.summary import summary
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.sandbox.http.media import media_bytes
from tests.conftest import RouteTo
from tests.flows.conftest import Make

TABLE = [{"id": "lantern", "prompt": "a lantern", "shop": "north"}, {"id": "fox", "prompt": "a fox", "shop": "south"}]
ANYFAST, JIMMY = "seedance-2.0-mini", "seedance2.0-mini"


@pytest.fixture
def sandbox_settings() -> SandboxSettings:
    """Each account may spend 1 CNY: four videos at Jimmy AI, and none at Anyfast, where one costs 2.50."""
    return SandboxSettings(speed=200.0, funds=Decimal(1))


@pytest.mark.slow
def test_a_watched_folder_pays_no_row_twice_and_forgets_none(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: str
) -> None:
    monkeypatch.chdir(tmp_path)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    prompts = [f"a lantern {number}" for number in range(6)]
    route_to(JIMMY, duration=5).save("night-reserve", overwrite=True, _sync=True)

    def look(route: RouteDefaults) -> str:
        lines = [f"r{number},{prompt}" for number, prompt in enumerate(prompts)]
        (inbox / "spring.csv").write_text("\n".join(["id,prompt", *lines]))
        state = watch_folder(folder="inbox", route=route, settle=0.1, return_state=True)
        return str(state.name)

    # Four of the six fall back to the account that can pay for four; the rest waits for funds.
    both = route_to(ANYFAST, duration=5, fall_back=["night-reserve"])
    look(both)
    assert len(sandbox.state.bill()) == 4
    paid = {line.prompt for line in sandbox.state.bill()}
    # One of those that wait is mended: those that were made elsewhere are known, and none of the others is forgotten.
    prompts = [prompt if prompt in paid else f"{prompt} mended" for prompt in prompts[:5]] + prompts[5:]
    sandbox.state.settings = replace(sandbox.state.settings, funds=Decimal(9))
    assert look(both) == "All completed"
    assert sorted(line.prompt for line in sandbox.state.bill()) == sorted({*paid, *prompts})
    assert len(sandbox.state.bill()) == 6
    # What the other content had put off is made now: nothing is left of it when it comes back.
    assert look(both) == "Nothing new"


@pytest.mark.slow
def test_a_saved_block_falls_back_to_another(
    make: Make, route_to: RouteTo, sandbox: SandboxServer, output: Path
) -> None:
    route_to(JIMMY).save("night-reserve", overwrite=True, _sync=True)
    route_to(ANYFAST, fall_back=["night-reserve"]).save("night", overwrite=True, _sync=True)
    result = make(TABLE, route="night")
    assert [(row.status, row.route, row.provider, row.cost) for row in result] == [
        ("stored", JIMMY, "jimmy", Decimal("0.25"))
    ] * 2
    assert sandbox.state.calls["anyfast.create"] <= 2
    assert {line.cost for line in sandbox.state.bill()} == {Decimal("0.25")}
    lines = [row.refused_before for row in result]
    assert all(f"{ANYFAST} (anyfast/default)" in text for text in lines)
    assert "remaining quota" in " ".join(lines)
    costs = {row["route"]: row for row in cost_table(result.costs)}
    assert costs[f"anyfast/default: {ANYFAST}"]["cost"] == "nothing"
    assert "remaining quota" in costs[f"anyfast/default: {ANYFAST}"]["refused"]
    text = summary(result)
    assert "2 rows went on to another route" in text
    assert "remaining quota" in text
    assert "remaining quota" in (output / "spring" / "contact-sheet.html").read_text(encoding="utf-8")
    # The answer is a table again, and so is one of before there was such a column: neither is paid for.
    answer = result.to_dataframe()
    assert list(answer["refused_before"]) == lines
    for table in (answer, answer.drop(columns="refused_before")):
        again = make(table, route="night")
        assert (again.name, list(again.to_dataframe().columns)) == ("Nothing new", list(answer.columns))
    assert len(sandbox.state.bill()) == 2
    with pytest.raises(InputError, match="'gone'"):
        make(TABLE, route=route_to(JIMMY, fall_back=["gone"]))


def test_the_quote_spans_the_routes_of_a_row(prefect_server: str, route_to: RouteTo) -> None:
    routes = [route_to(JIMMY, ratio="16:9"), route_to(ANYFAST, ratio="16:9")]
    rows = [
        *TABLE,
        {"id": "tea", "prompt": "tea", "route": "cheapest"},
        {"id": "cup", "prompt": "a cup", "route": JIMMY},
    ]
    frame = quote_videos(rows, route=routes, choose="in_order").to_dataframe().set_index("id")
    dear = Decimal("0.1089") * 23
    assert list(frame["seedance_route"] if "seedance_route" in frame else frame["route"]) == [
        *[f"{JIMMY} > {ANYFAST}"] * 3,
        JIMMY,
    ]
    assert list(frame["quote_low"]) == [Decimal("0.25")] * 4
    assert list(frame["quote_high"]) == [dear, dear, dear, Decimal("0.25")]
    alone = quote_videos(rows[:2], route=routes).to_dataframe()
    assert list(alone["quote_high"]) == [Decimal("0.25")] * 2
    unpriced = quote_videos(rows[:2], route=[routes[0], route_to(ANYFAST, prices=None)], choose="in_order")
    assert unpriced.total.sums == ()
    assert "cost unknown" in str(unpriced)
    assert any("0.25 CNY" in note and "unknown" in note for note in unpriced.total.notes)


def test_media_are_brought_to_the_route_that_is_asked(
    make: Make, route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path
) -> None:
    picture = tmp_path / "cup.png"
    picture.write_bytes(media_bytes("cup.png", width=640, height=640, seconds=Decimal(1)))
    rows = [{"id": f"r{number}", "prompt": f"cup {number}", "images": "cup.png"} for number in range(3)]
    billed = route_to(ANYFAST, media_review="asset", max_in_flight=1)
    # The first has funds: nothing is handed in at the second, where it would be billed.
    result = make(rows, route=[route_to(JIMMY), billed], choose="in_order", media_root=tmp_path)
    assert {row.provider for row in result} == {"jimmy"}
    assert not [line for line in sandbox.state.bill() if line.unit == "request"]
    assert not [call for call in sandbox.state.calls if call.startswith("anyfast.")]
    # The first has none: the picture that went to it inline is uploaded for the second.
    turned = make(
        rows[:1],
        route=[route_to(ANYFAST), route_to(JIMMY)],
        choose="in_order",
        batch="b",
        media_root=tmp_path,
        task_runs="per_chunk",
    )
    assert (turned.rows[0].status, turned.rows[0].provider) == ("stored", "jimmy")
    assert sandbox.state.jobs()[-1].request["images"][0].startswith(sandbox.url)


def test_a_column_of_the_users_own_may_be_called_route(make: Make, sandbox: SandboxServer) -> None:
    table = pd.DataFrame(TABLE).assign(route=["north line", "south line"])
    with pytest.raises(InputError, match="is not a route"):
        make(table)
    result = make(table, columns={"route": ""}, limit=1)
    assert list(result.to_dataframe()["route"]) == ["north line", "south line"]
    assert result.rows[0].status == "stored"


def test_the_form_offers_it_too(make: Make, route_to: RouteTo, sandbox: SandboxServer, output: Path) -> None:
    result = videos_from_table(
        rows="a lamp",
        batch="typed",
        route=route_to(ANYFAST),
        more_routes=[route_to(JIMMY)],
        choose="in order",
        output=str(output),
    )
    assert [(row.status, row.provider) for row in result] == [("stored", "jimmy")]


@pytest.mark.slow
def test_what_a_menu_says_holds_for_whichever_route_makes_the_video(
    route_to: RouteTo, sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: str
) -> None:
    monkeypatch.chdir(tmp_path)
    route_to(JIMMY, duration=5, ratio="16:9").save("wide-reserve", overwrite=True, _sync=True)
    dry = route_to(ANYFAST, duration=5, fall_back=["wide-reserve"])
    state = videos_from_table(batch="b", rows="a fox", route=dry, ratio="9:16", duration=4, return_state=True)
    assert state.name == "All stored", state.message
    (row,) = state.result()
    assert (row.route, row.width, row.height) == (JIMMY, 720, 1280)
    assert 4 <= float(row.seconds) < 5
    # A route that cannot keep to it is told before anything is spent.
    text = videos_from_table(batch="c", rows="a fox", route=dry, resolution="4k", return_state=True)
    assert (text.name, len(sandbox.state.jobs())) == ("Not started", 1)
    assert "wide-reserve" in text.message or ANYFAST in text.message
