"""Route defaults: where rows go that do not say otherwise, and what they ask for where they leave it open."""

from __future__ import annotations

from typing import Any, Literal, Self

from prefect.blocks.core import Block
from pydantic import Field, ValidationError, model_validator

from prefect_seedance.blocks.about import DOCUMENTATION, LOGO
from prefect_seedance.blocks.credentials import AnyfastCredentials, JimmyCredentials
from prefect_seedance.blocks.price_book import PriceBook
from prefect_seedance.errors import SeedanceError, UserMistake
from prefect_seedance.providers import RouteSettings
from prefect_seedance.routes import Route, VideoRequest, find

__all__ = ["RouteDefaults"]

_SETTINGS = ("duration", "resolution", "ratio", "orientation", "generate_audio", "watermark", "web_search")


class RouteDefaults(Block):
    """One route of one account, with defaults for what a row leaves open, and your prices.

    Example:
        ```python
        from prefect_seedance import generate_videos
        from prefect_seedance.blocks import RouteDefaults

        route = RouteDefaults.load("BLOCK_NAME")
        generate_videos("prompts.csv", route=route, batch="spring", output="videos")
        ```
    """

    _block_type_name = "Seedance Route Defaults"
    _block_type_slug = "seedance-route-defaults"
    _logo_url = LOGO
    _documentation_url = DOCUMENTATION

    credentials: JimmyCredentials | AnyfastCredentials = Field(description="The account that pays.")
    model: str = Field(
        description="The route: a model of the account's provider, such as seedance2.0-mini.",
        examples=["seedance2.0-mini", "seedance-2.0-mini"],
    )
    duration: int | None = Field(default=None, description="Seconds of video, where a row does not say.")
    resolution: str | None = Field(default=None, description="Such as 720p, where a row does not say.")
    ratio: str | None = Field(default=None, description="Such as 16:9, where a row does not say.")
    orientation: Literal["landscape", "portrait"] | None = Field(
        default=None, description="Landscape or portrait, where a row does not say and no ratio is set."
    )
    generate_audio: bool | None = Field(default=None, description="With sound? Only on routes that can choose.")
    watermark: bool | None = Field(default=None, description="With a watermark? Only on routes that can choose.")
    web_search: bool | None = Field(default=None, description="May the model search the web? Only Anyfast, text only.")
    prices: PriceBook | None = Field(default=None, description="What you pay. Without it, costs are shown as unknown.")
    max_in_flight: int = Field(default=20, ge=1, le=10_000, description="Jobs of this route at the same time, at most.")
    poll_seconds: float | None = Field(
        default=None, gt=0, description="Seconds between two looks at a job. Empty: the program chooses."
    )
    custom_route: dict[str, Any] | None = Field(
        default=None,
        description="The rules of a model that the catalogue does not know yet, as a Route in JSON.",
    )

    @model_validator(mode="after")
    def _known(self) -> Self:
        # Told while the block is made, not in the middle of the night.
        try:
            self.to_route()
        except SeedanceError as error:
            raise ValueError(error.message) from None
        return self

    @property
    def provider(self) -> Literal["jimmy", "anyfast"]:
        """Whose route it is."""
        return self.credentials.provider

    def to_route(self) -> Route:
        """The route's rules, from the catalogue or from `custom_route`.

        Raises:
            UserMistake: There is no such model, or `custom_route` is no route.
        """
        if self.custom_route is None:
            return find(self.model, self.provider)
        try:
            return Route.model_validate({"provider": self.provider, "model": self.model, **self.custom_route})
        except ValidationError as error:
            raise UserMistake(f"custom_route is no route: {error}. Nothing was spent.") from None

    def to_settings(self) -> RouteSettings:
        """The plain settings, as the jobs know them.

        Raises:
            UserMistake: The account, the route or the prices cannot be used.
        """
        defaults = {name: getattr(self, name) for name in _SETTINGS if getattr(self, name) is not None}
        return RouteSettings(
            account=self.credentials.to_account(),
            route=self.to_route(),
            defaults=VideoRequest(**defaults),
            prices=self.prices.to_prices() if self.prices else None,
            max_in_flight=self.max_in_flight,
            poll_seconds=self.poll_seconds,
            block=getattr(self, "_block_document_name", None),
        )
