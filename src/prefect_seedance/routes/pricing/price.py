"""The price that the user pays for one unit of a billing model. This package contains no prices."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Self

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
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
        amount: In the currency of its `Prices`; zero or more.
        unit: The unit that it is paid for. None: the unit that the route bills by.
    """

    amount: Decimal
    unit: Unit | None = None


@dataclass(frozen=True)
class Prices:
    """What an account pays: one currency and a price for each billing model. Create it with `Prices.parse`.

    Attributes:
        currency: Such as `CNY`, or an account's own currency. Never converted.
        prices: By billing model.
    """

    currency: str
    prices: Mapping[str, Price] = field(default_factory=dict)

    @classmethod
    def parse(cls, currency: str, prices: Mapping[str, Any]) -> Self:
        """Read prices as users write them.

        Args:
            currency: A short name; three letters are a currency code and become upper case.
            prices: For each billing model `"0.05"`, a `Decimal`, an `int`, `"0.05/second"`, or
                `{"price": "0.05", "unit": "second"}`. Units: `second`, `job`, `million_tokens`.

        Raises:
            InputError: Some entries are no prices; the text lists all of them. A float is refused, since the float
                0.1 is not exactly 0.1.
        """
        name = currency.strip()
        if not _CURRENCY.fullmatch(name):
            raise InputError(message("price.currency", currency=currency))
        if not isinstance(prices, Mapping):
            raise InputError(message("price.no_models", prices=repr(prices)))
        parsed: dict[str, Price] = {}
        problems: list[Message] = []
        for model, value in prices.items():
            try:
                parsed[_billing_model(model)] = _price(value)
            except (TypeError, ValueError) as error:
                problems.append(message("price.of_model", model=repr(model), reason=error.args[0]))
        if problems:
            raise InputError(message("price.unusable", problems=problems))
        return cls(name.upper() if len(name) == 3 else name, parsed)


def _billing_model(name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise ValueError(message("price.model_missing"))
    return name.strip()


def _price(value: object) -> Price:
    if isinstance(value, Price):
        return Price(_amount(value.amount), value.unit)
    if isinstance(value, Mapping):
        if not {"price"} <= set(value) <= {"price", "unit"}:
            raise ValueError(message("price.entry", entry=repr(dict(value))))
        unit = value.get("unit")
        return Price(_amount(value["price"]), None if unit is None else _unit(unit))
    if isinstance(value, str) and "/" in value:
        amount, _, unit_text = value.partition("/")
        return Price(_amount(amount), _unit(unit_text))
    return Price(_amount(value))


def _unit(value: object) -> Unit:
    unit = _UNITS.get(value.strip().lower()) if isinstance(value, str) else None
    if unit is None:
        raise ValueError(message("price.unit", unit=repr(value)))
    return unit


def _amount(value: object) -> Decimal:
    if isinstance(value, float):
        raise TypeError(message("price.float", price=value))
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(message("price.type", price=repr(value)))
    try:
        amount = Decimal(value.strip() if isinstance(value, str) else value)
    except (InvalidOperation, ValueError):
        raise ValueError(message("price.number", price=repr(value))) from None
    if not amount.is_finite() or amount < 0 or amount >= _HIGHEST:
        raise ValueError(message("price.out_of_bounds", price=repr(value), highest=_HIGHEST))
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _MOST_PLACES:
        raise ValueError(message("price.places", price=repr(value), most=_MOST_PLACES))
    return amount.copy_abs()
