"""Route defaults: the route of rows that name none, and the settings that a row leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from prefect.blocks.core import Block
from pydantic import BaseModel, Field, ValidationError, model_validator

from prefect_seedance.blocks.about import DOCUMENTATION, LOGO
from prefect_seedance.blocks.credentials import AnyCredentials
from prefect_seedance.blocks.price_book import PriceBook
from prefect_seedance.blocks.spelling import StrictFields
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Provider, Route, VideoRequest, find
from prefect_seedance.routes.request import SETTINGS, Options, Shape, block_fields

__all__ = ["RouteDefaults"]

SLUG = "seedance-route-defaults"

if TYPE_CHECKING:
    from prefect_seedance.routes.request import Options as _Options
    from prefect_seedance.routes.request import Shape as _Shape
else:
    _Options, _Shape = block_fields("route", Options), block_fields("route", Shape)


def block_name(text: str) -> str:
    """The name of a saved route block, from a text that may begin with the slug of its type."""
    return text.strip().removeprefix(f"{SLUG}/")


class _Head(BaseModel):
    """The first fields of a route block: the form shows them above the settings."""

    credentials: AnyCredentials = Field(description="The account that pays.")
    model: str = Field(
        description="The route: a model of the account's provider, such as seedance2.0-mini.",
        examples=["seedance2.0-mini", "seedance-2.0-mini"],
    )
    prices: PriceBook | None = Field(
        default=None, title="Prices", description="What you pay. Without it, costs are shown as unknown."
    )


class RouteDefaults(StrictFields, _Options, _Shape, _Head, Block):
    """A route for videos: an account, a model, your prices, and defaults for what a row leaves open.

    Example:
        ```python
        from prefect_seedance import generate_videos
        from prefect_seedance.blocks import RouteDefaults

        route = RouteDefaults.load("BLOCK_NAME")
        generate_videos("prompts.csv", route=route, batch="spring", output="videos")
        ```
    """

    _block_type_name = "Seedance Route Defaults"
    _block_type_slug = SLUG
    _logo_url = LOGO
    _documentation_url = DOCUMENTATION

    max_in_flight: int = Field(
        default=20, ge=1, le=10_000, description="How many videos of this route may be in progress at the same time."
    )
    poll_seconds: float | None = Field(
        default=None, gt=0, description="Seconds between two status requests for a job. Empty: the program chooses."
    )
    media_review: Literal["asset", "portrait"] | None = Field(
        default=None,
        title="Media review",
        description=(
            "The provider's review that media pass first, where a row does not say: asset (its asset library) or "
            "portrait (the whitelist of real people, for pictures). Empty: what the route needs."
        ),
    )
    experimental: bool = Field(
        default=False,
        description=(
            "Submit media to the review of the Full routes (sd2_mx_…), whose API is not documented. "
            "Unconfirmed: it may fail. Without it, give asset:// ids that passed the provider's review."
        ),
    )
    fall_back: list[str] = Field(
        default_factory=list,
        title="Fall back to",
        description=(
            "Names of other saved route blocks, in order. They take the rows that this route provably refuses (no "
            "funds, a limit, unavailable, not supported), and never a row that may have been paid."
        ),
    )
    custom_route: dict[str, Any] | None = Field(
        default=None,
        description="Only for a model that this plugin does not know yet: its rules, as a Route in JSON.",
    )

    @model_validator(mode="after")
    def _valid_route(self) -> Self:
        # Reported when the block is saved, not when a scheduled run starts.
        try:
            self.to_route()
        except SeedanceError as error:
            raise ValueError(error.text) from None
        return self

    @property
    def provider(self) -> Provider:
        """The provider of the route."""
        return self.credentials.provider

    def to_route(self) -> Route:
        """The route's rules, from the catalogue or from `custom_route`.

        Raises:
            InputError: There is no such model, or `custom_route` is not a valid route.
        """
        if self.custom_route is None:
            return find(self.model, self.provider)
        try:
            return Route.model_validate({"provider": self.provider, "model": self.model, **self.custom_route})
        except ValidationError as error:
            raise InputError(message("block.bad_custom_route", reasons=error)) from None

    def to_settings(self) -> RouteSettings:
        """The plain settings of the route, its account and its prices.

        Raises:
            InputError: The account, the route or the prices cannot be used.
        """
        defaults = {name: getattr(self, name) for name in SETTINGS if getattr(self, name) is not None}
        return RouteSettings(
            account=self.credentials.to_account(),
            route=self.to_route(),
            defaults=VideoRequest(**defaults),
            prices=self.prices.to_prices() if self.prices else None,
            max_in_flight=self.max_in_flight,
            poll_seconds=self.poll_seconds,
            review=self.media_review,
            experimental=self.experimental,
            block=getattr(self, "_block_document_name", None),
            fall_back=tuple(block_name(name) for name in self.fall_back),
        )
