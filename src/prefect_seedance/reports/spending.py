"""The state of spending limits, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prefect_seedance.ledger.rows.spending import Period
from prefect_seedance.messages import message
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.reports.money import amount
from prefect_seedance.routes.pricing import decimals
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit
from prefect_seedance.runs.spending import LimitState

__all__ = ["fitting", "period_lines", "quote_lines", "state_lines"]


def state_lines(states: Iterable[LimitState]) -> list[str]:
    """Each limit with what is used of it, and when it renews."""
    lines = []
    for limit, period in states:
        facts = _facts(limit, period)
        if period.unbounded:
            lines.append(str(message("spending.state_unbounded", requests=period.unbounded, **facts)))
        else:
            lines.append(str(message("spending.state", **facts)))
    return lines


def quote_lines(states: Iterable[LimitState], rows: Sequence[PlannedRow]) -> list[str]:
    """Each limit before anything is spent: what is used of it, and how many of the rows fit."""
    lines = []
    for limit, period in states:
        mine = [row for row in rows if _pays(row, period)]
        if period.unbounded:
            lines += state_lines([(limit, period)])
        elif mine:
            fit = fitting(mine, Amount(decimals.add((period.most, period.used.copy_negate())), period.currency))
            lines.append(str(message("spending.quote", fit=fit, rows=len(mine), **_facts(limit, period))))
    return lines


def period_lines(periods: Iterable[Period]) -> list[str]:
    """The limits of a ledger, each as it was last checked. The ledger knows their periods, and not their zones."""
    return [
        str(
            message(
                "spending.period",
                account="/".join(period.payer),
                used=amount(period.used, None),
                most=amount(period.most, period.currency),
                start=f"{period.starts_at:%Y-%m-%d %H:%M}",
                end=f"{period.ends_at:%Y-%m-%d %H:%M}",
            )
        )
        for period in periods
    ]


def fitting(rows: Iterable[PlannedRow], rest: Amount) -> int:
    """How many rows fit, in their order, by their worst case: those that do not fit are passed over."""
    fit, left = 0, rest.value
    for row in rows:
        most = row.quote.high
        if most is not None and row.quote.currency == rest.currency and most <= left:
            fit, left = fit + 1, decimals.add((left, most.copy_negate()))
    return fit


def _pays(row: PlannedRow, period: Period) -> bool:
    account = row.settings.account
    return (account.provider, account.label) == period.payer


def _facts(limit: SpendingLimit, period: Period) -> dict[str, object]:
    return {
        "account": "/".join(period.payer),
        "used": amount(period.used, None),
        "most": amount(period.most, period.currency),
        "now": limit.now,
        "renewal": limit.renewal(period.starts_at),
    }
