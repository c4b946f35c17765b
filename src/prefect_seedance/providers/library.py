"""Uploads, asset libraries and reviews: types and interface, independent of any provider's format."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal, Protocol

from prefect_seedance.providers import reading
from prefect_seedance.providers.answers import Answer, Call
from prefect_seedance.routes.facts import MediaKind

Library = Literal["sp", "portrait", "audit", "volc"]
"""Where media are reviewed: Jimmy AI's SP assets, its whitelist of real people, its Full (Manxue) audit (unconfirmed),
and Anyfast's assets."""

_SCHEME = "asset://"


class AssetState(StrEnum):
    """The state of an asset or a portrait, the same three for all providers."""

    REVIEWING = "reviewing"
    ACTIVE = "active"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Whether the review is over."""
        return self is not AssetState.REVIEWING


@dataclass(frozen=True)
class AssetView:
    """What a provider says about an asset or a portrait at one moment.

    Attributes:
        asset_id: The provider's id of it; opaque.
        state: The state of its review.
        reference: The address for requests (`asset://…`); set if and only if the state is `ACTIVE`.
        provider_status: The status word of the provider, unchanged; empty where there is none.
        error_code: Why the review failed, where stated.
        error_message: Why the review failed, in the provider's words, where stated.
        request_id: The provider's trace id, where stated.
    """

    asset_id: str
    state: AssetState
    reference: str | None
    provider_status: str
    error_code: str | None = None
    error_message: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Uploaded:
    """A file that was uploaded to a provider. It is publicly served.

    Attributes:
        url: Its URL.
        bytes: Its length in bytes as the provider states it, where stated.
        request_id: The provider's trace id, where stated.
    """

    url: str
    bytes: int | None
    request_id: str | None


@dataclass(frozen=True)
class NamedId:
    """One entry of a list of groups."""

    name: str
    id: str


class LibraryDialect(Protocol):
    """Encodes the calls of one provider's uploads and libraries and decodes their answers. No I/O.

    Every encoding method raises `InputError` where the provider has no such call. Every `read_` method returns its
    typed result or raises a `SeedanceError`, for any bytes.
    """

    @property
    def upload_lifetime(self) -> timedelta | None:
        """How long an uploaded file is served; None where there is no upload."""

    def asset_billing_model(self, library: Library, kind: MediaKind) -> str | None:
        """Return the name of the price line of one asset, or None where assets are free."""

    def upload_call(self, filename: str, mime_type: str, size: int) -> Call:
        """Encode the upload of one file of `size` bytes; the call's `file` holds its name in the form."""

    def read_uploaded(self, answer: Answer) -> Uploaded:
        """Decode the answer to an upload."""

    def submit_asset_call(
        self, library: Library, *, name: str, kind: MediaKind, url: str, group: str | None = None
    ) -> Call:
        """Encode the submission of one asset."""

    def read_submitted(
        self, answer: Answer, library: Library, *, refusal_codes: AbstractSet[str] = frozenset()
    ) -> AssetView:
        """Decode the answer to `submit_asset_call`.

        Raises:
            UnknownOutcome: If assets are billed here and the answer does not prove that none was made.
        """

    def asset_call(self, library: Library, asset_id: str) -> Call:
        """Encode the query of a review."""

    def read_asset(self, answer: Answer, library: Library, asset_id: str) -> AssetView:
        """Decode the answer to `asset_call`.

        Raises:
            NotFound: If the provider does not know the asset.
        """

    def create_group_call(self, name: str) -> Call:
        """Encode the creation of a group of assets."""

    def read_group(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> str:
        """Decode the answer to `create_group_call` into the id of the group, as strictly as a create."""

    def list_groups_call(self, name: str, *, page: int, group_type: str | None = None) -> Call:
        """Encode the query for groups whose name contains this text."""

    def read_groups(self, answer: Answer) -> tuple[NamedId, ...]:
        """Decode one page of groups; an empty one is the last."""

    def list_assets_call(self, name: str, group: str, *, page: int, group_type: str | None = None) -> Call:
        """Encode the query for assets of a group whose name contains this text."""

    def read_assets(self, answer: Answer) -> tuple[tuple[str, AssetView], ...]:
        """Decode one page of assets, each with its name; an empty one is the last."""


def reference_of(asset_id: str, cited: object = None) -> str:
    """Return the address for requests: the provider's own reference where it is usable, else one made from the id.

    Both may start with `asset://` or not, in any letter case; older pages write `Asset://`.
    """
    return _SCHEME + (_bare(cited) or _bare(asset_id) or asset_id)


def _bare(value: object) -> str | None:
    text = reading.identifier(value)
    if text is not None and text.lower().startswith(_SCHEME):
        text = reading.identifier(text[len(_SCHEME) :])
    return text
