import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import InputError
from prefect_seedance.routes import (
    CATALOGUE,
    Prices,
    Quote,
    Route,
    VideoRequest,
    billing_model,
    find,
    quote,
    settle_units,
    total,
    units,
)
from prefect_seedance.routes.pricing.quote import ADAPTIVE, FALLBACK, MINIMUM, NO_FORMULA, UNMEASURED, UNSTATED

ANYFAST = find("seedance-2.0-mini")
MINI_VIDEO = find("seedance2.0-mini-video")
CLIP = ("https://example.com/a.mp4",)


def tokens(**settings):
    count = units(ANYFAST, VideoRequest(prompt="x", **settings))
    return count.low * 1_000_000, count.high * 1_000_000 if count.high is not None else None


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # Measured, or given by the providers.
        ({"ratio": "16:9", "duration": 5}, "108900"),
        ({"ratio": "16:9", "duration": 4}, "87300"),
        # Computed by hand from the sizes of the manual.
        ({"ratio": "1:1", "duration": 10, "resolution": "480p"}, "96400"),
        ({"ratio": "4:3", "duration": 5}, "109586.296875"),
        ({"ratio": "21:9", "duration": 15, "resolution": "720p"}, "326486.42578125"),
        ({"ratio": "9:16", "duration": 4, "resolution": "480p"}, "40594.5"),
    ],
)
def test_tokens_of_a_settled_ratio(settings, expected):
    assert tokens(**settings) == (Decimal(expected), Decimal(expected))


@pytest.mark.parametrize("ratio", [None, "adaptive"])
def test_tokens_of_an_adaptive_ratio_run_from_smallest_to_largest(ratio):
    assert tokens(ratio=ratio, resolution="480p") == (Decimal(48400), Decimal("50638.5"))
    assert tokens(ratio=ratio) == (Decimal(108900), Decimal("109586.296875"))


def test_tokens_with_input_video_are_open_above():
    request = VideoRequest(reference_videos=CLIP, ratio="16:9", duration=4)
    count = units(ANYFAST, request, reference_seconds=Decimal(4))
    assert (count.low * 1_000_000, count.high) == (Decimal(173700), None)
    assert units(ANYFAST, request).low * 1_000_000 == Decimal(87300)
    assert MINIMUM in quote(ANYFAST, request, None).notes


def test_tokens_of_an_unknown_size_are_open():
    own = Route(provider="anyfast", model="seedance-2.0-ultra", unit="million_tokens")
    for settings in ({"resolution": "2k"}, {"resolution": "720p", "ratio": "5:4"}, {}):
        count = units(own, VideoRequest(prompt="x", **settings))
        assert (count.low, count.high) == (0, None)
        assert quote(own, VideoRequest(prompt="x", **settings), None).notes[0] == NO_FORMULA


@pytest.mark.parametrize(
    ("length", "billed"), [("3", 11), ("2.5", 11), ("2.499", 10), ("0.2", 8), ("14.5", 23), ("3.5", 12)]
)
def test_mini_video_adds_the_rounded_length_of_its_reference(length, billed):
    request = VideoRequest(prompt="x", duration=8, reference_videos=CLIP)
    prices = Prices.parse("CNY", {"seedance2.0-mini-720p-video": "0.05/second"})
    answer = quote(MINI_VIDEO, request, prices, reference_seconds=Decimal(length))
    # Halves may be rounded either way.
    low = billed - 1 if length.endswith(".5") else billed
    assert (answer.low, answer.high) == (low * Decimal("0.05"), billed * Decimal("0.05"))
    assert answer.kind == ("exact" if low == billed else "range")
    assert answer.notes == (FALLBACK,)
    settled = settle_units(MINI_VIDEO, request, tokens=None, reference_seconds=Decimal(length))
    assert settled == (None if length.endswith(".5") else billed)


def test_mini_video_of_unknown_length_begins_at_the_duration():
    request = VideoRequest(prompt="x", duration=8, reference_videos=CLIP)
    answer = quote(MINI_VIDEO, request, Prices.parse("CNY", {"seedance2.0-mini-720p-video": "0.05"}))
    assert (answer.low, answer.high, answer.kind) == (Decimal("0.40"), None, "open")
    assert answer.notes == (UNMEASURED, FALLBACK)
    assert settle_units(MINI_VIDEO, request, tokens=None) is None
    alone = VideoRequest(prompt="x", duration=8)
    assert settle_units(MINI_VIDEO, alone, tokens=None, reference_seconds=Decimal(3)) == 8


