"""Statistics of a run by account, for the report: jobs in flight, refused creates, queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from prefect_seedance.accounts.account_client import AccountClient
from prefect_seedance.accounts.limiter import LimiterReport
from prefect_seedance.accounts.polling.poller import PollerReport
from prefect_seedance.core.clock import now
from prefect_seedance.engine.session import Session

__all__ = ["AccountStats", "Counts", "counts", "pauses", "since"]


@dataclass(frozen=True, slots=True)
class AccountStats:
    """The traffic between this process and one account during a run.

    Where several runs of one process share an account, each report counts what all of them sent in that time.

    Attributes:
        account: Provider and label.
        limit: Jobs in flight that are known to be allowed now; None where nothing was refused as too many.
        lowest: The lowest limit that was found; None where none was.
        highest: The most jobs that were in flight at once, as far as this process has seen.
        accepted: Creates that were accepted.
        refused: Creates that were refused as too many. They cost nothing.
        asked: Queries of jobs.
        failed: Those without a usable answer.
        ended: Jobs that were seen to end.
    """

    account: str
    limit: int | None
    lowest: int | None
    highest: int
    accepted: int
    refused: int
    asked: int
    failed: int
    ended: int


Counts = dict[str, tuple[LimiterReport, PollerReport]]
"""The counts of limiter and poller, by account."""


def counts(session: Session) -> Counts:
    """The counts of the limiter and the poller of each account of a run, as of now."""
    return {account.identity: _count(account_client) for account, account_client in session.account_clients.items()}


def _count(account_client: AccountClient) -> tuple[LimiterReport, PollerReport]:
    return account_client.limiter.snapshot(), account_client.poller.report()


def since(before: Counts, after: Counts) -> list[AccountStats]:
    """The difference between two counts, by account; accounts without traffic are left out."""
    found = []
    for account, (limiter, poller) in after.items():
        began_limiter, began_poller = before[account]
        one = AccountStats(
            account=account,
            limit=limiter.limit,
            lowest=limiter.lowest,
            highest=limiter.highest,
            accepted=limiter.accepted - began_limiter.accepted,
            refused=limiter.refused - began_limiter.refused,
            asked=poller.asked - began_poller.asked,
            failed=poller.failed - began_poller.failed,
            ended=poller.ended - began_poller.ended,
        )
        if one.accepted or one.refused or one.asked:
            found.append(one)
    return found


def pauses(session: Session) -> dict[str, datetime]:
    """Until when providers ask for no further creates, in UTC, by account; those that ask for no pause are left out."""
    left = {account.identity: each.limiter.snapshot().pause for account, each in session.account_clients.items()}
    return {account: now() + timedelta(seconds=seconds) for account, seconds in left.items() if seconds > 0}
