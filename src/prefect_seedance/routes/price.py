"""The price: what the user pays for one unit of a billing model. None is invented here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from prefect_seedance.errors import InputError
from prefect_seedance.routes.route import Unit

_UNITS: dict[str, Unit] = {
    "second": "second",
    "seconds": "second",
    "s": "second",
    "job": "job",
    "jobs": "job",
    "million_tokens": "million_tokens",
    "million tokens": "million_tokens",
    "1m tokens": "million_tokens",
}
_HIGHEST = Decimal(10) ** 12
_MOST_PLACES = 18
_CURRENCY = re.compile(r"[^\W\d_][\w-]{0,19}")


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one unit.

    Attributes:
        amount: In the currency of the `Prices` that hold it; zero or more.
        unit: What one is paid for. None: whatever the route bills by.
    """

    amount: Decimal
    unit: Unit | None = None


@dataclass(frozen=True)
class Prices:
    """What an account pays: one currency, and a price for each billing model. Make it with `Prices.parse`.

    Attributes:
        currency: Such as `CNY`, or an account's own coin. Never converted.
        prices: By billing model.
    """

    currency: str
    prices: Mapping[str, Price] = field(default_factory=dict)

    @classmethod
    def parse(cls, currency: str, prices: Mapping[str, Any]) -> Self:
        """Read prices as people write them.

        Args:
            currency: A short name; three letters are taken as a currency code and written large.
            prices: For each billing model `"0.05"`, a `Decimal`, an `int`, `"0.05/second"`, or
                `{"price": "0.05", "unit": "second"}`. Units: `second`, `job`, `million_tokens`.

        Raises:
            InputError: With everything that cannot be a price, all at once. A float is refused, since 0.1 as a
                float is not 0.1.
        """
        name = currency.strip()
        if not _CURRENCY.fullmatch(name):
            raise InputError(f"{currency!r} is no currency: write a short name such as 'CNY' or 'USD'")
        if not isinstance(prices, Mapping):
            raise InputError(f"prices must name billing models, as in {{'seedance2.0-mini-720p': '0.05'}}: {prices!r}")
        parsed: dict[str, Price] = {}
        mistakes: list[str] = []
        for model, value in prices.items():
            try:
                parsed[_billing_model(model)] = _price(value)
            except (TypeError, ValueError) as error:
                mistakes.append(f"price of {model!r}: {error}")
        if mistakes:
            raise InputError("; ".join(mistakes))
        return cls(name.upper() if len(name) == 3 else name, parsed)


def _billing_model(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ValueError("a billing model has a name, as in 'seedance2.0-mini-720p'")
    return name.strip()


def _price(value: object) -> Price:
    if isinstance(value, Price):
        return Price(_amount(value.amount), value.unit)
    if isinstance(value, Mapping):
        if not {"price"} <= set(value) <= {"price", "unit"}:
            raise ValueError(f"write {{'price': '0.05', 'unit': 'second'}}, not {dict(value)!r}")
        unit = value.get("unit")
        return Price(_amount(value["price"]), None if unit is None else _unit(unit))
    if isinstance(value, str) and "/" in value:
        amount, _, unit_text = value.partition("/")
        return Price(_amount(amount), _unit(unit_text))
    return Price(_amount(value))


def _unit(value: object) -> Unit:
    unit = _UNITS.get(value.strip().lower()) if isinstance(value, str) else None
    if unit is None:
        raise ValueError(f"{value!r} is no unit; known: second, job, million_tokens")
    return unit


def _amount(value: object) -> Decimal:
    if isinstance(value, float):
        raise TypeError(f"a float is never exact: write it as text, '{value}'")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"{value!r} is no price: write it as text, such as '0.05'")
    try:
        amount = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        raise ValueError(f"{value!r} is no number: write it such as '0.05'") from None
    if not amount.is_finite() or amount < 0 or amount >= _HIGHEST:
        raise ValueError(f"{value!r} is out of bounds: a price is zero or more, and less than {_HIGHEST:,f}")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _MOST_PLACES:
        raise ValueError(f"{value!r} has more than {_MOST_PLACES} decimal places")
    return amount.copy_abs()
