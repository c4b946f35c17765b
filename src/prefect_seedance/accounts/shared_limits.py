"""Sharing an account's limits with other processes, through the ledger: one allocation for each process while it works.

What each process gets, and why the sum never exceeds the ceiling: `ledger/sharing/allocations.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterable

from prefect_seedance.accounts.account_client import AccountClient
from prefect_seedance.accounts.clock_gap import moment
from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import OUT_OF_REACH, Ledger, Member, lease
from prefect_seedance.ledger.sharing import allocations

__all__ = ["shared_limits"]

log = logging.getLogger(__name__)

BEAT = 2.0
"""Seconds between two exchanges with the ledger; a process that joins waits at most so long for its share."""

SHORTEST_BEAT = 0.1
"""Minimum of seconds between two exchanges, where there is news."""


@contextlib.asynccontextmanager
async def shared_limits(
    ledger: Ledger, account_clients: Iterable[AccountClient], lost: Callable[[BaseException], None]
) -> AsyncIterator[None]:
    """Share the limits of these accounts with the other processes that use the ledger, for as long as the block runs.

    Args:
        ledger: The ledger that keeps the allocations.
        account_clients: The accounts' clients.
        lost: Called with the error once the exchange has ended early. It must stop all sending and end the waits for a
            slot, so that no run waits for ever.
    """
    account_clients = list(account_clients)
    for account_client in account_clients:
        if not account_client.sharers:
            account_client.limiter.freeze()
        account_client.sharers += 1
    exchanges = [
        asyncio.create_task(_hold_allocation(ledger, each, lost), name=f"seedance allocation {each.account.label}")
        for each in account_clients
    ]
    try:
        yield
    finally:
        for account_client in account_clients:
            account_client.sharers -= 1
        for exchange in exchanges:
            exchange.cancel()
        await asyncio.gather(*exchanges, return_exceptions=True)


async def _hold_allocation(
    ledger: Ledger, account_client: AccountClient, lost: Callable[[BaseException], None]
) -> None:
    # One run holds the allocation for all runs of this process; the next one takes over when it ends.
    async with account_client.allocation_lock:
        member = Member(str(uuid.uuid4()), account_client.account.provider, account_client.account.label)
        failed = False
        try:
            await _exchange(ledger, account_client, member)
        except Exception as error:
            if not isinstance(error, LedgerError):
                log.exception("Account %s: an error that this program did not foresee", account_client.account.identity)
            failed = True
            lost(error)
        finally:
            if account_client.sharers > failed:
                # No other run of this process uses the released share before it has got its own allocation.
                account_client.limiter.freeze()
            else:
                account_client.limiter.unshare()
            with contextlib.suppress(LedgerError):
                await ledger.release_allocation(member)


async def _exchange(ledger: Ledger, account_client: AccountClient, member: Member) -> None:
    limiter, agreed = account_client.limiter, lease().total_seconds()
    beat = min(BEAT, agreed / 8)
    failing: float | None = None
    while True:
        limiter.news.clear()
        try:
            limiter.apply_share(await ledger.write(allocations.allocate, member, limiter.demand()), agreed / 2)
            failing = None
        except LedgerError as error:
            # For the length of a lease nothing more is put in flight; then the exchange fails.
            if failing is None:
                failing = moment()
                log.warning(
                    "Account %s: the limits cannot be shared with other processes now: %s",
                    account_client.account.identity,
                    error,
                )
            if error.code == OUT_OF_REACH or moment() - failing > agreed:
                raise
        await asyncio.sleep(min(SHORTEST_BEAT, beat))
        # Not wait_for, which may lose a cancellation in Python 3.11 (CPython issue 86296).
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(beat):
                await limiter.news.wait()
