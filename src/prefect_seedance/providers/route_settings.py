"""The settings of a route: the plain form of a route block, which is all that the engine sees of it."""

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
        account: The account that pays.
        route: The route.
        defaults: Settings for fields that a row does not set.
        prices: The prices of the account; None where the user has given none.
        max_in_flight: Largest number of jobs of this route at the same time.
        poll_seconds: Seconds between two queries of a job; None: chosen by the program.
        review: The review of media, where a row does not say; None: what the route needs.
        experimental: Whether calls are allowed that no document describes (the review of the Full routes).
        block: The name of the saved block of these settings; another process can load it by this name.
        fall_back: Names of the saved blocks that its rows use next, in order, after a proven refusal.
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
        """The name in messages: `seedance2.0-mini (jimmy/default)`."""
        return f"{self.route.model} ({self.account.identity})"
