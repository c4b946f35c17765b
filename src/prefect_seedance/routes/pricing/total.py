"""The total: the sum of the quotes of a table, by currency and by billing model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from prefect_seedance.messages import message
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.quote import Quote, QuoteKind, cost
from prefect_seedance.routes.route import Unit


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """The sum of the rows of one currency.

    Attributes:
        currency: The currency. Sums of different currencies are never added.
        rows: Number of rows with a price in it.
        low: Lower bound.
        high: Upper bound; None where the cost of any row is open.
    """

    currency: str
    rows: int
    low: Decimal
    high: Decimal | None

    def __str__(self) -> str:
        return str(cost(self.low, self.high, self.currency))


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """The sum of the rows of one billing model; amounts are None where its price is unknown."""

    billing_model: str
    unit: Unit
    unit_price: Decimal | None
    currency: str | None
    rows: int
    units_low: Decimal
    units_high: Decimal | None
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class QuoteTotal:
    """The sum of the quotes of a table.

    Attributes:
        rows: Number of quotes.
        counts: Number of quotes of each kind, for all four kinds. Rows of unknown price are in no sum.
        sums: One for each currency, by name.
        lines: One for each billing model, unit, price and currency, by name.
        notes: All notes, each with its number of rows.
    """

    rows: int
    counts: Mapping[QuoteKind, int]
    sums: tuple[CurrencySum, ...]
    lines: tuple[QuoteLine, ...]
    notes: Mapping[str, int]

    def __str__(self) -> str:
        kinds = [message("total.kind", rows=count, kind=kind) for kind, count in self.counts.items() if count]
        rows = message("total.rows_by_kind", rows=self.rows, kinds=kinds)
        parts = [rows if kinds else message("total.rows", rows=self.rows), *self.sums]
        unpriced = [
            message("total.unpriced_line", billing_model=line.billing_model, rows=line.rows)
            for line in self.lines
            if line.low is None
        ]
        if unpriced:
            parts.append(message("total.unpriced", lines=unpriced))
        return "; ".join(map(str, parts))


def total(quotes: Iterable[Quote]) -> QuoteTotal:
    """Add up quotes. Currencies stay separate; rows without a price are counted, never treated as zero."""
    every = list(quotes)
    by_currency: dict[str, list[Quote]] = {}
    by_line: dict[tuple[str, str, str, Decimal | None], list[Quote]] = {}
    for one in every:
        if one.currency is not None:
            by_currency.setdefault(one.currency, []).append(one)
        by_line.setdefault((one.billing_model, one.unit, one.currency or "", one.unit_price), []).append(one)
    kinds = Counter(one.kind for one in every)
    return QuoteTotal(
        rows=len(every),
        counts={kind: kinds[kind] for kind in get_args(QuoteKind)},
        sums=tuple(
            CurrencySum(currency, len(rows), _low(rows) or Decimal(0), _high(rows))
            for currency, rows in sorted(by_currency.items())
        ),
        lines=tuple(_line(by_line[key]) for key in sorted(by_line, key=lambda key: (key[:3], key[3] or Decimal(-1)))),
        notes={str(note): rows for note, rows in Counter(note for one in every for note in one.notes).items()},
    )


def _line(rows: list[Quote]) -> QuoteLine:
    first = rows[0]
    highs = [one.units_high for one in rows if one.units_high is not None]
    return QuoteLine(
        billing_model=first.billing_model,
        unit=first.unit,
        unit_price=first.unit_price,
        currency=first.currency,
        rows=len(rows),
        units_low=decimals.add(one.units_low for one in rows),
        units_high=decimals.add(highs) if len(highs) == len(rows) else None,
        low=_low(rows),
        high=_high(rows),
    )


def _low(rows: list[Quote]) -> Decimal | None:
    lows = [one.low for one in rows if one.low is not None]
    return decimals.add(lows) if len(lows) == len(rows) else None


def _high(rows: list[Quote]) -> Decimal | None:
    highs = [one.high for one in rows if one.high is not None]
    return decimals.add(highs) if len(highs) == len(rows) else None
