"""The state of the spending limits of the accounts that a run uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from prefect_seedance.core.clock import now
from prefect_seedance.ledger import Ledger
from prefect_seedance.ledger.db.url import parsed
from prefect_seedance.ledger.rows import spending
from prefect_seedance.ledger.rows.spending import Payer, Period
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit

__all__ = ["LimitState", "spending_before", "spending_of"]

LimitState = tuple[SpendingLimit, Period]
"""A spending limit, and what is used of it."""


async def spending_of(ledger: Ledger, routes: Iterable[RouteSettings]) -> list[LimitState]:
    """Each spending limit of the routes' accounts once, with what is used of it now."""
    moment = now()
    return [
        (limit, await ledger.read(spending.used, payer, limit, moment))
        for payer, limit in dict.fromkeys(_limits(routes))
    ]


async def spending_before(ledger_url: str, routes: Iterable[RouteSettings]) -> list[LimitState]:
    """The same where no ledger is open, and where there may be none yet: it is not made.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    limits = list(dict.fromkeys(_limits(routes)))
    url = parsed(ledger_url)
    if url is not None and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        moment = now()
        return [(limit, Period.of(payer, limit, moment)) for payer, limit in limits]
    if not limits:
        return []
    ledger = await Ledger.open(ledger_url)
    try:
        return await spending_of(ledger, routes)
    finally:
        await ledger.close()


def _limits(routes: Iterable[RouteSettings]) -> Iterable[tuple[Payer, SpendingLimit]]:
    for settings in routes:
        for limit in settings.account.spending_limits:
            yield Payer(settings.account.provider, settings.account.label), limit
