"""A flow that asks what 100,000 videos would cost, before any are ordered.

`quote_videos` takes the table as it is. The Prefect server gets one line about it, and never its rows.

    python examples/subflow_quote.py
"""

from __future__ import annotations

import sys

import pandas as pd
from prefect import flow
from sandbox_route import sandbox_route

from prefect_seedance import RouteDefaults, quote_videos


@flow
def plan_campaign(rows: int, route: RouteDefaults | str) -> dict[str, str]:
    """Return the lowest and highest cost of a campaign of so many videos, by currency."""
    table = pd.DataFrame(
        {
            "id": [f"shot-{number:06d}" for number in range(rows)],
            "prompt": [f"Product number {number} turns slowly on a white table" for number in range(rows)],
            "duration": [4 + number % 5 for number in range(rows)],
        }
    )
    quote = quote_videos(table, route=route)
    frame = quote.to_dataframe()
    print(quote)
    return {
        str(currency): f"{group['quote_low'].sum()} to {group['quote_high'].sum()}"
        for currency, group in frame.groupby("currency")
    }


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with sandbox_route() as route:
        print(plan_campaign(wanted, route))
