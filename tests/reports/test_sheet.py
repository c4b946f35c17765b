"""The contact sheet as a file: everything is in it, nothing breaks out of it, and no key is shown."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.ledger import Outcome, Settlement, State, add_up
from prefect_seedance.reports.sheet import Card, cards_of, contact_sheet
from prefect_seedance.reports.sheet.addresses import link_to, without_keys
from tests.reports.sheets import a_batch, a_row, an_attempt, columns_of, film


class Page(HTMLParser):
    """The elements of a page as a parser sees them, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_script = tag == "script"
        if self._in_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.scripts[0])


def skeleton(page: Page) -> list[tuple[str, dict[str, str | None]]]:
    return page.tags


def one(key: str = "a", **changes: Any) -> Card:
    return Card(key=key, status="stored", order=0, **changes)


EMPTY = skeleton(Page(contact_sheet("b", [])))

nasty = st.one_of(
    st.text(st.characters()),  # halves of surrogate pairs too
    st.text("<>/&!-\"'sScript \u2028\u2029\0\r\n{}[]\\"),
    st.sampled_from(
        ["</script><script>alert(1)</script>", "<!--<script>", "<img src=x onerror=alert(1)>", "{{script}}"]
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=nasty, prompt=nasty, heading=nasty, cell=nasty, reason=nasty, batch=nasty)
def test_any_text_in_any_cell_comes_out_as_it_went_in_and_breaks_nothing(
    key: str, prompt: str, heading: str, cell: str, reason: str, batch: str
) -> None:
    card = one(key, request={"prompt": prompt}, columns={heading: cell}, reason=reason)
    text = contact_sheet(batch, [card])
    page = Page(text.encode("utf-8").decode("utf-8"))  # what is written can be written as UTF-8
    assert skeleton(page) == EMPTY, "no text makes an element, or an attribute"
    assert len(page.scripts) == 2
    (found,) = page.data["cards"]
    assert (found["key"], found.get("prompt", "")) == (key, prompt)
    assert found.get("columns", {}) == {heading: without_keys(cell)}
    assert found.get("reason", "") == without_keys(reason)
    assert page.data["batch"] == batch
    assert not set("<>&\u2028\u2029") & set(page.scripts[0])


def test_the_page_allows_its_own_script_and_style_and_asks_nobody() -> None:
    text = contact_sheet("b", [one(video="a.mp4", poster=".previews/a.jpg")])
    page = Page(text)
    (policy,) = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src 'self' file: data:; media-src 'self' file:;")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not [attrs for tag, attrs in page.tags if tag in {"link", "iframe", "base", "object"} or "src" in attrs]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on") or name == "style"]
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)[^\s\"'`]*", text)
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert forbidden not in text


def test_cards_stand_in_the_order_of_the_table_and_takes_beside_each_other(tmp_path: Path) -> None:
    again = an_attempt(3)
    rows = [
        a_row(1, "b", [an_attempt(1)], path=str(tmp_path / "b.mp4")),
        a_row(2, "gone", [an_attempt(2)], path="/elsewhere/q?#1.mp4"),
        a_row(3, "a", [again], path=str(tmp_path / "目录" / "a#1?.mp4"), file_name="a#1?", remarks=("Has no sound",)),
        a_row(4, "b", [an_attempt(4)], take="2", path="s3://bucket/b.mp4"),
    ]
    (tmp_path / ".previews").mkdir()
    (tmp_path / ".previews" / "a#1?.jpg").write_bytes(b"jpeg")
    cards = cards_of(
        rows,
        [row.attempt for row in rows if row.attempt],
        folder=tmp_path,
        columns={"a": {"x": "1"}, "bad": {"x": "2"}, "b": {"x": "3"}},
        invalid={"bad": "duration 3: expected 4 to 15"},
    )
    assert [(card.key, card.take, card.status) for card in cards] == [
        ("a", "1", "stored"),
        ("bad", "1", "invalid"),
        ("b", "1", "stored"),
        ("b", "2", "stored"),
        ("gone", "1", "stored"),
    ]
    a, bad, b, b2, gone = cards
    assert (a.video, a.poster, a.strip) == ("%E7%9B%AE%E5%BD%95/a%231%3F.mp4", ".previews/a%231%3F.jpg", None)
    assert (b.video, b2.video, gone.video) == ("b.mp4", None, "file:///elsewhere/q%3F%231.mp4")
    assert bad.reason == "duration 3: expected 4 to 15"
    assert a.remarks == ("Has no sound",)
    data = Page(contact_sheet("b", cards)).data
    assert data["takes"] == ["1", "2"]
    assert data["next_take"] == "3"


def test_a_sheet_in_an_object_store_points_beside_itself() -> None:
    rows = [a_row(1, "a b", [an_attempt(1)], path="s3://bucket/out/spring/a b.mp4")]
    (card,) = cards_of(rows, [], folder="s3://bucket/out/spring")
    assert (card.video, card.poster) == ("a%20b.mp4", ".previews/a%20b.jpg")
    assert link_to("https://cdn.example/a.mp4?sig=1", "/v") is None


