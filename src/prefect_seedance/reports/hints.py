"""A run's dealings with its accounts, a line each, for people."""

from __future__ import annotations

from prefect_seedance.engine.stats import Traffic
from prefect_seedance.messages import message

__all__ = ["told_traffic"]


def told_traffic(traffic: Traffic) -> str:
    """What went to and fro between this process and one account."""
    facts = [message("hint.in_flight", jobs=traffic.highest)]
    if traffic.limit is not None:
        facts.append(message("hint.limit", limit=traffic.limit, lowest=traffic.lowest))
    creates = traffic.accepted + traffic.refused
    if creates:
        facts.append(message("hint.refused", refused=traffic.refused, creates=creates))
    if traffic.asked:
        facts.append(message("hint.polls", polls=traffic.asked, jobs=traffic.ended))
    if traffic.failed:
        facts.append(message("hint.polls_failed", polls=traffic.failed))
    return str(message("hint.traffic", account=traffic.account, facts=facts))
