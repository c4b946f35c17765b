"""Sharing an account's limits with other processes, through the ledger: one seat for each process, kept while it works.

What each is told and why the sum never exceeds the ceiling: `ledger/seats.py`.
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

__all__ = ["shared_limits"]

log = logging.getLogger(__name__)

BEAT = 2.0
"""Seconds between two words of a process to the others: so long does who joins wait for its part."""

SOONEST = 0.1
"""Seconds between them at least, where there is news."""


@contextlib.asynccontextmanager
async def shared_limits(
    ledger: Ledger, account_clients: Iterable[AccountClient], lost: Callable[[BaseException], None]
) -> AsyncIterator[None]:
    """Share the limits of these accounts with whoever else does, for as long as the block runs.

    Args:
        ledger: Where the seats are.
        account_clients: The accounts' channels.
        lost: Called where nothing will be heard of the others any more. It must see to it that nothing more is sent:
            whoever waits for a place is let go, so that no run waits for ever.
    """
    account_clients = list(account_clients)
    for account_client in account_clients:
        if not account_client.sharers:
            account_client.limiter.freeze()
        account_client.sharers += 1
    keepers = [
        asyncio.create_task(_keep(ledger, each, lost), name=f"seedance seat {each.account.label}")
        for each in account_clients
    ]
    try:
        yield
    finally:
        for account_client in account_clients:
            account_client.sharers -= 1
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _keep(ledger: Ledger, account_client: AccountClient, lost: Callable[[BaseException], None]) -> None:
    # Of several runs in this process one speaks for all; the next takes over where it ends.
    async with account_client.member:
        member = Member(str(uuid.uuid4()), account_client.account.provider, account_client.account.label)
        fell = False
        try:
            await _speak(ledger, account_client, member)
        except Exception as error:
            if not isinstance(error, LedgerError):
                log.exception("Account %s: an error that this program did not foresee", account_client.account.identity)
            fell = True
            lost(error)
        finally:
            if account_client.sharers > fell:
                # What is given back here is used by no other run of this process before it has asked for its own part.
                account_client.limiter.freeze()
            else:
                account_client.limiter.alone()
            with contextlib.suppress(LedgerError):
                await ledger.release_allocation(member)


async def _speak(ledger: Ledger, account_client: AccountClient, member: Member) -> None:
    limiter, agreed = account_client.limiter, lease().total_seconds()
    beat = min(BEAT, agreed / 8)
    failing: float | None = None
    while True:
        limiter.news.clear()
        try:
            limiter.shared(await ledger.allocate(member, limiter.saying()), agreed / 2)
            failing = None
        except LedgerError as error:
            # For a while nothing more is put in flight; a ledger that stays away has been waited for long enough.
            if failing is None:
                failing = moment()
                log.warning(
                    "Account %s: nothing is heard of the other processes: %s", account_client.account.identity, error
                )
            if error.code == OUT_OF_REACH or moment() - failing > agreed:
                raise
        await asyncio.sleep(min(SOONEST, beat))
        # Not wait_for, which may lose a cancellation in Python 3.11 (CPython issue 86296).
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(beat):
                await limiter.news.wait()
