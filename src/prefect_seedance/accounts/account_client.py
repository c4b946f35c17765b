"""The client, the poller, the limiter and the circuit breaker of an account, shared by all runs of this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
from prefect_seedance.accounts.limiter import Limiter
from prefect_seedance.accounts.polling.forecast import Forecast
from prefect_seedance.accounts.polling.poller import Poller
from prefect_seedance.accounts.send_gate import SendGate
from prefect_seedance.providers import Account, ProviderClient

__all__ = ["AccountClient", "account_client"]


class AccountClient:
    """What this process keeps for one account, on the core loop.

    Attributes:
        account: The account.
        client: Its HTTP client.
        poller: Waits for its jobs.
        limiter: Limits its jobs in flight.
        circuit_breaker: What it refuses to everybody at present.
        users: How many blocks use it now; the last one closes it.
        allocation_lock: Held by the run that shares the account's limits for this process.
        sharers: How many runs of this process share the account's limits with other processes.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.client = ProviderClient(account)
        self.poller = Poller(self.client, self.client.dialect.poll_advice_seconds, forecast=_forecast(account))
        self.limiter = Limiter(_gate(account), self.client.ask_free)
        self.circuit_breaker = CircuitBreaker()
        self.users = 0
        self.allocation_lock = asyncio.Lock()
        self.sharers = 0

    async def close(self) -> None:
        """Stop polling, and close the connections."""
        await self.poller.close()
        await self.client.aclose()


_open: dict[Account, AccountClient] = {}

REMEMBERED = 16
"""Accounts of which something is kept after their last run has closed the client; a later run starts with it."""

_T = TypeVar("_T")
_forecasts: OrderedDict[tuple[str, str], Forecast] = OrderedDict()
_gates: OrderedDict[tuple[str, str], SendGate] = OrderedDict()


def _forecast(account: Account) -> Forecast:
    return _remembered(_forecasts, account, Forecast)


def _gate(account: Account) -> SendGate:
    return _remembered(_gates, account, SendGate)


def _remembered(known: OrderedDict[tuple[str, str], _T], account: Account, make: Callable[[], _T]) -> _T:
    """What is kept of an account, by identity and base URL: a rotated key keeps it, another host does not."""
    key = (account.identity, account.base_url)
    if key not in known:
        known[key] = make()
    known.move_to_end(key)
    while len(known) > REMEMBERED:
        known.popitem(last=False)
    return known[key]


@contextlib.asynccontextmanager
async def account_client(account: Account) -> AsyncIterator[AccountClient]:
    """The account client of an account; closed after its last use. On the core loop only."""
    shared = _open.get(account)
    if shared is None:
        shared = _open[account] = AccountClient(account)
    shared.users += 1
    try:
        yield shared
    finally:
        shared.users -= 1
        if shared.users == 0:
            del _open[account]
            await shared.close()
