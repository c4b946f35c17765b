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
"""What the user's settings are called in an error; other names stand in it as they are."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of one currency."""

    value: Decimal
    currency: str

    @classmethod
    def parse(cls, text: object, name: str = "amount") -> Self:
        """Read `100 CNY` or `0.5 USD`.

        Args:
            text: The amount with its currency.
            name: What the amount is called in an error.

        Raises:
            InputError: It has no currency, or is no amount. A bare number would be of no currency at all.
        """
        found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            raise InputError(message("amount.unreadable", setting=_SETTINGS.get(name, name), amount=repr(text)))
        return cls(Decimal(found["value"]), _currency(found["currency"]))

    def __str__(self) -> str:
        return f"{decimals.plain(self.value)} {self.currency}"


def _currency(name: str) -> str:
    # As a price book has it: three letters are a currency code.
    return name.upper() if len(name) == 3 and name.isascii() else name
