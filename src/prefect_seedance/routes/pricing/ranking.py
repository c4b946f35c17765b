"""Choosing among routes by their quotes: what a row may cost over its candidates, and which is the cheapest."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from prefect_seedance.messages import Message, message
from prefect_seedance.routes.pricing.quote import Quote, cost

__all__ = ["by_price", "span"]

_NOTHING = Decimal(0)


def by_price(quotes: Sequence[Quote], currency: str | None = None) -> tuple[list[int], dict[int, Message]]:
    """The places of the quotes from the cheapest to the dearest, and why others are no candidates.

    Quotes are ranges: that which costs least at its worst comes first; of equal ones that which may cost less, then
    that which was named first. One without an upper bound comes after all that have one.

    Args:
        quotes: One for each route that can honour the row.
        currency: The currency in which the choice is made; None: that of the first quote with a price.

    Returns:
        The places in order, and for each place that is left out the reason.
    """
    currency = currency or next((quote.currency for quote in quotes if quote.low is not None), None)
    left: dict[int, Message] = {}
    for place, quote in enumerate(quotes):
        if quote.low is None:
            left[place] = message("quote.price_unknown", billing_model=quote.billing_model)
        elif quote.currency != currency:
            left[place] = message("quote.other_currency", currency=quote.currency, other=currency)

    def worst(place: int) -> tuple[bool, Decimal, Decimal, int]:
        quote = quotes[place]
        return quote.high is None, quote.high or _NOTHING, quote.low or _NOTHING, place

    return sorted((place for place in range(len(quotes)) if place not in left), key=worst), left


def span(quotes: Sequence[Quote]) -> Quote:
    """What a row costs whichever of its candidates makes it: from the least of all to the most of all.

    Where one of them has no known price, or another currency, nobody knows a bound of the whole: the amounts are
    unknown then, and a note tells what is known of each.
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
        # What routes count differs: what they have in common is that a row is one job.
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