@pytest.mark.parametrize("model", ["seedance2.0-sp", "seedance2.0-of-fast-sp", "sd2_mx_video_4k"])
def test_where_input_seconds_are_not_stated_nothing_is_promised(model):
    route = find(model)
    request = VideoRequest(prompt="x", duration=6, reference_videos=CLIP)
    answer = quote(route, request, None, reference_seconds=Decimal(3))
    assert (answer.units_low, answer.units_high) == (6, None)
    assert UNSTATED in answer.notes
    assert settle_units(route, request, tokens=None, reference_seconds=Decimal(3)) is None
    assert settle_units(route, VideoRequest(prompt="x", duration=6), tokens=None) == 6


@pytest.mark.parametrize(
    "route", [route for route in CATALOGUE if route.unit != "million_tokens"], ids=lambda route: route.model
)
def test_text_alone_is_exact_on_every_other_route(route):
    for seconds in (None, 4, 12):
        request = VideoRequest(prompt="x", duration=seconds)
        expected = 1 if route.unit == "job" else seconds or 5
        count = units(route, request)
        assert (count.low, count.high, count.unit) == (expected, expected, route.unit)
        assert settle_units(route, request, tokens=None) == expected


def test_jobs_cost_the_same_whatever_they_hold():
    for model in ("seedance2.0-mini-sp", "seedance2.0-md", "seedance2.0-std"):
        assert units(find(model), VideoRequest(prompt="x", duration=15, reference_videos=CLIP)).high == 1


def test_tokens_are_settled_by_the_providers_figure_alone():
    request = VideoRequest(prompt="x")
    assert settle_units(ANYFAST, request, tokens=108_901) == Decimal("0.108901")
    assert settle_units(ANYFAST, request, tokens=0) is None, "a finished video is not free"
    assert settle_units(ANYFAST, request, tokens=None) is None


def test_price_lines():
    assert billing_model(find("seedance2.0-mini"), VideoRequest(resolution="1080p")) == "seedance2.0-mini-1080p"
    assert billing_model(MINI_VIDEO, VideoRequest(resolution="480p")) == "seedance2.0-mini-480p-video"
    apart = ANYFAST.model_copy(update={"billing_model_with_video": "seedance-2.0-mini-video"})
    assert billing_model(apart, VideoRequest(reference_videos=CLIP)) == "seedance-2.0-mini-video"
    assert billing_model(apart, VideoRequest(prompt="x")) == "seedance-2.0-mini"


def test_a_price_for_another_unit_is_a_mistake():
    with pytest.raises(InputError, match=r"per job, but jimmy/seedance2\.0-mini bills per second"):
        quote(
            find("seedance2.0-mini"), VideoRequest(prompt="x"), Prices.parse("CNY", {"seedance2.0-mini-720p": "1/job"})
        )


@pytest.mark.parametrize("length", ["-1", "NaN", "Infinity"])
def test_a_length_that_is_none_is_a_mistake(length):
    with pytest.raises(InputError, match="no length"):
        units(MINI_VIDEO, VideoRequest(reference_videos=CLIP), reference_seconds=Decimal(length))


AMOUNTS = st.decimals(0, 10**6, places=18)


@given(AMOUNTS, st.sampled_from(["16:9", "4:3", "adaptive"]), st.integers(4, 15))
def test_costs_are_exact_in_any_decimal_context(amount, ratio, seconds):
    request = VideoRequest(prompt="x", ratio=ratio, duration=seconds)
    with decimal.localcontext() as context:
        context.prec = 3
        answer = quote(ANYFAST, request, Prices.parse("CNY", {"seedance-2.0-mini": amount}))
    largest = 1112 * 834 if ratio != "16:9" else 1280 * 720
    expected = Fraction(amount) * (24 * seconds + 1) * largest / 1024 / 1_000_000
    assert Fraction(answer.high) == expected
    assert answer.low <= answer.high


