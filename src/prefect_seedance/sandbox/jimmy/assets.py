"""Jimmy AI's SP asset library and its whitelist of real people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from prefect_seedance.sandbox.http.calls import account_of, json_body, state_of, submit
from prefect_seedance.sandbox.jimmy import api
from prefect_seedance.sandbox.world.assets import Asset, Library
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.state import State

KINDS = ("image", "video", "audio", "text")
Work = Callable[[References, dict[str, Any]], dict[str, Any]]


def endpoint(call: str, work: Work, *, makes: bool) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of one call; a call that creates an asset has the faults of the point `asset`."""

    async def answer(request: Request) -> Response:
        state = state_of(request)
        state.count(f"jimmy.{call}")
        replies = api.JimmyReplies(state)
        account = account_of(request, "jimmy")
        if account is None:
            return replies.bad_key()
        try:
            body = dict(request.query_params) if request.method == "GET" else await json_body(request)
            references = References(state, account, request.url.netloc)
            if not makes:
                return api.success(state, "asset", work(references, body))
            return await submit(
                request, replies, call, body, lambda _: api.success(state, "asset", work(references, body))
            )
        except Refusal as refusal:
            return replies.refused(refusal)

    return answer


def text_of(body: dict[str, Any], field: str) -> str:
    """Return a required text.

    Raises:
        Refusal: It is missing or empty.
    """
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(field, "is required")
    return value


def _public_url(body: dict[str, Any]) -> str:
    url = text_of(body, "url")
    if not url.startswith(("https://", "http://")):
        raise Refusal("url", "must be a public URL")
    return url


def find_asset(references: References, library: Library, name: object) -> Asset:
    """Return an asset of the account in a library.

    Raises:
        Refusal: There is none.
    """
    asset = references.state.assets.get(str(name), references.account.name)
    if asset is None or asset.library != library:
        raise Refusal("asset_id", f"asset {name} not found")
    return asset


def _listed(references: References, library: Library, body: dict[str, Any]) -> list[Asset]:
    names = body.get("asset_ids")
    if not isinstance(names, list) or not names:
        raise Refusal("asset_ids", "must be a list of texts")
    return [find_asset(references, library, name) for name in names]


def add_asset(references: References, library: Library, *, name: str, kind: str, url: str) -> Asset:
    """Add an asset. Its review fails if it cannot be fetched or is of another kind."""
    facts = references.facts(url)
    fails = references.is_lost(url) or (facts is not None and facts.kind != kind)
    return references.state.assets.add(library, references.account.name, name=name, kind=kind, url=url, fails=fails)


def _created_at(asset: Asset) -> str:
    return datetime.fromtimestamp(asset.created_at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _shown(state: State, asset: Asset) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "asset_id": asset.id,
        "official_id": "official_" + asset.id.removeprefix("asset_"),
        "status": asset.review(state.now()),
        "name": asset.name,
        "created_at": _created_at(asset),
    }
    return {**shown, "image_url": asset.url} if asset.kind == "image" else shown


def _portrait(state: State, asset: Asset) -> dict[str, Any]:
    review = asset.review(state.now())
    return {
        "asset_id": asset.id,
        "official_id": asset.id,
        "status": review,
        "asset_ref": f"asset://{asset.id}" if review == "Active" else None,
        "name": asset.name,
        "url": asset.url,
        "created_at": _created_at(asset),
    }


def _upload(references: References, body: dict[str, Any]) -> dict[str, Any]:
    kind = text_of(body, "type")
    if kind not in KINDS:
        raise Refusal("type", f"must be one of {', '.join(KINDS)}")
    asset = add_asset(references, "sp", name=text_of(body, "name"), kind=kind, url=_public_url(body))
    return {"asset_id": asset.id}


def _detail(references: References, body: dict[str, Any]) -> dict[str, Any]:
    return _shown(references.state, find_asset(references, "sp", text_of(body, "asset_id")))


def _status(references: References, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [_shown(references.state, asset) for asset in _listed(references, "sp", body)]}


def _submit(references: References, body: dict[str, Any]) -> dict[str, Any]:
    asset = add_asset(references, "person", name=text_of(body, "name"), kind="image", url=_public_url(body))
    return _portrait(references.state, asset)


def _portrait_status(references: References, body: dict[str, Any]) -> dict[str, Any]:
    return _portrait(references.state, find_asset(references, "person", text_of(body, "asset_id")))


def _portraits(references: References, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [_portrait(references.state, asset) for asset in _listed(references, "person", body)]}


_WORK: dict[str, Work] = {
    "assets/upload": _upload,
    "assets/detail": _detail,
    "assets/status": _status,
    "realperson/submit": _submit,
    "realperson/status": _portrait_status,
    "realperson/batch-status": _portraits,
}
_MAKERS = {"assets/upload", "realperson/submit"}
ROUTES = [
    Route(
        f"{api.ROOT}/seedance/sp/{path}",
        endpoint(path.replace("/", "."), work, makes=path in _MAKERS),
        methods=["POST"],
    )
    for path, work in _WORK.items()
]
