"""Credentials of the accounts that pay: one block for each provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Self, get_args

from prefect.blocks.abstract import CredentialsBlock
from pydantic import BaseModel, Field, SecretStr, model_validator

from prefect_seedance.blocks.about import DOCUMENTATION, LOGO
from prefect_seedance.blocks.spelling import StrictFields
from prefect_seedance.errors import InputError
from prefect_seedance.providers import Account, ProviderClient
from prefect_seedance.routes.pricing.spending_limit import Per, SpendingLimit

__all__ = ["CREDENTIALS", "AnyCredentials", "AnyfastCredentials", "JimmyCredentials"]

_KEY = "The API key. It is kept secret and goes to the provider's own host only."
_ACCOUNT = (
    "Your own name for the paying account. The ledger records purchases under it: keep the name when you change the "
    "key, and use another name for another account."
)
_PROVIDER = "The provider of this account. Leave it unchanged."
_HOST = "The address of the provider's API. Plain http is refused, except on this machine."
_REFUSALS = (
    "Error codes of the provider that prove that nothing was made or charged. A row that gets one of them is not "
    "treated as unknown. If in doubt, leave this empty."
)
_DAY = (
    "What this account may spend in a day over all batches, such as 20 CNY: known charges, and the highest cost of "
    "what is not settled. Rows that do not fit wait for a later run. Empty: no limit."
)
_MONTH = "The same for a calendar month, such as 300 CNY. Empty: no limit."
_ZONE = "The time zone in which the days and months of the spending limits begin, such as Asia/Shanghai."


class _SpendingLimits(BaseModel):
    """The spending limits of a credentials block. The blocks declare the fields, so that they end their forms."""

    if TYPE_CHECKING:
        spending_limit_per_day: str
        spending_limit_per_month: str
        spending_time_zone: str

    @model_validator(mode="after")
    def _valid_limits(self) -> Self:
        # Reported when the block is saved, not when a scheduled run starts.
        try:
            self.spending_limits()
        except InputError as error:
            raise ValueError(error.text) from None
        return self

    def spending_limits(self) -> tuple[SpendingLimit, ...]:
        """What the account may spend in a day or a month.

        Raises:
            InputError: A limit is not an amount with its currency, or there is no such time zone.
        """
        texts: dict[Per, str] = {"day": self.spending_limit_per_day, "month": self.spending_limit_per_month}
        limits = [SpendingLimit.parse(text, per, self.spending_time_zone) for per, text in texts.items()]
        return tuple(limit for limit in limits if limit is not None)


class JimmyCredentials(_SpendingLimits, StrictFields, CredentialsBlock):
    """Your account at Jimmy AI, which pays for videos.

    Example:
        ```python
        from prefect_seedance.blocks import JimmyCredentials

        credentials = JimmyCredentials.load("BLOCK_NAME")
        async with credentials.get_client() as client:
            print(await client.balance())
        ```
    """

    _block_type_name = "Jimmy AI Credentials"
    _block_type_slug = "jimmy-credentials"
    _logo_url = LOGO
    _documentation_url = DOCUMENTATION

    api_key: SecretStr = Field(title="API key", description=_KEY)
    account: str = Field(default="default", description=_ACCOUNT)
    base_url: str = Field(default="https://www.jimmyai.cn", title="Base URL", description=_HOST)
    refusal_codes: list[str] = Field(default_factory=list, title="Refusal codes", description=_REFUSALS)
    spending_limit_per_day: str = Field(default="", title="Spending limit per day", description=_DAY)
    spending_limit_per_month: str = Field(default="", title="Spending limit per month", description=_MONTH)
    spending_time_zone: str = Field(default="UTC", title="Time zone of the spending limits", description=_ZONE)
    # Saved with the block: when a route is loaded, only this field says which kind of credentials it has.
    provider: Literal["jimmy"] = Field(default="jimmy", description=_PROVIDER)

    def to_account(self) -> Account:
        """The account as plain settings.

        Raises:
            InputError: The address or the key cannot be used.
        """
        return Account(
            self.provider,
            self.account,
            self.base_url,
            self.api_key,
            frozenset(self.refusal_codes),
            self.spending_limits(),
        )

    def get_client(self) -> ProviderClient:
        """A client of this account. Use it within one event loop, and close it (`async with` does).

        Raises:
            InputError: The address or the key cannot be used.
        """
        return ProviderClient(self.to_account())


class AnyfastCredentials(_SpendingLimits, StrictFields, CredentialsBlock):
    """Your account at Anyfast, which pays for videos.

    Example:
        ```python
        from prefect_seedance.blocks import AnyfastCredentials

        credentials = AnyfastCredentials.load("BLOCK_NAME")
        client = credentials.get_client()
        ```
    """

    _block_type_name = "Anyfast Credentials"
    _block_type_slug = "anyfast-credentials"
    _logo_url = LOGO
    _documentation_url = DOCUMENTATION

    api_key: SecretStr = Field(title="API key", description=_KEY)
    account: str = Field(default="default", description=_ACCOUNT)
    base_url: str = Field(default="https://www.anyfast.ai", title="Base URL", description=_HOST)
    refusal_codes: list[str] = Field(default_factory=list, title="Refusal codes", description=_REFUSALS)
    spending_limit_per_day: str = Field(default="", title="Spending limit per day", description=_DAY)
    spending_limit_per_month: str = Field(default="", title="Spending limit per month", description=_MONTH)
    spending_time_zone: str = Field(default="UTC", title="Time zone of the spending limits", description=_ZONE)
    provider: Literal["anyfast"] = Field(default="anyfast", description=_PROVIDER)

    def to_account(self) -> Account:
        """The account as plain settings.

        Raises:
            InputError: The address or the key cannot be used.
        """
        return Account(
            self.provider,
            self.account,
            self.base_url,
            self.api_key,
            frozenset(self.refusal_codes),
            self.spending_limits(),
        )

    def get_client(self) -> ProviderClient:
        """A client of this account. Use it within one event loop, and close it (`async with` does).

        Raises:
            InputError: The address or the key cannot be used.
        """
        return ProviderClient(self.to_account())


AnyCredentials = JimmyCredentials | AnyfastCredentials
"""The credentials of any provider. A new provider's block is added here."""

CREDENTIALS: Mapping[str, type[AnyCredentials]] = {
    kind.model_fields["provider"].default: kind for kind in get_args(AnyCredentials)
}
"""The credentials block of each provider."""
