"""A route to a new sandbox, so that every example runs without a key and without cost.

For real videos save a route block (in the Prefect UI: Blocks → Seedance Route Defaults), and pass its name
instead: `route="my-route"`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from prefect_seedance import JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.sandbox import SandboxServer, SandboxSettings


@contextlib.contextmanager
def sandbox_route(model: str = "seedance2.0-mini") -> Iterator[RouteDefaults]:
    """Yield a route of Jimmy AI whose base URL is a sandbox, which runs as long as the `with` block."""
    with SandboxServer(SandboxSettings(speed=50)) as sandbox:
        yield RouteDefaults(
            credentials=JimmyCredentials(api_key="sk_sandbox", base_url=sandbox.url, account="sandbox"),
            model=model,
            duration=5,
            resolution="720p",
            ratio="16:9",
            prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05", "seedance2.0-sp-720p": "0.2"}),
            poll_seconds=0.2,
        )
