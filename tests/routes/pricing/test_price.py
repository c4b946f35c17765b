from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.errors import InputError
from prefect_seedance.routes import Price, Prices
from prefect_seedance.routes.pricing.amount import Amount


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("0.05", Price(Decimal("0.05"))),
        (" 1 ", Price(Decimal(1))),
        (3, Price(Decimal(3))),
        (Decimal("0.0479"), Price(Decimal("0.0479"))),
        ("0.05/second", Price(Decimal("0.05"), "second")),
        ("2 / job", Price(Decimal(2), "job")),
        ("23/million_tokens", Price(Decimal(23), "million_tokens")),
        ({"price": "0.05", "unit": "second"}, Price(Decimal("0.05"), "second")),
        ({"price": 0}, Price(Decimal(0))),
        (Price(Decimal(7), "job"), Price(Decimal(7), "job")),
    ],
)
def test_prices_as_people_write_them(written, price):
    assert Prices.parse("cny", {"m": written}) == Prices("CNY", {"m": price})


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        (0.05, "write it as text, '0.05'"),
        ({"price": 0.05}, "float"),
        ("-1", "zero or more"),
        ("NaN", "zero or more"),
        (Decimal("Infinity"), "zero or more"),
        ("1e999999999", "zero or more"),
        ("1e-19", "decimal places"),
        ("0,05", "not a number"),
        ("¥0.05", "not a number"),
        ("", "not a number"),
        ("0.05/minute", "not a unit"),
        ({"unit": "second"}, "write {'price'"),
        ({"price": "1", "per": "second"}, "write {'price'"),
        (True, "not a price"),
        (None, "not a price"),
    ],
)
def test_what_is_no_price_is_refused(written, hint):
    with pytest.raises(InputError, match=hint):
        Prices.parse("CNY", {"m": written})


def test_all_mistakes_come_at_once():
    with pytest.raises(InputError, match=r"'a': .*; price of 'b': .*; price of '': "):
        Prices.parse("CNY", {"a": 0.1, "b": "-1", "": "1"})


def test_prices_name_their_billing_models():
    with pytest.raises(InputError, match="must name billing models"):
        Prices.parse("CNY", "0.05")


@pytest.mark.parametrize("currency", ["", " ", "€", "0.05", "a b"])
def test_a_currency_is_a_name(currency):
    with pytest.raises(InputError, match="not a currency"):
        Prices.parse(currency, {})


@given(
    st.one_of(st.text(), st.floats(), st.integers(), st.decimals(), st.none(), st.dictionaries(st.text(), st.text()))
)
def test_anything_is_a_price_or_a_mistake(written):
    try:
        price = Prices.parse("CNY", {"m": written}).prices["m"]
    except InputError:
        return
    assert 0 <= price.amount < 10**12
    assert not isinstance(written, float)


@given(st.decimals(0, 10**11, places=18))
def test_a_price_is_kept_to_the_last_digit(amount):
    assert Prices.parse("CNY", {"m": f"{amount:f}"}).prices["m"].amount == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1 cny", "CNY"), ("1 usd", "USD"), ("1 coins", "coins"), ("1 Kč", "Kč"), ("1 złt", "złt"), ("1 euro", "euro")],
)
def test_three_letters_of_ascii_are_a_currency_code(text, currency):
    assert Amount.parse(text) == Amount(Decimal(1), currency)
