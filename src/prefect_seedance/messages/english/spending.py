"""Texts about spending limits."""

from __future__ import annotations

SPENDING: dict[str, str] = {
    "spending.no_zone": (
        "There is no time zone {zone}; expected a name such as UTC, Asia/Shanghai or Europe/Berlin. Nothing was spent."
    ),
    "spending.per_day": "{amount} a day",
    "spending.per_month": "{amount} a month",
    "spending.today": "today",
    "spending.this_month": "this month",
    # What is used of a limit.
    "spending.state": (
        "Spending limit of {account}: {used} of {most} are used {now}, with the worst case of what is not settled; it "
        "renews at {renewal}"
    ),
    "spending.state_unbounded": (
        "Spending limit of {account}: {used} of {most} are used {now}, and {requests:request has|requests have} no "
        "known worst case, so nothing more is sent; it renews at {renewal}"
    ),
    "spending.quote": (
        "Spending limit of {account}: {used} of {most} are used {now}, so about {fit:,} of these {rows:row fits|rows "
        "fit}; it renews at {renewal}"
    ),
    "spending.period": "Spending limit of {account}: {used} of {most} are used, from {start} to {end} UTC",
    "spending.title": "Spending limits",
    # Why a row is not sent.
    "spending.exhausted": (
        "The worst case of {wanted} does not fit into the spending limit of {account}, {limit}: {used} are used {now}. "
        "It renews at {renewal}; run the same batch again then. Nothing was sent."
    ),
    "spending.no_bound": (
        "The worst case has no known bound, so the spending limit of {account}, {limit}, cannot hold it. Nothing was "
        "sent."
    ),
    "spending.other_currency": (
        "The worst case is in {currency}, so the spending limit of {account}, {limit}, cannot hold it: currencies are "
        "never converted. Nothing was sent."
    ),
    "spending.unbounded": (
        "{requests:request|requests} of {account} in this period may have been paid and have no known worst case, so "
        "the spending limit of {limit} cannot be kept before it renews at {renewal}. State what one of them costs at "
        "most: run batch {batch!r} with {@max_charge:… {currency}}. Nothing was sent."
    ),
}
