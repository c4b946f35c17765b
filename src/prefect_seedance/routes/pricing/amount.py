"""An amount of money as a user writes it: `100 CNY`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.routes.pricing import decimals

__all__ = ["Amount"]

_FORM = re.compile(r"(?P<value>\d+(?:\.\d+)?)\s*(?P<currency>[^\W\d_][\w-]{0,19})")

_SETTINGS = {
    "approve_above": message("amount.approve_above"),
    "budget": message("amount.budget"),
    "cost": message("amount.cost"),
    "max_charge": message("amount.max_charge"),
}
"""The names of the user's settings in an error; other names are used unchanged."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in one currency."""

    value: Decimal
    currency: str

    @classmethod
    def parse(cls, text: object, name: str = "amount") -> Self:
        """Read `100 CNY` or `0.5 USD`.

        Args:
            text: The amount with its currency.
            name: The name of the amount in an error.

        Raises:
            InputError: It has no currency, or is not an amount.
        """
        found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            raise InputError(message("amount.unreadable", setting=_SETTINGS.get(name, name), amount=repr(text)))
        return cls(Decimal(found["value"]), _currency(found["currency"]))

    def __str__(self) -> str:
        return f"{decimals.plain(self.value)} {self.currency}"


def _currency(name: str) -> str:
    # As in `Prices.parse`: three letters are a currency code.
    return name.upper() if len(name) == 3 and name.isascii() else name
