"""Jimmy AI's file upload, SP asset library, whitelist of real people, and the audit of its Full (Manxue) routes.

Sources: the provider's pages `common/files-upload`, `seedance/sp/assets-*` and `seedance/sp/realperson-*`. Of the audit
only the paths are known: its bodies here are those of a reseller's product of the same name. **Unconfirmed**: callers
use it only where the user has allowed experiments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from pathlib import PurePath
from typing import Any, ClassVar
from urllib.parse import quote

from prefect_seedance.errors import InputError, Refused
from prefect_seedance.messages import message
from prefect_seedance.providers import reading
from prefect_seedance.providers.answers import Answer, Call, FilePart
from prefect_seedance.providers.jimmy.envelope import API, error_body_of, unwrapped
from prefect_seedance.providers.library import (
    AssetState,
    AssetView,
    Library,
    NamedId,
    Uploaded,
    reference_of,
)
from prefect_seedance.providers.outcome import library_error
from prefect_seedance.routes.facts import MediaKind

MAX_UPLOAD = 100 * 2**20
"""The largest file that may be uploaded, in bytes (upload page: 100 MB)."""

UPLOAD_ENDINGS = frozenset(
    (
        *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".svg"),
        *(".mp4", ".mov", ".avi", ".webm", ".mkv", ".m4v", ".flv"),
        *(".mp3", ".wav", ".aac", ".m4a", ".flac", ".ogg"),
    )
)
"""The file name extensions that may be uploaded (upload page)."""

_NAME = "Jimmy AI"
_PATHS = {"sp": "sp/assets/upload", "portrait": "sp/realperson/submit", "audit": "assets/audit"}
_VIEWS = {"sp": "sp/assets/detail", "portrait": "sp/realperson/status"}
_STATES = {"active": AssetState.ACTIVE, "failed": AssetState.FAILED}
# The status words of the audit are not documented: the usual ones count, any other means "still in review".
_AUDIT_STATES = _STATES | {
    **dict.fromkeys(("success", "succeeded", "approved", "passed", "pass", "completed"), AssetState.ACTIVE),
    **dict.fromkeys(("rejected", "refused", "failure", "error"), AssetState.FAILED),
}
_REASONS = ("error_message", "errorMessage", "error_msg", "reason", "fail_reason", "failReason", "message")


class JimmyLibrary:
    """The part of Jimmy AI's dialect for uploads and assets. All of these calls are free."""

    upload_lifetime: ClassVar[timedelta | None] = timedelta(days=3)  # not on the upload page; from other sources

    def asset_billing_model(self, library: Library, kind: MediaKind) -> str | None:  # noqa: ARG002
        """Return None: the documents name no price for uploads, assets or reviews."""
        return None

    def upload_call(self, filename: str, mime_type: str, size: int) -> Call:
        """Encode an upload.

        Raises:
            InputError: If the file is empty, too large, or of a type that the upload page does not list.
        """
        if PurePath(filename).suffix.lower() not in UPLOAD_ENDINGS:
            endings = sorted(UPLOAD_ENDINGS)
            text = message("provider.upload_ending", file=filename, provider=_NAME, endings=endings)
            raise InputError(text, provider="jimmy")
        if not 0 < size <= MAX_UPLOAD:
            text = message("provider.upload_size", file=filename, provider=_NAME, size=size, limit=MAX_UPLOAD)
            raise InputError(text, provider="jimmy")
        if "\r" in mime_type or "\n" in mime_type or not mime_type.isascii():
            raise InputError(message("provider.mime_type", type=mime_type), provider="jimmy")
        return Call("POST", f"{API}/files/upload", file=FilePart("file", filename, mime_type))

    def read_uploaded(self, answer: Answer) -> Uploaded:
        """Decode the answer to an upload; see `LibraryDialect`."""
        data, body = _success(answer)
        url = reading.link(data.get("url"))
        if url is None:
            raise library_error("jimmy", answer, None)
        return Uploaded(url, reading.count(data.get("size")), reading.request_id(answer, data, body))

    def submit_asset_call(
        self, library: Library, *, name: str, kind: MediaKind, url: str, group: str | None = None
    ) -> Call:
        """Encode the submission of an asset. There are no groups here.

        Raises:
            InputError: If the provider could not fetch the URL, or the library does not accept this.
        """
        if library not in _PATHS:
            raise _no_library(library)
        if group is not None:
            raise _no_groups()
        if reading.link(url) is None:
            text = message("provider.asset_not_public", url=reading.presentable(url, 60), provider=_NAME)
            raise InputError(text, provider="jimmy")
        if library == "portrait" and kind != "image":
            raise InputError(message("provider.portrait_kind", kind=kind), provider="jimmy")
        bodies: dict[str, dict[str, Any]] = {
            "sp": {"name": name, "type": kind, "url": url},
            "portrait": {"name": name, "url": url},
            "audit": {f"{kind}Urls": [url]},
        }
        return Call("POST", f"{API}/seedance/{_PATHS[library]}", bodies[library])

    def read_submitted(
        self,
        answer: Answer,
        library: Library,
        *,
        refusal_codes: AbstractSet[str] = frozenset(),  # noqa: ARG002  it is free, so nothing must be proven
    ) -> AssetView:
        """Decode the answer to `submit_asset_call`; see `LibraryDialect`."""
        data, body = _success(answer)
        return _view(answer, library, _item(data, None), body)

    def asset_call(self, library: Library, asset_id: str) -> Call:
        """Encode the query of a review; that of the audit is a guess."""
        if library == "audit":
            return Call("GET", f"{API}/seedance/assets/status?assetId={quote(asset_id, safe='')}")
        if library not in _VIEWS:
            raise _no_library(library)
        return Call("POST", f"{API}/seedance/{_VIEWS[library]}", {"asset_id": asset_id})

    def read_asset(self, answer: Answer, library: Library, asset_id: str) -> AssetView:
        """Decode the answer to `asset_call`; see `LibraryDialect`."""
        data, body = _success(answer, about_asset=True)
        item = _item(data, asset_id)
        if reading.first(("status",), item) is None:
            raise library_error("jimmy", answer, None)
        return _view(answer, library, item, body, asked=asset_id)

    def create_group_call(self, name: str) -> Call:  # noqa: ARG002
        """Refuse: there are no groups here."""
        raise _no_groups()

    def read_group(self, answer: Answer, *, refusal_codes: AbstractSet[str] = frozenset()) -> str:  # noqa: ARG002
        """Refuse: there are no groups here."""
        raise _no_groups()

    def list_groups_call(self, name: str, *, page: int, group_type: str | None = None) -> Call:  # noqa: ARG002
        """Refuse: there are no groups here."""
        raise _no_groups()

    def read_groups(self, answer: Answer) -> tuple[NamedId, ...]:  # noqa: ARG002
        """Refuse: there are no groups here."""
        raise _no_groups()

    def list_assets_call(self, name: str, group: str, *, page: int, group_type: str | None = None) -> Call:  # noqa: ARG002
        """Refuse: no page documents a list of assets."""
        raise _no_list()

    def read_assets(self, answer: Answer) -> tuple[tuple[str, AssetView], ...]:  # noqa: ARG002
        """Refuse: no page documents a list of assets."""
        raise _no_list()