ROWS = st.tuples(
    st.sampled_from(["seedance2.0-mini", "seedance2.0-mini-video", "seedance-2.0-mini", "seedance2.0-md"]),
    st.sampled_from(["CNY", "USD", None]),
    st.booleans(),
)


@given(st.lists(ROWS, max_size=20))
def test_a_total_is_the_sum_of_its_rows(rows):
    lines = {
        "seedance2.0-mini-720p": "0.05",
        "seedance2.0-mini-720p-video": "0.031",
        "seedance-2.0-mini": "23.1",
        "seedance2.0-md": 2,
    }
    quotes = []
    for model, currency, video in rows:
        request = VideoRequest(prompt="x", duration=7, reference_videos=CLIP if video else ())
        quotes.append(quote(find(model), request, Prices.parse(currency, lines) if currency else None))
    answer = total(iter(quotes))
    assert answer.rows == sum(answer.counts.values()) == len(rows)
    assert list(answer.counts) == ["exact", "range", "open", "unknown price"]
    assert answer.counts["unknown price"] == sum(currency is None for _, currency, _ in rows)
    assert sum(line.rows for line in answer.lines) == len(rows)
    for money in answer.sums:
        of_currency = [one for one in quotes if one.currency == money.currency]
        assert money.low == sum(one.low for one in of_currency)
        assert (money.high is None) == any(one.kind == "open" for one in of_currency)
        if money.high is not None:
            assert money.high == sum(one.high for one in of_currency)
        assert money.low == sum(line.low for line in answer.lines if line.currency == money.currency)
    str(answer)


def test_a_total_reads_well():
    mini, prices = find("seedance2.0-mini"), Prices.parse("CNY", {"seedance2.0-mini-720p": "0.05"})
    dollars = Prices.parse("USD", {"seedance-2.0-mini": "3.5", "seedance2.0-mini-720p-video": "0.01"})
    request = VideoRequest(prompt="x", duration=5)
    clip = VideoRequest(prompt="x", duration=5, reference_videos=CLIP)
    quotes = [
        quote(mini, request, prices),
        quote(mini, request, prices),
        quote(ANYFAST, request, dollars),
        quote(find("seedance2.0-std"), request, prices),
    ]
    assert str(total(quotes)) == (
        "4 rows (2 exact, 1 range, 1 unknown price); 0.5 CNY; 0.38115 to 0.3835520390625 USD; "
        "cost unknown, no price for: seedance2.0-std (1)"
    )
    assert "at least 0.43115 USD" in str(total([*quotes, quote(MINI_VIDEO, clip, dollars)]))
    assert str(total([])) == "0 rows"


def test_the_notes_of_a_quote_are_those_of_its_unit():
    text, clip = VideoRequest(prompt="x", duration=5), VideoRequest(prompt="x", duration=5, reference_videos=CLIP)
    unpriced = 1  # the last note: there is no price
    for ratio, notes in (("16:9", ()), ("adaptive", (ADAPTIVE,)), ("Adaptive", (ADAPTIVE,)), (None, (ADAPTIVE,))):
        request = VideoRequest(prompt="x", duration=5, ratio=ratio)
        assert quote(ANYFAST, request, None).notes[:-unpriced] == notes
    assert quote(ANYFAST, clip, None).notes[:-unpriced] == (MINIMUM,)
    per_job = Route(provider="jimmy", model="own", unit="job")
    assert per_job.input_seconds == "unstated"
    assert quote(per_job, clip, None).notes == quote(per_job, text, None).notes


def test_the_lines_of_a_total_are_in_order_of_name_and_price():
    def of(line, price, high=1):
        value = None if price is None else Decimal(price)
        return Quote(line, "job", Decimal(1), high and Decimal(high), value, "CNY", Decimal(1), high and Decimal(high))

    lines = total(
        [of("b", 2), of("b", 1), of("b", None), of("b", 0), of("a", 7), of("a", 7, 3), of("c", 1, None)]
    ).lines
    assert [(line.billing_model, line.unit_price) for line in lines] == [
        ("a", 7), ("b", None), ("b", 0), ("b", 1), ("b", 2), ("c", 1),
    ]  # fmt: skip
    assert [(line.rows, line.units_low, line.units_high) for line in (lines[0], lines[-1])] == [(2, 2, 4), (1, 1, None)]
