"""The cheapest of several routes, the range over them, and how a row names them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prefect_seedance.routes import Quote, total
from prefect_seedance.routes.pricing.ranking import by_price, span
from prefect_seedance.routes.route_expression import RouteName, parse_route_expression

AMOUNTS = st.decimals(0, 100, places=2)


@st.composite
def quotes(draw):
    line = draw(st.sampled_from(["mini", "sp", "md"]))
    if not draw(st.integers(0, 3)):
        return Quote(line, "job", Decimal(1), Decimal(1))
    low, high = sorted((draw(AMOUNTS), draw(AMOUNTS)))
    open_end = not draw(st.integers(0, 4))
    currency = draw(st.sampled_from(["CNY", "CNY", "CNY", "USD"]))
    return Quote(line, "job", Decimal(1), Decimal(1), Decimal(1), currency, low, None if open_end else high)


SEVERAL = st.lists(quotes(), min_size=1, max_size=6)


@given(SEVERAL, st.sampled_from([None, "CNY", "USD"]))
def test_no_candidate_is_cheaper_at_its_worst_than_the_chosen_one(several, currency):
    places, left = by_price(several, currency)
    assert sorted([*places, *left]) == list(range(len(several))), "each is in order, or left out with a reason"
    chosen = [several[place] for place in places]
    assert len({quote.currency for quote in chosen}) <= 1, "currencies are never compared"
    assert all(quote.low is not None for quote in chosen), "what has no known price is no candidate"
    if currency is not None:
        assert {quote.currency for quote in chosen} <= {currency}
    worst = [quote.high if quote.high is not None else Decimal("Infinity") for quote in chosen]
    assert worst == sorted(worst)
    for one, other in pairwise(places):
        alike = (several[one].low, several[one].high) == (several[other].low, several[other].high)
        assert not alike or one < other, "of equals the one that was named first"
    if chosen:
        # Whatever is not a candidate changes nothing of the choice among the others.
        alone, _ = by_price([several[place] for place in sorted(places)], chosen[0].currency)
        assert [sorted(places)[place] for place in alone] == places


@given(SEVERAL)
def test_the_range_of_a_row_holds_what_each_of_its_candidates_costs(several):
    whole = span(several)
    known = all(quote.low is not None for quote in several) and len({quote.currency for quote in several}) == 1
    if not known and len(several) > 1:
        assert (whole.low, whole.high, whole.kind) == (None, None, "unknown price"), "unknown is not zero"
        assert total([whole]).sums == ()
        return
    for quote in several:
        assert whole.low is None or whole.low <= quote.low
        assert whole.high is None or (quote.high is not None and quote.high <= whole.high)
    if whole.high is None and whole.low is not None:
        assert any(quote.high is None for quote in several)


def test_of_equal_upper_bounds_the_lower_one_decides_then_the_order():
    bounds = [(3, 5), (1, 5), (9, None), (0, 5), (1, 5), (0, 6), (2, None)]
    several = [
        Quote("mini", "job", Decimal(1), Decimal(1), Decimal(1), "CNY", Decimal(low), high and Decimal(high))
        for low, high in bounds
    ]
    assert by_price(several) == ([3, 1, 4, 0, 5, 6, 2], {})


def second(low, high, price="1", line="mini"):
    high = None if high is None else Decimal(high)
    return Quote(line, "second", Decimal(low), high, Decimal(price), "CNY", Decimal(low), high)


def test_candidates_of_one_line_and_price_keep_their_unit():
    assert span([second(4, 6), second(5, 7)]) == second(4, 7)
    assert span([second(4, 6), second(5, None)]) == second(4, None)


def test_candidates_with_another_line_or_price_have_the_job_in_common():
    job = Quote("mini", "job", Decimal(1), Decimal(1), None, "CNY", Decimal(4), Decimal(7))
    assert span([second(4, 6), second(5, 7, price="2")]) == job
    assert span([second(4, 6), second(5, 7, line="sp")]) == replace(job, billing_model="mini or sp")


NAMES = st.from_regex(r"[a-z][a-z0-9._-]{0,12}[a-z0-9]", fullmatch=True).filter(lambda name: name != "cheapest")
ROUTES = st.builds(
    RouteName, name=NAMES, provider=st.sampled_from([None, "jimmy", "anyfast"]), account=st.none()
) | st.builds(RouteName, name=NAMES, provider=st.sampled_from(["jimmy", "anyfast"]), account=NAMES)


@given(
    st.lists(ROUTES, min_size=1, max_size=5, unique=True),
    st.sampled_from([" > ", ">", " → ", "\n", " ＞ ", " -> "]),
)
def test_the_order_that_a_row_names_is_the_order_that_is_read(names, mark):
    text = tuple(map(str, names))
    assert parse_route_expression(mark.join(text)) == parse_route_expression(list(text)) == text
    assert [RouteName.read(each) for each in text] == names


@given(st.text(max_size=40) | st.lists(st.text(max_size=8) | st.integers(), max_size=5))
@example("[")
@example(">")
@example("a > cheapest")
@example('["a", 3]')
def test_whatever_else_it_says_is_refused_with_a_reason_or_read_the_same_again(text):
    try:
        names = parse_route_expression(text)
    except ValueError as error:
        reason = str(error)
    else:
        reason = ""
        assert parse_route_expression(list(names)) == parse_route_expression(" > ".join(names)) == names
    assert not reason or len(reason) > 20


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a, b", "separate several by >"),
        ("a > > b", "entry that is empty"),
        ("a > a", "more than once"),
        ("cheapest > a", "stands alone"),
        ('["a"', "begins like a list"),
        ([], "empty list"),
    ],
)
def test_an_expression_that_cannot_be_read_says_what_is_expected(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_route_expression(text)
