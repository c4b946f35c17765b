"""What this run has had made, kept in memory: for the day on which the ledger cannot be asked."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from prefect_seedance.routes import Quote, exact

__all__ = ["Spending"]

SHOWN = 10
"""How many rows one sentence names."""


class Spending:
    """The creates of one run, as far as this process knows of them."""

    def __init__(self) -> None:
        self._made: list[Quote] = []
        self._open: dict[str, tuple[Quote, str | None]] = {}

    def sent(self, key: str, quote: Quote) -> None:
        """A create of this row is about to leave; its intent is in the ledger."""
        self._open[key] = (quote, None)

    def answered(self, key: str, job_id: str) -> None:
        """A job was made of the row, and the ledger does not know it yet."""
        if key in self._open:
            self._open[key] = (self._open[key][0], job_id)

    def settled(self, key: str, *, made: bool) -> None:
        """The ledger knows what became of the row's create."""
        quote, _ = self._open.pop(key, (None, None))
        if made and quote is not None:
            self._made.append(quote)

    def told(self) -> str:
        """What was spent, in words."""
        if not self._made and not self._open:
            return "This run has sent nothing."
        words = [f"This run has had {len(self._made)} job(s) made that are in the ledger{_worth(self._made)}"]
        if self._open:
            lost = f"what became of {len(self._open)} create(s) could not be written down"
            worth = _worth([quote for quote, _ in self._open.values()])
            rows = [f"row {key!r}" + (f" (job {job})" if job else "") for key, (_, job) in self._open.items()]
            more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            words.append(f"{lost}{worth}: {', '.join(rows[:SHOWN])}{more}")
        return "; ".join(words) + "."


def _worth(quotes: list[Quote]) -> str:
    """What they cost at most, by their quotes; nothing where one of them has no bound."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for quote in quotes:
        if quote.high is None or quote.currency is None:
            return ", of unknown cost"
        sums[quote.currency] = exact.add((sums[quote.currency], quote.high))
    amounts = " and ".join(f"{amount.normalize():f} {currency}" for currency, amount in sorted(sums.items()))
    return f", at most {amounts} by their quotes" if amounts else ""
