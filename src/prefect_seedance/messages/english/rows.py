"""Texts about rows on their way: steps, remarks, routes."""

from __future__ import annotations

ROWS: dict[str, str] = {
    "row.key_rejected": "The API key of {account} is not accepted; check the key in its credentials. {words}",
    "row.no_route_left": "None of its {routes:,} routes accepted it. {reasons}",
}
