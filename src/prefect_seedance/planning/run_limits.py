"""The limits of a run: its budget, the worst-case cost of a row, and the number of failures that ends it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from prefect_seedance.errors import InputError
from prefect_seedance.messages import Message, message
from prefect_seedance.routes import Quote
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit

__all__ = [
    "LIMIT_PATIENCE",
    "RunLimits",
]


LIMIT_PATIENCE = 60.0
"""Seconds. Most rate limits end sooner, and the next route of a row may cost more."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits that the user set.

    Attributes:
        budget: What the batch may cost in total, over all runs and takes.
        max_charge: What one row costs at most, as the user states it, where the quote has no upper bound.
        max_failures: The run takes no new rows once so many have failed or are unknown: a count, or below 1 a share of
            its rows.
        fall_back_on_moderation: Whether a row whose content a provider rejected goes on to its next route.
        limit_patience: Seconds that a row with another route waits for a rate limit or an unreachable provider, and
            that any row waits for the answer to a free question; a fifth of it lies before each probe of an open
            circuit.
    """

    budget: Amount | None = None
    max_charge: Amount | None = None
    max_failures: int | float | None = None
    fall_back_on_moderation: bool = False
    limit_patience: float = LIMIT_PATIENCE

    @classmethod
    def parse(
        cls,
        *,
        budget: Any = None,
        max_charge: Any = None,
        max_failures: Any = None,
        fall_back_on_moderation: bool = False,
        limit_patience: float = LIMIT_PATIENCE,
    ) -> Self:
        """Read the limits as a user writes them: `budget="100 CNY"`, `max_failures=5` or `max_failures=0.1`.

        Raises:
            InputError: A limit cannot be read, or their currencies differ.
        """
        limits = cls(
            budget=None if budget is None else Amount.parse(budget, "budget"),
            max_charge=None if max_charge is None else Amount.parse(max_charge, "max_charge"),
            max_failures=_failures(max_failures),
            fall_back_on_moderation=bool(fall_back_on_moderation),
            limit_patience=_seconds(limit_patience),
        )
        if limits.budget and limits.max_charge and limits.budget.currency != limits.max_charge.currency:
            raise InputError(
                message("run_limit.currencies", budget=limits.budget.currency, max_charge=limits.max_charge.currency)
            )
        return limits

    @property
    def currency(self) -> str | None:
        """The currency of the limits; None where they name no amount."""
        amount = self.budget or self.max_charge
        return None if amount is None else amount.currency

    def reserve(self, quote: Quote) -> Amount | None:
        """The worst-case cost of a row, reserved before its create; None where it has no bound."""
        if quote.high is not None and quote.currency is not None:
            return Amount(quote.high, quote.currency)
        if self.max_charge is not None and quote.currency in {None, self.max_charge.currency}:
            return self.max_charge
        return None

    def objection(self, quote: Quote, spending: Sequence[SpendingLimit] = ()) -> Message | None:
        """Why a row may not be sent under these limits and the spending limits of its account; None where it may."""
        bounds = [] if self.budget is None else [(message("run_limit.budget", budget=self.budget), self.budget)]
        bounds += [(message("run_limit.spending", limit=limit), limit.amount) for limit in spending]
        reserve = self.reserve(quote)
        currency = reserve.currency if reserve is not None else quote.currency
        for bound, amount in bounds:
            if currency not in {None, amount.currency}:
                return message("run_limit.other_currency", currency=currency, bound=bound)
            if reserve is None and quote.low is None:
                return message(
                    "run_limit.no_price", billing_model=quote.billing_model, bound=bound, currency=amount.currency
                )
            if reserve is None:
                return message("run_limit.no_bound", bound=bound, currency=amount.currency)
        return None

    def failures_allowed(self, rows: int) -> Decimal | None:
        """The number of failures at which no new rows are taken; None without a limit."""
        if self.max_failures is None:
            return None
        if isinstance(self.max_failures, float):
            return max(Decimal(1), Decimal(str(self.max_failures)) * rows)
        return Decimal(self.max_failures)


def _seconds(given: Any) -> float:
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < math.inf:
        return float(given)
    raise InputError(message("run_limit.limit_patience", seconds=repr(given)))


def _failures(given: Any) -> int | float | None:
    if given is None:
        return None
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if number and ((isinstance(given, int) and given >= 1) or 0 < given < 1):
        return given  # type: ignore[no-any-return]
    if number and isinstance(given, float) and given >= 1 and given.is_integer():
        return int(given)
    raise InputError(message("run_limit.max_failures", failures=repr(given)))