def _no_library(library: str) -> InputError:
    text = message("provider.no_library", provider=_NAME, library=library, libraries=list(_PATHS))
    return InputError(text, provider="jimmy")


def _no_groups() -> InputError:
    return InputError(message("provider.no_groups", provider=_NAME), provider="jimmy")


def _no_list() -> InputError:
    return InputError(message("provider.no_asset_list", provider=_NAME), provider="jimmy")


def _success(answer: Answer, *, about_asset: bool = False) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the fields and the whole body of a successful answer; raise for any other."""
    body = reading.read_object(answer.body)
    error_body = error_body_of(body)
    if body is None or error_body is not None or not 200 <= answer.status < 300:
        raise library_error("jimmy", answer, error_body, about_asset=about_asset)
    return unwrapped(body), body


def _item(data: Mapping[str, Any], asset_id: str | None) -> Mapping[str, Any]:
    """Return the record of one asset: the answer itself, or the matching one of its `items`."""
    items = data.get("items")
    if not isinstance(items, list):
        return data
    records = [item for item in items if isinstance(item, dict)]
    if asset_id is not None:
        records = [item for item in records if _id(item) == asset_id] or records[:1]
    if not records:
        _raise_failed(data.get("failedItems"))
    return records[0] if records else {}


def _raise_failed(items: object) -> None:
    """Raise for an item that an audit did not accept (a guess, as all of the audit)."""
    first: object = items[0] if isinstance(items, Sequence) and not isinstance(items, str) and items else None
    if first is None:
        return
    words = reading.first(_REASONS, first) if isinstance(first, dict) else reading.scalar(first)
    own = reading.presentable(words) if words else message("provider.without_words")
    text = message("provider.audit_refused", provider="jimmy", words=own)
    raise Refused(text, provider="jimmy", code="audit-not-taken")


def _id(item: Mapping[str, Any]) -> str | None:
    found = (reading.identifier(item.get(name)) for name in ("asset_id", "assetId"))
    return next((name for name in found if name is not None), None)


def _view(
    answer: Answer, library: Library, item: Mapping[str, Any], body: Mapping[str, Any], *, asked: str | None = None
) -> AssetView:
    asset_id = asked or _id(item)
    if asset_id is None:
        raise library_error("jimmy", answer, None)
    word = reading.first(("status",), item) or ""
    states = _AUDIT_STATES if library == "audit" else _STATES
    state = states.get(word.lower(), AssetState.REVIEWING)
    failed = state is AssetState.FAILED
    code = reading.first(("error_code", "errorCode"), item) if failed else None
    reason = reading.first(_REASONS, item) if failed else None
    cited = next((item[name] for name in ("asset_ref", "assetRef") if item.get(name)), None)
    return AssetView(
        asset_id=asset_id,
        state=state,
        reference=reference_of(asset_id, cited) if state is AssetState.ACTIVE else None,
        provider_status=reading.presentable(word, 60),
        error_code=reading.presentable(code, 120) if code else None,
        error_message=reading.presentable(reason) if reason else None,
        request_id=reading.request_id(answer, item, body),
    )
