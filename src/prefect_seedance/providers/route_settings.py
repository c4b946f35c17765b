"""A route as a user has set it up: what the blocks turn themselves into, and all that the jobs know of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from prefect_seedance.providers.account import Account
from prefect_seedance.routes import Prices, Route, VideoRequest
from prefect_seedance.routes.forms import Review

__all__ = ["RouteSettings"]


@dataclass(frozen=True)
class RouteSettings:
    """One route of one account, with the user's defaults and prices.

    Attributes:
        account: Who pays.
        route: What can be asked for.
        defaults: Settings for what a row leaves open.
        prices: What it costs; None where the user has given no prices.
        max_in_flight: Jobs of this route at once.
        poll_seconds: Seconds between two queries of a job; None lets the program choose.
        review: Which review media go through first, where a row does not say; None: what the route needs.
        experimental: Whether calls are made that no document describes (the review of the Full routes).
        block: The name of the saved block that this came from; another process can load it by that.
        fall_back: Names of saved blocks to which its rows go on, in order, after a proven refusal.
    """

    account: Account
    route: Route
    defaults: VideoRequest = field(default_factory=VideoRequest)
    prices: Prices | None = None
    max_in_flight: int = 20
    poll_seconds: float | None = None
    review: Review | None = None
    experimental: bool = False
    block: str | None = None
    fall_back: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How messages name it: `seedance2.0-mini (jimmy/default)`."""
        return f"{self.route.model} ({self.account.identity})"
