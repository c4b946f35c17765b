"""Compares routes by their quotes: the order by price, and the common range of several quotes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing.quote import Quote, cost

__all__ = ["by_price", "span"]

_NOTHING = Decimal(0)


def by_price(quotes: Sequence[Quote], currency: str | None = None) -> tuple[list[int], dict[int, Message]]:
    """Order quotes from the cheapest to the most expensive, and say why others are left out.

    Quotes are ranges. They are sorted by their upper bound, then by their lower bound, then by their order in the
    input. Quotes without an upper bound come last.

    Args:
        quotes: One for each route that can honour the row.
        currency: The currency to compare in; None: that of the first quote with a price.

    Returns:
        The indices of the quotes in order, and for each index that is left out the reason.
    """
    currency = currency or next((quote.currency for quote in quotes if quote.low is not None), None)
    left_out: dict[int, Message] = {}
    for index, quote in enumerate(quotes):
        if quote.low is None:
            left_out[index] = message("quote.price_unknown", billing_model=quote.billing_model)
        elif quote.currency != currency:
            left_out[index] = message("quote.other_currency", currency=quote.currency, other=currency)

    def sort_key(index: int) -> tuple[bool, Decimal, Decimal, int]:
        quote = quotes[index]
        return quote.high is None, quote.high or _NOTHING, quote.low or _NOTHING, index

    return sorted((index for index in range(len(quotes)) if index not in left_out), key=sort_key), left_out


def span(quotes: Sequence[Quote]) -> Quote:
    """Return the range of a row's cost over all its candidates: from the lowest bound to the highest.

    Where a candidate has no known price or another currency, there is no common bound: the amounts are unknown, and a
    note lists what is known of each.
    """
    first = quotes[0]
    if len(quotes) == 1:
        return first
    lines = list(dict.fromkeys(quote.billing_model for quote in quotes))
    notes = list(dict.fromkeys(note for quote in quotes for note in quote.notes))
    lows = [quote.low for quote in quotes if quote.low is not None]
    highs = [quote.high for quote in quotes if quote.high is not None]
    alike = len({(quote.billing_model, quote.unit, quote.unit_price, quote.currency) for quote in quotes}) == 1
    one_currency = len({quote.currency for quote in quotes}) == 1
    known = one_currency and len(lows) == len(quotes)
    if not known and lows:
        notes.append(message("quote.no_common_bound", quotes=tuple(map(_line, quotes))))
    unit_highs = [quote.units_high for quote in quotes if quote.units_high is not None]
    return Quote(
        billing_model=" or ".join(lines),
        # Routes with different units have one in common: a row is one job.
        unit=first.unit if alike else "job",
        units_low=min(quote.units_low for quote in quotes) if alike else Decimal(1),
        units_high=(max(unit_highs) if len(unit_highs) == len(quotes) else None) if alike else Decimal(1),
        unit_price=first.unit_price if alike else None,
        currency=first.currency if known else None,
        low=min(lows) if known else None,
        high=max(highs) if known and len(highs) == len(quotes) else None,
        notes=tuple(notes),
    )


def _line(quote: Quote) -> Message:
    if quote.low is None:
        return message("quote.of_unknown_price", billing_model=quote.billing_model)
    return message(
        "quote.of_line", billing_model=quote.billing_model, amount=cost(quote.low, quote.high, quote.currency)
    )
