"""Costs on the sheet: known amounts are added up exactly, unknown ones are apart, currencies are never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from prefect_seedance.ledger import AttemptRecord, CostLine, Settlement, add_up
from prefect_seedance.messages import message
from prefect_seedance.reports.money import amount, doubts
from prefect_seedance.routes.pricing import decimals

__all__ = ["Doubt", "RouteCost", "doubt_of", "doubts_of", "known", "route_costs"]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is not known about the cost of one attempt.

    Attributes:
        text: The doubt as text.
        most: The most that it may have cost; None where that has no known bound.
        currency: The currency of `most`; None where no price was known.
        settlement: The attempt's settlement; `unknown` where it is not even known whether a video was made.
    """

    text: str
    most: Decimal | None
    currency: str | None
    settlement: Settlement


def doubt_of(attempt: AttemptRecord) -> Doubt | None:
    """What is not known about an attempt's cost; None where all is known."""
    most = attempt.quote_high if attempt.reserved is None else attempt.reserved
    currency = attempt.currency or attempt.reserve_currency
    bound = (
        message("cost.amount_without_limit") if most is None else message("cost.up_to", amount=amount(most, currency))
    )
    match attempt.settlement:
        case Settlement.UNKNOWN:
            text = message("cost.attempt_unknown", most=bound)
        case Settlement.UNDOCUMENTED:
            text = message("cost.attempt_undocumented", most=bound)
        case Settlement.OPEN:
            text = message("cost.attempt_open", most=bound)
        case Settlement.CHARGED if attempt.charge is None:
            text = message("cost.attempt_unpriced_up_to", most=bound)
        case _:
            return None
    return Doubt(str(text), most, currency, attempt.settlement)


def doubts_of(attempts: Iterable[AttemptRecord]) -> list[Doubt]:
    """What is not known about the cost of some attempts, oldest first."""
    return [doubt for attempt in attempts if (doubt := doubt_of(attempt))]


def known(attempts: Sequence[AttemptRecord]) -> dict[str, Decimal]:
    """The known cost by currency. Refused and refunded attempts are known to cost nothing; no attempts cost nothing.

    A currency is left out where no amount of it is known, since 0 would be wrong.
    """
    found: dict[str, Decimal] = {}
    for line in add_up(attempts):
        if line.currency is not None and (line.cost or not doubts(line)):
            found[line.currency] = decimals.add((found.get(line.currency, Decimal(0)), line.cost))
    return found


@dataclass(frozen=True, slots=True)
class RouteCost:
    """The cost of a route in one currency.

    Attributes:
        currency: None where no price was known.
        cost: The known cost.
        jobs: All jobs of the route.
        unsure: Those whose cost is not known.
        most: The most that these may have cost; None where that has no known bound.
        doubts: What is not known, as text.
    """

    route: str
    provider: str
    currency: str | None
    cost: Decimal
    jobs: int
    unsure: int
    most: Decimal | None
    doubts: str


def route_costs(lines: Iterable[CostLine]) -> list[RouteCost]:
    """One entry per route and currency, by currency and falling cost."""
    groups: dict[tuple[str | None, str, str], list[CostLine]] = {}
    for line in lines:
        groups.setdefault((line.currency, line.provider, line.model), []).append(line)
    found = [_route(key, group) for key, group in groups.items()]
    return sorted(found, key=lambda each: (each.currency is None, each.currency or "", -each.cost, each.route))


def _route(key: tuple[str | None, str, str], lines: Sequence[CostLine]) -> RouteCost:
    currency, provider, model = key
    bounds = [line.doubt for line in lines if line.doubt is not None]
    return RouteCost(
        route=model,
        provider=provider,
        currency=currency,
        cost=decimals.add(line.cost for line in lines),
        jobs=sum(line.jobs for line in lines),
        unsure=sum(line.held + line.undocumented + line.unpriced for line in lines),
        most=decimals.add(bounds) if len(bounds) == len(lines) else None,
        doubts="; ".join(text for line in lines if (text := doubts(line))),
    )
