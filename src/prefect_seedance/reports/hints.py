"""A run's dealings with its accounts, a line each, for people."""

from __future__ import annotations

from prefect_seedance.jobs.traffic import Traffic
from prefect_seedance.reports.money import count

__all__ = ["told_traffic"]


def told_traffic(traffic: Traffic) -> str:
    """What went to and fro between this process and one account."""
    told = [f"up to {count(traffic.highest, 'job')} in flight at once"]
    if traffic.limit is not None:
        told.append(f"its limit seems to be {traffic.limit:,} now (the lowest met: {traffic.lowest:,})")
    creates = traffic.accepted + traffic.refused
    if creates:
        told.append(f"{traffic.refused:,} of {count(creates, 'create')} refused as too many")
    if traffic.asked:
        told.append(f"{count(traffic.asked, 'question')} about {count(traffic.ended, 'job')} that ended")
    if traffic.failed:
        told.append(f"{traffic.failed:,} of them without a usable answer")
    return f"{traffic.account}: {', '.join(told)}"
