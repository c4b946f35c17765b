"""An account's open door: its client, its poller and its limiter, shared by all runs of this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator

from prefect_seedance.accounts.limiter import Limiter
from prefect_seedance.accounts.polling.forecast import Forecast
from prefect_seedance.accounts.polling.poller import Poller
from prefect_seedance.providers import Account, ProviderClient

__all__ = ["AccountClient", "account_client"]


class AccountClient:
    """What one account needs on the core loop."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.client = ProviderClient(account)
        self.poller = Poller(self.client, self.client.dialect.poll_advice_seconds, forecast=_forecast(account))
        self.limiter = Limiter()
        self.users = 0
        self.member = asyncio.Lock()
        """Held by the run that speaks for this process where several share the account."""
        self.sharers = 0

    async def close(self) -> None:
        """Stop asking, and close the connections."""
        await self.poller.close()
        await self.client.aclose()


_open: dict[Account, AccountClient] = {}

REMEMBERED = 16
"""Accounts whose jobs are remembered after the last run has closed the door: the next one need not learn anew."""

_forecasts: OrderedDict[tuple[str, str], Forecast] = OrderedDict()


def _forecast(account: Account) -> Forecast:
    """What is known of an account's jobs: by who pays and where, so that a new key changes nothing."""
    known = (account.identity, account.base_url)
    forecast = _forecasts.setdefault(known, Forecast())
    _forecasts.move_to_end(known)
    while len(_forecasts) > REMEMBERED:
        _forecasts.popitem(last=False)
    return forecast


@contextlib.asynccontextmanager
async def account_client(account: Account) -> AsyncIterator[AccountClient]:
    """The channel of an account; closed when nobody uses it any more. On the core loop only."""
    door = _open.get(account)
    if door is None:
        door = _open[account] = AccountClient(account)
    door.users += 1
    try:
        yield door
    finally:
        door.users -= 1
        if door.users == 0:
            del _open[account]
            await door.close()
