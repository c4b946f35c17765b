"""The creates of this run, kept in memory for an error message when the ledger cannot be reached."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from prefect_seedance.messages import Message, message
from prefect_seedance.routes import Quote
from prefect_seedance.routes.pricing import decimals

__all__ = ["UnrecordedSpending"]

SHOWN = 10
"""How many rows the message names."""


class UnrecordedSpending:
    """The creates of one run, as far as this process knows of them."""

    def __init__(self) -> None:
        self._made: list[Quote] = []
        self._open: dict[str, tuple[Quote, str | None]] = {}

    def sent(self, key: str, quote: Quote) -> None:
        """A create of this row is about to leave; its intent is in the ledger."""
        self._open[key] = (quote, None)

    def answered(self, key: str, job_id: str) -> None:
        """The row has a job, which the ledger does not know yet."""
        if key in self._open:
            self._open[key] = (self._open[key][0], job_id)

    def settled(self, key: str, *, made: bool) -> None:
        """The ledger has recorded the outcome of the row's create."""
        quote, _ = self._open.pop(key, (None, None))
        if made and quote is not None:
            self._made.append(quote)

    def summary(self) -> Message:
        """What was spent, as a message."""
        found = []
        if self._made:
            found.append(message("spending.made", jobs=len(self._made), cost=_worth(self._made)))
        if self._open:
            cost = _worth([quote for quote, _ in self._open.values()])
            rows = [
                message("spending.row_with_job", row=key, job=job) if job else message("spending.row", row=key)
                for key, (_, job) in list(self._open.items())[:SHOWN]
            ]
            if len(self._open) > SHOWN:
                rows.append(message("rows.and_more", more=len(self._open) - SHOWN))
            found.append(message("spending.unrecorded", creates=len(self._open), cost=cost, rows=rows))
        return message("spending.total", parts=found or [message("spending.nothing")])


def _worth(quotes: list[Quote]) -> Message:
    """The maximum cost by the quotes; unknown where one of them has no bound."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for quote in quotes:
        if quote.high is None or quote.currency is None:
            return message("spending.unknown_cost")
        sums[quote.currency] = decimals.add((sums[quote.currency], quote.high))
    amounts = [f"{amount.normalize():f} {currency}" for currency, amount in sorted(sums.items())]
    return message("spending.at_most", amounts=amounts)
