"""Jimmy AI's SP asset library and its whitelist of real people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from prefect_seedance.sandbox import jimmy
from prefect_seedance.sandbox.assets import Asset, Library
from prefect_seedance.sandbox.calls import account_of, json_body, state_of
from prefect_seedance.sandbox.draft import Refusal
from prefect_seedance.sandbox.state import Account, State

KINDS = ("image", "video", "audio", "text")
Work = Callable[[State, Account, dict[str, Any]], dict[str, Any]]


def _endpoint(call: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        state = state_of(request)
        state.count(f"jimmy.{call}")
        account = account_of(request, "jimmy")
        if account is None:
            return jimmy.JimmyVoice(state).bad_key()
        try:
            return jimmy.success(state, "asset", work(state, account, await json_body(request)))
        except Refusal as refusal:
            return jimmy.JimmyVoice(state).refused(refusal)

    return endpoint


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(field, "is required")
    return value


def _public_url(body: dict[str, Any]) -> str:
    url = _text(body, "url")
    if not url.startswith(("https://", "http://")):
        raise Refusal("url", "must be a public URL")
    return url


def _found(state: State, account: Account, library: Library, name: object) -> Asset:
    asset = state.assets.get(str(name), account.name)
    if asset is None or asset.library != library:
        raise Refusal("asset_id", f"asset {name} not found")
    return asset


def _listed(state: State, account: Account, library: Library, body: dict[str, Any]) -> list[Asset]:
    names = body.get("asset_ids")
    if not isinstance(names, list) or not names:
        raise Refusal("asset_ids", "must be a list of texts")
    return [_found(state, account, library, name) for name in names]


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


def _upload(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    kind = _text(body, "type")
    if kind not in KINDS:
        raise Refusal("type", f"must be one of {', '.join(KINDS)}")
    asset = state.assets.add("sp", account.name, name=_text(body, "name"), kind=kind, url=_public_url(body))
    return {"asset_id": asset.id}


def _detail(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    return _shown(state, _found(state, account, "sp", _text(body, "asset_id")))


def _status(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [_shown(state, asset) for asset in _listed(state, account, "sp", body)]}


def _submit(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    asset = state.assets.add("person", account.name, name=_text(body, "name"), kind="image", url=_public_url(body))
    return _portrait(state, asset)


def _portrait_status(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    return _portrait(state, _found(state, account, "person", _text(body, "asset_id")))


def _portraits(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [_portrait(state, asset) for asset in _listed(state, account, "person", body)]}


_WORK: dict[str, Work] = {
    "assets/upload": _upload,
    "assets/detail": _detail,
    "assets/status": _status,
    "realperson/submit": _submit,
    "realperson/status": _portrait_status,
    "realperson/batch-status": _portraits,
}
ROUTES = [
    Route(f"{jimmy.ROOT}/seedance/sp/{path}", _endpoint(path.replace("/", "."), work), methods=["POST"])
    for path, work in _WORK.items()
]