def test_links_lose_their_keys_wherever_they_stand() -> None:
    signed = "https://me:pw@cdn.example/a.png?sig=SECRET#SECRET"
    card = one(
        request={"prompt": "x", "images": [signed, "data:image/png;base64," + "A" * 5000]},
        columns={"picture": signed},
        reason=f"could not read {signed}: 403",
        remarks=[signed],
        attempts=[an_attempt(1, message=f"bad {signed}")],
    )
    text = contact_sheet("b", [card], warnings=[signed])
    for secret in ("SECRET", "pw@", "sig=", "A" * 50):
        assert secret not in text
    assert text.count("https://…@cdn.example/a.png") == 6


def test_money_is_exact_told_apart_by_currency_and_never_a_nought_for_unknown() -> None:
    unknown = an_attempt(2, outcome=Outcome.UNKNOWN, settlement=Settlement.UNKNOWN, charge=None)
    attempts = [
        an_attempt(1, charge=Decimal("0.1")),
        an_attempt(3, charge=Decimal("0.2")),
        unknown,
        an_attempt(4, charge=Decimal("1.00000000000000000001"), currency="USD"),
        an_attempt(5, charge=None, units=None, unit_price=None, currency=None, quote_high=None),
        an_attempt(6, charge=None, units=None, settlement=Settlement.UNDOCUMENTED),
    ]
    cards = [one(str(attempt.row_id), attempts=[attempt]) for attempt in attempts]
    cards[2] = replace(cards[2], status="unknown")
    refused = an_attempt(8, settlement=Settlement.NOTHING, charge=None)
    running = an_attempt(9, settlement=Settlement.OPEN, charge=None)
    cards += [replace(one("none"), status="planned"), one("copied from another batch")]
    cards += [one("refused", attempts=[refused]), one("running", attempts=[running])]
    data = Page(contact_sheet("b", cards)).data
    assert data["cost"] == ["0.30 CNY", "1.00000000000000000001 USD"]
    assert data["doubts"] == ["up to 0.50 CNY", "no known limit"]
    assert data["unsure"] == 3
    costs = {card["key"]: card["cost"] for card in data["cards"]}
    assert costs == {
        "1": "0.10 CNY",
        "3": "0.20 CNY",
        "2": "unknown",
        "4": "1.00000000000000000001 USD",
        "5": "unknown",
        "6": "unknown",
        "none": "–",
        "copied from another batch": "nothing",
        "refused": "nothing",
        "running": "not settled",
    }
    assert data["cards"][2]["may_have_cost"] == "may have been made, and may have cost up to 0.25 CNY"
    assert [(route.get("currency"), route["cost"]) for route in data["routes"]] == [
        ("CNY", "0.30"),
        ("USD", "1.00000000000000000001"),
        (None, "unknown"),
    ]
    assert [attempt["cost"] for attempt in data["cards"][5]["attempts"]] == [
        "charge on failure not documented: up to 0.25 CNY"
    ]


def test_costs_that_are_given_may_hold_more_than_the_cards(tmp_path: Path) -> None:
    lines = add_up([an_attempt(1), an_attempt(2)])
    assert Page(contact_sheet("b", [one(attempts=[an_attempt(1)])], costs=lines)).data["cost"] == ["0.50 CNY"]


def test_the_time_to_make_is_that_of_the_attempt_that_made_it() -> None:
    first, second = an_attempt(1, 1), an_attempt(1, 2)
    second = replace(second, sent_at=first.sent_at + timedelta(hours=2))
    row = a_row(1, "a", [second], finished_at=second.sent_at + timedelta(seconds=75))
    (card,) = cards_of([row], [first, second], folder="/v")
    assert Page(contact_sheet("b", [card])).data["cards"][0]["making"] == 75
    failed = a_row(1, "a", [second], state=State.FAILED, finished_at=second.sent_at)
    (card,) = cards_of([failed], [second], folder="/v")
    assert "making" not in Page(contact_sheet("b", [card])).data["cards"][0]


def test_few_posters_go_into_the_page_and_many_stay_beside_it(tmp_path: Path) -> None:
    rows, tried = a_batch(6, tmp_path)
    film(rows, tmp_path, videos=0)
    cards = cards_of(rows, tried, folder=tmp_path, columns=columns_of(rows))
    stored = [card for card in cards if card.poster]
    assert len(stored) == 5
    embedded = Page(contact_sheet("spring", cards, folder=tmp_path)).data["cards"]
    for card in embedded:
        if card["status"] == "stored":
            head, _, body = card["poster"].partition(",")
            assert head == "data:image/jpeg;base64"
            assert base64.b64decode(body) == (tmp_path / ".previews" / f"{card['key']}.jpg").read_bytes()
            assert card["strip"] == f".previews/{card['key']}.strip.jpg"
    (tmp_path / ".previews" / f"{stored[0].key}.jpg").write_bytes(b"x" * 3_000_001)
    beside = Page(contact_sheet("spring", cards, folder=tmp_path)).data["cards"]
    assert {card.get("poster") for card in beside} == {card.poster for card in cards}
