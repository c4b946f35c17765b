"""The price book: what you pay, by billing model."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

from prefect.blocks.core import Block
from pydantic import Field, model_validator

from prefect_seedance.blocks.about import DOCUMENTATION, LOGO
from prefect_seedance.blocks.spelling import StrictFields
from prefect_seedance.errors import SeedanceError
from prefect_seedance.routes import Prices

__all__ = ["PriceBook"]


class PriceBook(StrictFields, Block):
    """Your prices, as the provider's console shows them. None are built in, since prices differ by user.

    Example:
        ```python
        from prefect_seedance.blocks import PriceBook

        prices = PriceBook.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Seedance Price Book"
    _block_type_slug = "seedance-price-book"
    _logo_url = LOGO
    _documentation_url = DOCUMENTATION

    currency: str = Field(description="The currency of all prices in this book, such as CNY.", examples=["CNY"])
    prices: dict[str, Any] = Field(
        default_factory=dict,
        description=(
            'Price by billing model, as text: {"seedance2.0-mini-720p": "0.05"}. The unit is the route\'s own (second, '
            'job or million tokens); "0.05/second" states it, and is refused where the route bills by another one.'
        ),
        examples=[{"seedance2.0-mini-720p": "0.05"}],
    )

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, given: Any) -> Any:
        # Blocks are saved as JSON, which has no exact decimals.
        if isinstance(given, dict) and isinstance(given.get("prices"), dict):
            prices = {
                name: str(price) if isinstance(price, Decimal) else price for name, price in given["prices"].items()
            }
            return {**given, "prices": prices}
        return given

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            self.to_prices()
        except SeedanceError as error:
            raise ValueError(error.text) from None
        return self

    def to_prices(self) -> Prices:
        """The prices as plain settings.

        Raises:
            InputError: A price cannot be read.
        """
        return Prices.parse(self.currency, self.prices)
