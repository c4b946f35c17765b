"""The data of the page: all texts and sums are made here; the page only lays them out, filters and sorts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from prefect_seedance.ledger import AttemptRecord, CostLine, Settlement, State, add_up
from prefect_seedance.reports.money import amount, amounts, limit, number
from prefect_seedance.reports.results.result import sums
from prefect_seedance.reports.sheet.addresses import without_keys
from prefect_seedance.reports.sheet.card import Card
from prefect_seedance.reports.sheet.costs import RouteCost, doubts_of, known, route_costs
from prefect_seedance.reports.summary import status_advice, status_words
from prefect_seedance.routes.pricing import decimals

__all__ = ["next_take", "sheet_data"]

_ORDER = (
    State.UNKNOWN,
    State.STORED,
    State.FAILED,
    State.REFUSED,
    State.EXPIRED,
    "invalid",
    State.SUCCEEDED,
    State.CREATED,
    State.SENT,
    State.DEFERRED,
    State.OVER_BUDGET,
    State.PLANNED,
)
"""The order of the status filter: unknown rows first, since they wait for a person."""

_UNITS = {"second": "s", "job": "job", "million_tokens": "M tokens"}


def sheet_data(
    batch: str,
    cards: Sequence[Card],
    *,
    costs: Sequence[CostLine] | None = None,
    title: str | None = None,
    made_at: datetime | None = None,
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything that the page shows, as plain JSON. Amounts are texts, and links contain no keys."""
    lines = add_up(attempt for card in cards for attempt in card.attempts) if costs is None else list(costs)
    present = Counter(card.status for card in cards)
    statuses = [*(status for status in _ORDER if present[status]), *sorted(set(present) - set(_ORDER))]
    return (
        {"batch": batch, "title": title or batch}
        | _filled(
            {
                "made_at": _instant(made_at or datetime.now(UTC)),
                "takes": list(dict.fromkeys(card.take for card in cards)),
                "next_take": next_take(card.take for card in cards),
                "statuses": [{"name": str(name), "word": status_words(name)} for name in statuses],
                "advice": {str(name): text for name in statuses if (text := status_advice(name))},
                "headings": list(dict.fromkeys(heading for card in cards for heading in card.columns)),
                "cost": [amount(cost, currency) for currency, cost in sorted(sums(lines).items())] or ["nothing"],
                "doubts": _doubts(lines),
                "unsure": sum(_unsure(line) for line in lines),
                "routes": [_route(route) for route in route_costs(lines)],
                "warnings": [without_keys(text) for text in warnings],
            }
        )
        | {"cards": [_card(card) for card in cards]}
    )


def next_take(takes: Iterable[str]) -> str:
    """The name of a further take: the highest number plus 1."""
    numbers = [int(take) for take in takes if take.isascii() and take.isdigit()]
    return str(max(numbers, default=1) + 1)


def _unsure(line: CostLine) -> int:
    return line.held + line.undocumented + line.unpriced


def _doubts(lines: Iterable[CostLine]) -> list[str]:
    """The most that the unknown costs may add to the sums, by currency."""
    found: dict[str | None, Decimal | None] = {}
    for line in lines:
        if _unsure(line):
            most = found.get(line.currency, Decimal(0))
            found[line.currency] = None if most is None or line.doubt is None else decimals.add((most, line.doubt))
    return [str(limit(most, currency)) for currency, most in found.items()]


def _route(route: RouteCost) -> dict[str, Any]:
    cost = "unknown" if route.currency is None or (not route.cost and route.doubts) else amount(route.cost, "")
    return _filled(
        {
            "route": route.route,
            "provider": route.provider,
            "currency": route.currency,
            "cost": cost,
            "value": number(route.cost),
            "jobs": route.jobs,
            "unsure": route.unsure,
            "most": None if route.most is None or not route.unsure else number(route.most),
            "doubts": route.doubts,
        }
    )


def _card(card: Card) -> dict[str, Any]:
    request = dict(card.request)
    prompt = request.pop("prompt", None)
    return {"key": card.key, "take": card.take, "status": card.status} | _filled(
        {
            "order": card.order,
            "route": card.route,
            "provider": card.provider,
            "account": card.account,
            "prompt": None if prompt is None else str(prompt),
            "settings": [[name.replace("_", " "), _setting(name, value)] for name, value in request.items()],
            "columns": {heading: without_keys(text) for heading, text in card.columns.items()},
            "video": card.video,
            "poster": card.poster,
            "strip": card.strip,
            "path": None if card.path is None else without_keys(card.path),
            "bytes": card.bytes,
            "width": card.width,
            "height": card.height,
            "seconds": None if card.seconds is None else number(card.seconds),
            "sha256": card.sha256,
            "reason": None if card.reason is None else without_keys(card.reason),
            "code": card.code,
            "remarks": [without_keys(text) for text in card.remarks],
            "passed": [without_keys(text) for text in card.passed],
            "planned_at": _instant(card.planned_at),
            "finished_at": _instant(card.finished_at),
            "stored_at": _instant(card.stored_at),
            "making": _making(card),
            "attempts": [_attempt(attempt) for attempt in card.attempts],
        }
        | _money(card)
    )


def _money(card: Card) -> dict[str, Any]:
    paid = known(card.attempts)
    doubts = doubts_of(card.attempts)
    spent = {currency: cost for currency, cost in paid.items() if cost}
    unknown = [each for each in doubts if each.settlement is not Settlement.OPEN]
    unsure = "unknown" if unknown else "not settled" if doubts else ""
    text = amounts(spent) if spent else unsure or ("nothing" if card.attempts or card.status == State.STORED else "–")
    return {
        "costs": [[currency, number(cost)] for currency, cost in sorted(paid.items())],
        "cost": f"{text} + {unsure}" if spent and unsure else text,
        "doubts": [
            _filled(
                {
                    "text": each.text,
                    "kind": each.settlement.value,
                    "most": None if each.most is None else number(each.most),
                    "currency": each.currency,
                }
            )
            for each in doubts
        ],
        "may_have_cost": "; ".join(
            dict.fromkeys(each.text for each in doubts if each.settlement is Settlement.UNKNOWN)
        ),
    }


def _attempt(attempt: AttemptRecord) -> dict[str, Any]:
    doubts = doubts_of([attempt])
    return _filled(
        {
            "number": attempt.number,
            "outcome": attempt.outcome.value,
            "route": attempt.model,
            "billing_model": attempt.billing_model,
            "sent_at": _instant(attempt.sent_at),
            "job_id": attempt.job_id,
            "request_id": attempt.request_id,
            "code": attempt.code,
            "message": None if attempt.message is None else without_keys(attempt.message),
            "units": None
            if attempt.units is None
            else f"{number(attempt.units)} {_UNITS.get(attempt.unit, attempt.unit)}",
            "unit_price": None if attempt.unit_price is None else amount(attempt.unit_price, attempt.currency),
            "cost": doubts[0].text if doubts else amount(attempt.charge or Decimal(0), attempt.currency),
        }
    )


def _making(card: Card) -> float | None:
    """Seconds from sending the create to the end of the job that made the video."""
    if card.finished_at is None or not card.attempts or card.status not in {State.STORED, State.SUCCEEDED}:
        return None
    return max(0.0, round((card.finished_at - card.attempts[-1].sent_at).total_seconds(), 1))


def _setting(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "\n".join(_setting(name, each) for each in value)
    return f"{value} s" if name == "duration" else without_keys(str(value))


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are set: leaving out the others keeps the page small."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", [], {})}
