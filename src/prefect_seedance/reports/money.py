"""Money and counts as text: always with the currency, never rounded, and unknown amounts apart."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from prefect_seedance.ledger import CostLine
from prefect_seedance.messages import Message, message

__all__ = ["amount", "amounts", "cost_table", "doubts", "limit", "line_cost", "number"]

LONGEST = 120
"""Characters of a provider's message in a cell."""


def number(value: Decimal | None) -> str:
    """A number without exponent and trailing zeros; a dash where it is not known."""
    if value is None:
        return "–"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: Decimal | None, currency: str | None) -> str:
    """An amount with its currency; `unknown` where it is not known."""
    return "unknown" if value is None else f"{_money(value)} {currency or ''}".strip()


def _money(value: Decimal) -> str:
    """At least two decimals, so that amounts are easy to compare; none is cut off."""
    whole, _, fraction = number(value).partition(".")
    return f"{whole}.{fraction:0<2}"


def amounts(by_currency: Mapping[str, Decimal]) -> str:
    """Amounts of several currencies, which are never added up."""
    return " + ".join(amount(value, currency) for currency, value in sorted(by_currency.items())) or "nothing"


def doubts(line: CostLine) -> str:
    """What is not known about a cost line, in words; empty where all is known."""
    found: list[Message] = []
    if line.held:
        found.append(message("cost.held", jobs=line.held))
    if line.undocumented:
        found.append(message("cost.undocumented", jobs=line.undocumented))
    if line.unpriced:
        found.append(message("cost.unpriced", jobs=line.unpriced))
    if not found:
        return str(message("cost.open", jobs=line.open)) if line.open else ""
    return str(message("cost.bounded", doubts=found, most=limit(line.doubt, line.currency)))


def limit(most: Decimal | None, currency: str | None) -> Message:
    """The most that something may cost."""
    return message("cost.no_limit") if most is None else message("cost.up_to", amount=amount(most, currency))


def cost_table(lines: list[CostLine]) -> list[dict[str, str]]:
    """The cost lines as rows of a table, everything as text.

    The cost is near the front: Prefect's UI shows only as many columns as fit, and the user must scroll to the others.
    """
    return [
        {
            "billing model": line.billing_model,
            "cost": line_cost(line).removesuffix(f" {line.currency}"),
            "currency": line.currency or "–",
            "rows": str(line.rows),
            "succeeded": str(line.succeeded),
            "failed": str(line.failed),
            "refused": _refused(line),
            "units": _units(line),
            "unit price": "–" if line.unit_price is None else _money(line.unit_price),
            "not known": doubts(line),
            "route": f"{line.provider}/{line.account}: {line.model}",
        }
        for line in lines
    ]


def _refused(line: CostLine) -> str:
    """How often a route provably refused, and its last message. Such rows may have gone on to another route."""
    if not line.refused:
        return "–"
    words = (line.refusal or "").strip()
    shown = words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
    return f"{line.refused}: {shown}" if shown else str(line.refused)


def line_cost(line: CostLine) -> str:
    """The known cost of a line; `unknown` where nothing is known, since 0 would be wrong."""
    if line.refused and not (line.jobs or line.cost or doubts(line)):
        return "nothing"  # a refusal costs nothing at any price
    unknown = line.currency is None or (not line.cost and doubts(line))
    return amount(None if unknown else line.cost, line.currency)


def _units(line: CostLine) -> str:
    if line.unpriced and not line.units:
        return "unknown"
    ending = "" if line.units == 1 else "s"
    unit = {"second": "s", "job": f"job{ending}", "million_tokens": "M tokens", "request": f"request{ending}"}
    return f"{number(line.units)} {unit.get(line.unit, line.unit)}"
