"""The traffic between a run and its accounts, one line for each account."""

from __future__ import annotations

from prefect_seedance.messages import message
from prefect_seedance.runs.stats import AccountStats

__all__ = ["stats_line"]


def stats_line(account_stats: AccountStats) -> str:
    """The traffic between this process and one account, as text."""
    facts = [message("hint.in_flight", jobs=account_stats.highest)]
    if account_stats.limit is not None:
        facts.append(message("hint.limit", limit=account_stats.limit, lowest=account_stats.lowest))
    creates = account_stats.accepted + account_stats.refused
    if creates:
        facts.append(message("hint.refused", refused=account_stats.refused, creates=creates))
    if account_stats.asked:
        facts.append(message("hint.polls", polls=account_stats.asked, jobs=account_stats.ended))
    if account_stats.failed:
        facts.append(message("hint.polls_failed", polls=account_stats.failed))
    return str(message("hint.traffic", account=account_stats.account, facts=facts))
