"""Anyfast's asset management (`/volc/asset/*`): groups, and assets that are reviewed and then used as `asset://`.

Sources: the provider's guide and API pages `volc-asset*`; the list calls and the form of some errors are known from
client code only. Creating a group or an asset is billed per request, so it is judged as strictly as a create.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, ClassVar

from prefect_seedance.errors import DuplicateName, InputError, Refused, SeedanceError
from prefect_seedance.messages import message
from prefect_seedance.providers import reading
from prefect_seedance.providers.answers import Answer, Call
from prefect_seedance.providers.anyfast.records import field_of, id_of, read_items, read_record, view_of
from prefect_seedance.providers.error_body import ErrorBody
from prefect_seedance.providers.library import (
    AssetView,
    Library,
    NamedId,
    Uploaded,
)
from prefect_seedance.providers.outcome import create_error, library_error
from prefect_seedance.routes.facts import MediaKind

PAGE_SIZE = 100

_ASSETS = "/volc/asset"
_MODELS: dict[MediaKind, str] = {"image": "volc-asset", "video": "volc-asset-video", "audio": "volc-asset-audio"}
_DUPLICATE = re.compile(
    r"duplicat|already (?:exists?|used|taken|in use)|(?<!not )(?<!n't )\bexists? in\b|重名|重复|已存在|已被使用",
    re.IGNORECASE,
)
_MADE_IN_TEXT = re.compile(r"\b(?:asset|group)-[A-Za-z0-9][\w-]{5,}")


class AnyfastLibrary:
    """The part of Anyfast's dialect for assets. There is no upload of files."""

    upload_lifetime: ClassVar[timedelta | None] = None

    def asset_billing_model(self, library: Library, kind: MediaKind) -> str | None:
        """Return the price line of one asset; a group is billed under `volc-asset` too."""
        return _MODELS[kind] if library == "volc" else None

    def upload_call(self, filename: str, mime_type: str, size: int) -> Call:  # noqa: ARG002
        """Refuse: there is no upload here."""
        raise InputError(message("provider.no_upload", file=filename, provider="Anyfast"), provider="anyfast")

    def read_uploaded(self, answer: Answer) -> Uploaded:
        """Refuse: there is no upload here."""
        raise library_error("anyfast", answer, None)

    def submit_asset_call(
        self, library: Library, *, name: str, kind: MediaKind, url: str, group: str | None = None
    ) -> Call:
        """Encode the creation of an asset. Local bytes are sent as JSON too: assets created by a form did not resolve.

        Args:
            library: `volc`.
            name: Its name, unique in the group.
            kind: The kind of media; it decides the price line.
            url: A public URL, or a data URI.
            group: The group's id.

        Raises:
            InputError: If Anyfast does not accept the library, the group or the URL.
        """
        _check_library(library)
        if not group:
            raise InputError(message("provider.asset_without_group", provider="Anyfast"), provider="anyfast")
        if reading.link(url) is None and not url.startswith("data:"):
            text = message("provider.asset_url", url=reading.presentable(url, 60), provider="Anyfast")
            raise InputError(text, provider="anyfast")
        body = {"model": _MODELS[kind], "GroupId": group, "Name": name, "AssetType": kind.capitalize(), "URL": url}
        return Call("POST", f"{_ASSETS}/CreateAsset", body)

    def read_submitted(
        self, answer: Answer, library: Library, *, refusal_codes: AbstractSet[str] = frozenset()
    ) -> AssetView:
        """Decode the answer to `submit_asset_call`; see `LibraryDialect`.

        Raises:
            DuplicateName: If the group already has an asset of this name; `find_asset` returns it.
        """
        _check_library(library)
        body, record, error_body = read_record(answer)
        asset_id = _made(answer, record, error_body)
        if asset_id is None:
            raise _create_error(answer, body, record, error_body, "asset", refusal_codes)
        return view_of(answer, record, body, asset_id)

    def asset_call(self, library: Library, asset_id: str) -> Call:
        """Encode the query of a review."""
        _check_library(library)
        return Call("POST", f"{_ASSETS}/GetAsset", {"Id": asset_id})

    def read_asset(self, answer: Answer, library: Library, asset_id: str) -> AssetView:
        """Decode the answer to `asset_call`; see `LibraryDialect`.

        For about 20 seconds after its creation, an asset may be unknown (`NotFound`); one that stays unknown was not
        accepted.
        """
        _check_library(library)
        body, record, error_body = read_record(answer)
        fine = 200 <= answer.status < 300
        if not fine or error_body is not None or field_of(record, "status") is None:
            raise library_error("anyfast", answer, error_body, about_asset=True)
        return view_of(answer, record, body, asset_id)

    def create_group_call(self, name: str) -> Call:
        """Encode the creation of a group."""
        return Call("POST", f"{_ASSETS}/CreateAssetGroup", {"model": "volc-asset", "Name": name})

    def read_group(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> str:
        """Decode the answer to `create_group_call`; see `LibraryDialect`."""
        body, record, error_body = read_record(answer)
        group = _made(answer, record, error_body)
        if group is None:
            raise _create_error(answer, body, record, error_body, "group", refusal_codes)
        return group

    def list_groups_call(self, name: str, *, page: int, group_type: str | None = None) -> Call:
        """Encode the query for groups.

        Callers leave `group_type` out at first: some servers require it, but others find nothing with it.
        """
        return _list_call("ListAssetGroups", {"Name": name}, page, group_type)

    def read_groups(self, answer: Answer) -> tuple[NamedId, ...]:
        """Decode one page of groups, with the names that the user gave them."""
        named = ((_own_name(field_of(item, "name") or ""), id_of(item)) for item in read_items(answer))
        return tuple(NamedId(name, group) for name, group in named if group is not None)

    def list_assets_call(self, name: str, group: str, *, page: int, group_type: str | None = None) -> Call:
        """Encode the query for assets of a group; for `group_type` see `list_groups_call`."""
        return _list_call("ListAssets", {"Name": name, "GroupIds": [group]}, page, group_type)

    def read_assets(self, answer: Answer) -> tuple[tuple[str, AssetView], ...]:
        """Decode one page of assets, each with its name."""
        found = ((item, id_of(item)) for item in read_items(answer))
        return tuple(
            (field_of(item, "name") or "", view_of(answer, item, {}, asset_id))
            for item, asset_id in found
            if asset_id is not None
        )


def _check_library(library: Library) -> None:
    if library != "volc":
        text = message("provider.no_library", provider="Anyfast", library=library, libraries=["volc"])
        raise InputError(text, provider="anyfast")


def _list_call(call: str, wanted: dict[str, Any], page: int, group_type: str | None) -> Call:
    kind = {"GroupType": group_type} if group_type else {}
    body = {"model": "volc-asset", "Filter": wanted | kind, "PageNumber": page, "PageSize": PAGE_SIZE}
    return Call("POST", f"{_ASSETS}/{call}", body)


def _create_error(
    answer: Answer,
    body: Mapping[str, Any],
    record: Mapping[str, Any],
    error_body: ErrorBody | None,
    what: str,
    refusal_codes: AbstractSet[str],
) -> SeedanceError:
    """Judge an answer to a paid call; a duplicate name proves that nothing was made by it."""
    own = _own_words(error_body)
    duplicate = what == "asset" and _DUPLICATE.search(own) is not None
    named = None if duplicate else id_of(record) or id_of(body) or _named(_all_words(answer, error_body), what)
    jobs = () if named is None else (named,)
    path = f"{_ASSETS}/{'CreateAsset' if what == 'asset' else 'CreateAssetGroup'}"
    error = create_error("anyfast", answer, error_body, path=path, jobs=jobs, refusal_codes=refusal_codes, what=what)
    if duplicate and isinstance(error, Refused) and type(error) is Refused:
        return DuplicateName(
            message("provider.duplicate_name", refusal=error.text),
            provider=error.provider,
            code=error.code,
            request_id=error.request_id,
            http_status=error.http_status,
        )
    return error


def _own_words(error_body: ErrorBody | None) -> str:
    return " ".join((*error_body.codes, error_body.text))[:4000] if error_body else ""


def _all_words(answer: Answer, error_body: ErrorBody | None) -> str:
    """The error's words, or the whole body where it is no error; and where the headers point to."""
    words = _own_words(error_body) if error_body else answer.body.decode("utf-8", "replace")
    return " ".join((words, answer.header("location") or "", answer.header("content-location") or ""))


def _named(words: str, what: str) -> str | None:
    """Return the id of the created object in an error. The error of an asset may also name its group."""
    found = (match.group(0) for match in _MADE_IN_TEXT.finditer(words))
    return next((name for name in found if name.startswith(what)), None)


def _made(answer: Answer, record: Mapping[str, Any], error_body: ErrorBody | None) -> str | None:
    return id_of(record) if error_body is None and 200 <= answer.status < 300 else None


def _own_name(name: str) -> str:
    """Return a group's name without the prefix (`[u-…]-[t-…]`) that the gateway adds."""
    return re.sub(r"^(?:\[[ut]-[^\]]{0,80}\][-_ ]?)+", "", name)
