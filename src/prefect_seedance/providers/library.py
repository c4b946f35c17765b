"""Uploads, asset libraries and reviews: what they are called here, free of any provider's spelling."""

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
"""Where material is reviewed: Jimmy AI's SP assets, its whitelist of real people, its Full (Manxue) audit (that one is
unconfirmed), and Anyfast's assets."""

_SCHEME = "asset://"


class AssetState(StrEnum):
    """The life of an asset or a portrait, in three words for all the providers' spellings."""

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
        asset_id: The provider's name for it; opaque.
        state: Where its review stands.
        reference: What a request cites (`asset://…`); there once it is `ACTIVE`, never before.
        provider_status: The status word as the provider spelled it; empty where it told none.
        error_code: Why the review failed, where told.
        error_message: Why the review failed, in the provider's words, where told.
        request_id: The provider's trace id, where told.
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
    """A file that a provider has taken and now serves to everybody.

    Attributes:
        url: Where it is served.
        bytes: Its length as the provider tells it, where told.
        request_id: The provider's trace id, where told.
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
    """How one provider's uploads and libraries are asked and understood, without doing any I/O.

    Every encoding method raises `InputError` for what this provider has no call for. Every reading method returns its
    typed result or raises a `SeedanceError`, whatever the bytes are.
    """

    @property
    def upload_lifetime(self) -> timedelta | None:
        """How long an uploaded file is served; None where there is no upload."""

    def asset_billing_model(self, library: Library, kind: MediaKind) -> str | None:
        """Return the name of the price line that one asset is billed under, or None where assets are free."""

    def upload_call(self, filename: str, mime_type: str, size: int) -> Call:
        """Encode the upload of one file of `size` bytes; the call's `file` says how the file is to be named."""

    def read_uploaded(self, answer: Answer) -> Uploaded:
        """Decode the answer to an upload."""

    def submit_asset_call(
        self, library: Library, *, name: str, kind: MediaKind, url: str, group: str | None = None
    ) -> Call:
        """Encode the handing in of one asset."""

    def read_submitted(
        self, answer: Answer, library: Library, *, refusal_codes: AbstractSet[str] = frozenset()
    ) -> AssetView:
        """Decode the answer to `submit_asset_call`.

        Raises:
            UnknownOutcome: If assets are billed here and the answer does not prove that none was made.
        """

    def asset_call(self, library: Library, asset_id: str) -> Call:
        """Encode the question how a review stands."""

    def read_asset(self, answer: Answer, library: Library, asset_id: str) -> AssetView:
        """Decode the answer to `asset_call`.

        Raises:
            NotFound: If the provider does not know the asset.
        """

    def create_group_call(self, name: str) -> Call:
        """Encode the making of a group of assets."""

    def read_group(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> str:
        """Decode the answer to `create_group_call` into the group's id, as strictly as a create."""

    def list_groups_call(self, name: str, *, page: int, group_type: str | None = None) -> Call:
        """Encode the question for groups whose name holds this text."""

    def read_groups(self, answer: Answer) -> tuple[NamedId, ...]:
        """Decode one page of groups; an empty one is the last."""

    def list_assets_call(self, name: str, group: str, *, page: int, group_type: str | None = None) -> Call:
        """Encode the question for assets of a group whose name holds this text."""

    def read_assets(self, answer: Answer) -> tuple[tuple[str, AssetView], ...]:
        """Decode one page of assets, each with its name; an empty one is the last."""


def reference_of(asset_id: str, cited: object = None) -> str:
    """Return what a request cites: the provider's own word where it gave a usable one, else made from the id.

    Both may come with or without `asset://`, in any case; older pages write `Asset://`.
    """
    return _SCHEME + (_bare(cited) or _bare(asset_id) or asset_id)


def _bare(value: object) -> str | None:
    text = reading.identifier(value)
    if text is not None and text.lower().startswith(_SCHEME):
        text = reading.identifier(text[len(_SCHEME) :])
    return text
