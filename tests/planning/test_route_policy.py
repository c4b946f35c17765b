"""Which routes may make a row: what it names, what the run says, what its block falls back to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import SecretStr

from prefect_seedance.errors import InputError, InvalidRows
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.route_policy import RoutePolicy
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import Prices, VideoRequest, find
from prefect_seedance.tables.reader import read_table

CNY = Prices.parse("CNY", {"seedance2.0-mini-720p": "0.05", "seedance-2.0-mini": "23", "seedance2.0-sp-720p": "0.2"})
USD = Prices.parse("USD", {"seedance-2.0-mini": "3.5"})


def route(model, label="default", **options):
    found = find(model)
    account = Account(found.provider, label, "http://127.0.0.1:9", SecretStr("sk-none"))
    return RouteSettings(account, found, **{"prices": CNY, **options})


MINI, SP, FAST = route("seedance2.0-mini"), route("seedance2.0-sp"), route("seedance-2.0-mini", block="fast-night")
ROUTES = (MINI, SP, FAST)


def chosen(row, routes=ROUTES, how="first", **options):
    """The candidates of one row, as messages name them."""
    found = prepare(read_table([{"prompt": "a lamp", **row}]), routes, policy=RoutePolicy(how), **options)
    return [each.settings.label for each in found.rows[0].candidates]


def test_each_way_to_say_it():
    mini, sp, fast = MINI.label, SP.label, FAST.label
    assert chosen({}) == [mini]
    assert chosen({}, how="in_order") == [mini, sp, fast]
    assert chosen({"provider": "jimmy"}, how="in_order") == [mini, sp]
    assert chosen({"model": "seedance2.0-sp"}, how="in_order") == [sp]
    assert chosen({"route": "seedance2.0-sp > anyfast:seedance-2.0-mini"}) == [sp, fast]
    assert chosen({"Routes": ["fast-night", "jimmy/default:seedance2.0-mini"]}) == [fast, mini]
    assert chosen({"route": "cheapest"}) == [mini, sp, fast]
    assert chosen({"route": "Cheapest", "provider": "jimmy", "resolution": "720p"}) == [mini, sp]
    assert chosen({}, how="cheapest", routes=(FAST, SP, MINI)) == [mini, sp, fast]
    falls = replace(MINI, fall_back=("fast-night",))
    assert chosen({}, routes=(falls, SP, FAST)) == [mini, fast]
    assert chosen({"model": "seedance2.0-sp"}, routes=(falls, SP, FAST)) == [sp]


def reasons(row, routes=ROUTES, how="first", **options):
    with pytest.raises(InvalidRows) as caught:
        chosen(row, routes, how, **options)
    return "; ".join(map(str, caught.value.invalid[0].reasons))


def test_mistakes_name_the_row_the_route_and_what_there_is():
    text = reasons({"route": "seedance2.0-mini > seedance-9"})
    assert "route 'seedance-9'" in text
    names = [f"{each.account.identity}:{each.route.model}" for each in ROUTES]
    assert all(name in text for name in names)
    assert [chosen({"route": name}) for name in names] == [[each.label] for each in ROUTES]
    assert "in one place only" in reasons({"route": "seedance2.0-mini", "provider": "jimmy"})
    unpriced = [replace(each, prices=None) for each in ROUTES]
    text = reasons({"route": "cheapest"}, unpriced)
    assert "no price is known for 'seedance-2.0-mini'" in text
    text = reasons({"duration": 99, "route": "seedance2.0-mini > fast-night"})
    assert text.count("candidate ") >= 2
    with pytest.raises(InputError, match="choose is 'best'"):
        RoutePolicy("best")  # type: ignore[arg-type]
    dollars = (MINI, replace(FAST, prices=USD))
    text = reasons({}, dollars, "in_order", limits=RunLimits.parse(budget="9 CNY"))
    assert text.startswith(f"candidate {FAST.label}: it is priced in USD, which the budget of 9 CNY cannot hold")


def test_who_cannot_make_a_row_is_passed_over_and_that_is_told():
    rows = [{"prompt": "a lamp", "resolution": "1080p"}, {"prompt": "a cup"}]
    found = prepare(read_table(rows), ROUTES, policy=RoutePolicy("in_order"))
    assert [[each.settings.label for each in row.candidates] for row in found.rows] == [
        [MINI.label, SP.label],
        [MINI.label, SP.label, FAST.label],
    ]
    assert any(FAST.label in text and "1080p" in text and "(1 row)" in text for text in map(str, found.warnings))


def test_the_cheapest_is_chosen_within_one_currency_and_the_others_are_told():
    routes = (replace(SP, prices=None), replace(FAST, prices=USD), MINI)
    found = prepare(read_table([{"prompt": "a lamp"}]), routes, policy=RoutePolicy("cheapest", "CNY"))
    assert [each.settings.label for each in found.rows[0].candidates] == [MINI.label]
    assert any("USD" in text and "never converted" in text for text in map(str, found.warnings))
    assert any(SP.label in text and "no price is known" in text for text in map(str, found.warnings))
    # Prices may change within a batch: what any of them has made is the row's video.
    assert all(found.rows[0].knows(print_of) for print_of in _prints(routes))
    assert chosen({}, routes=routes, how="cheapest") == [FAST.label], "without an amount, the first price's currency"


def _prints(routes):
    return [prepare(read_table([{"prompt": "a lamp"}]), [each]).rows[0].fingerprint for each in routes]


def test_a_row_is_the_same_whoever_is_asked_first():
    def row(routes, **cells):
        return prepare(read_table([{"prompt": "a lamp", **cells}]), routes, policy=RoutePolicy("in_order")).rows[0]

    alone, both = row([MINI]), row([MINI, FAST])
    turned = row([MINI, FAST], route="fast-night > seedance2.0-mini")
    assert alone.key == both.key == turned.key, "naming routes makes no other row of it"
    assert both.fingerprint == alone.fingerprint
    assert turned.fingerprint != alone.fingerprint
    assert all(one.knows(other.fingerprint) for one in (both, turned) for other in (alone, both, turned))
    assert not alone.knows(turned.fingerprint), "a route that is no candidate any more made another video"
    other = prepare(read_table([{"prompt": "a cup"}]), [MINI]).rows[0]
    assert not both.knows(other.fingerprint)


def test_each_candidate_is_asked_with_its_own_defaults():
    wide = replace(FAST, defaults=VideoRequest(ratio="21:9", duration=9))
    row = prepare(read_table([{"prompt": "a lamp"}]), (MINI, wide), policy=RoutePolicy("in_order")).rows[0]
    assert [(each.request.ratio, each.request.duration) for each in row.candidates] == [(None, 5), ("21:9", 9)]
    assert row.span.low == row.quote.low
    assert row.span.high == row.others[0].quote.high
