"""Credentials of the accounts that pay: one block for each provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from prefect.blocks.abstract import CredentialsBlock
from pydantic import Field, SecretStr

from prefect_seedance.blocks.about import DOCUMENTATION, LOGO
from prefect_seedance.blocks.spelling import StrictFields
from prefect_seedance.providers import Account, ProviderClient

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


class JimmyCredentials(StrictFields, CredentialsBlock):
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
    # Saved with the block: when a route is loaded, only this field says which kind of credentials it has.
    provider: Literal["jimmy"] = Field(default="jimmy", description=_PROVIDER)

    def to_account(self) -> Account:
        """The account as plain settings.

        Raises:
            InputError: The address or the key cannot be used.
        """
        return Account(self.provider, self.account, self.base_url, self.api_key, frozenset(self.refusal_codes))

    def get_client(self) -> ProviderClient:
        """A client of this account. Use it within one event loop, and close it (`async with` does).

        Raises:
            InputError: The address or the key cannot be used.
        """
        return ProviderClient(self.to_account())


class AnyfastCredentials(StrictFields, CredentialsBlock):
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
    provider: Literal["anyfast"] = Field(default="anyfast", description=_PROVIDER)

    def to_account(self) -> Account:
        """The account as plain settings.

        Raises:
            InputError: The address or the key cannot be used.
        """
        return Account(self.provider, self.account, self.base_url, self.api_key, frozenset(self.refusal_codes))

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
