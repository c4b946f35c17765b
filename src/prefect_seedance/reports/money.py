"""Money and counts as people read them: always with the currency, never rounded, and what is unknown said apart."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from prefect_seedance.ledger import CostLine

__all__ = ["amount", "amounts", "cost_table", "count", "doubts", "number"]


def number(value: Decimal | None) -> str:
    """A number without exponent and trailing zeros; a dash where it is not known."""
    if value is None:
        return "–"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: Decimal | None, currency: str | None) -> str:
    """An amount with its currency; `unknown` where it is not known."""
    return "unknown" if value is None else f"{number(value)} {currency or ''}".strip()


def amounts(by_currency: Mapping[str, Decimal]) -> str:
    """Amounts of several currencies, which are never added up."""
    return " + ".join(amount(value, currency) for currency, value in sorted(by_currency.items())) or "nothing"


def count(number_of: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number_of:,} {noun}{'' if number_of == 1 else 's'}"


def doubts(line: CostLine) -> str:
    """What is not known about a cost line, in words; empty where all is known."""
    parts = [
        f"{line.held} unknown: may have been paid" if line.held else "",
        f"{line.undocumented} failed: charge not documented" if line.undocumented else "",
        f"{line.unpriced} charged, amount not known" if line.unpriced else "",
    ]
    told = "; ".join(part for part in parts if part)
    if not told:
        return f"{line.open} not settled yet" if line.open else ""
    most = "without a known bound" if line.doubt is None else f"up to {amount(line.doubt, line.currency)}"
    return f"{told} ({most})"


def cost_table(lines: list[CostLine]) -> list[dict[str, str]]:
    """The cost lines as rows of a table, everything as text."""
    return [
        {
            "route": f"{line.provider}/{line.account}: {line.model}",
            "billing model": line.billing_model,
            "rows": str(line.rows),
            "succeeded": str(line.succeeded),
            "failed": str(line.failed),
            "units": f"{number(line.units)} {_UNITS.get(line.unit, line.unit)}",
            "unit price": number(line.unit_price),
            "cost": number(line.cost) if line.currency else "unknown",
            "currency": line.currency or "–",
            "not known": doubts(line),
        }
        for line in lines
    ]


_UNITS = {"second": "s", "job": "jobs", "million_tokens": "M tokens"}
