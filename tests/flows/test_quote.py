"""Quotes: what a table would cost, without a word to any provider."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from prefect_seedance import quote_videos
from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials, PriceBook

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def far(route_to):
    """Routes to a host that does not answer: a quote needs no network."""

    def make(model, **fields):
        kind = AnyfastCredentials if model == "seedance-2.0-mini" else JimmyCredentials
        return route_to(model, credentials=kind(api_key="sk-x", base_url=NOWHERE), **fields)

    return make


def test_every_kind_of_quote(prefect_server, far, ledger_file, tmp_path):
    prices = PriceBook(
        currency="CNY",
        prices={
            "seedance2.0-mini-720p": "0.05",
            "seedance2.0-mini-720p-video": "0.07/second",
            "seedance2.0-md": {"price": "0.9", "unit": "job"},
            "seedance-2.0-mini": "23",
        },
    )
    models = ["seedance2.0-mini", "seedance2.0-mini-video", "seedance2.0-md", "seedance-2.0-mini", "seedance2.0-std"]
    reference = "https://example.com/walk.mp4"
    table = pd.DataFrame(
        [
            {"model": models[0], "duration": 8},
            {"model": models[1], "duration": 8, "reference_videos": reference},
            {"model": models[2]},
            {"model": models[3], "duration": 5, "ratio": "16:9", "resolution": "720p"},
            {"model": models[3], "duration": 5, "ratio": "adaptive", "resolution": "720p"},
            {"model": models[3], "duration": 5, "ratio": "16:9", "reference_videos": reference},
            {"model": models[4]},
        ],
        index=list("abcdefg"),
    ).assign(prompt="x", mine=1)
    result = quote_videos(table, route=[far(model, prices=prices) for model in models])
    frame = result.to_dataframe()
    assert frame.index.tolist() == list("abcdefg")
    assert frame["mine"].tolist() == [1] * 7
    low, high = frame["quote_low"].to_dict(), frame["quote_high"].to_dict()
    assert (low["a"], high["a"]) == (Decimal("0.40"), Decimal("0.40"))
    # Output seconds, plus the first reference video's, whose length is not known yet.
    assert low["b"] >= Decimal("0.07") * 8
    assert high["b"] is None or high["b"] > low["b"]
    assert (low["c"], high["c"]) == (Decimal("0.9"), Decimal("0.9"))
    tokens = Decimal(121) * 1280 * 720 / 1024
    assert tokens == 108_900
    assert low["d"] == high["d"] == tokens / 1_000_000 * 23
    assert low["e"] < high["e"]
    assert low["e"] <= low["d"] <= high["e"]
    assert high["f"] is None, "a minimum charge is undocumented: the high end is open"
    assert low["g"] is None, "no price was given: unknown, not zero"
    said = str(result.total)
    for word in ("exact", "range", "open", "unknown"):
        assert word in said
    assert "CNY" in said
    assert not ledger_file.exists(), "a quote leaves no trace in the ledger"
    assert list(tmp_path.iterdir()) == []


def test_choice_and_headings_hold_for_quotes_too(prefect_server, far):
    table = [{"id": each, "文案": "x"} for each in "abcd"]
    columns = {"prompt": "文案"}
    assert "0.25" in str(quote_videos(table, route=far("seedance2.0-mini"), columns=columns, limit=1).total)
    assert "0.5" in str(quote_videos(table, route=far("seedance2.0-mini"), columns=columns, only=["a", "d"]).total)
    bad = [{"prompt": "x"}, {"prompt": "x", "duration": 99}]
    skipped = quote_videos(bad, route=far("seedance2.0-mini"), on_invalid="skip")
    assert "0.25" in str(skipped.total)
    assert "99" in skipped.to_dataframe().iloc[1].astype(str).str.cat()


def test_currencies_are_never_added(prefect_server, far):
    dollars = PriceBook(currency="USD", prices={"seedance-2.0-mini": "3"})
    table = [{"prompt": "x"}, {"prompt": "x", "model": "seedance-2.0-mini", "ratio": "16:9", "duration": 5}]
    said = str(quote_videos(table, route=[far("seedance2.0-mini"), far("seedance-2.0-mini", prices=dollars)]).total)
    assert "CNY" in said
    assert "USD" in said
    assert "0.25" in said


def test_a_price_of_the_wrong_unit_or_kind_is_refused(prefect_server, far):
    from prefect_seedance.errors import InputError

    per_job = PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05/job"})
    with pytest.raises(InputError, match="second"):
        quote_videos([{"prompt": "x"}], route=far("seedance2.0-mini", prices=per_job))
    for price in (0.05, "-1", "NaN", "free", True):
        with pytest.raises((InputError, ValueError), match="price"):
            PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": price}).to_prices()
