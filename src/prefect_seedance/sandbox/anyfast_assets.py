"""Anyfast's asset management (`/volc/asset/*`): groups, assets taken from a URL or a form, and their review."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox import anyfast
from prefect_seedance.sandbox.assets import Asset
from prefect_seedance.sandbox.calls import account_of, json_body, state_of
from prefect_seedance.sandbox.draft import Refusal
from prefect_seedance.sandbox.links import base_url
from prefect_seedance.sandbox.multipart import read_form
from prefect_seedance.sandbox.state import Account, State
from prefect_seedance.sandbox.uploads import KINDS

#: Which `model` pays for which kind of asset (asset guide); images are the default.
MODELS = {"Image": "volc-asset", "Video": "volc-asset-video", "Audio": "volc-asset-audio"}
Work = Callable[[State, Account, dict[str, Any]], dict[str, Any]]


class _NotFoundError(Exception):
    """An asset or group that is not there."""


def _endpoint(call: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        state = state_of(request)
        state.count(f"anyfast.{call}")
        account = account_of(request, "anyfast")
        if account is None:
            return anyfast.AnyfastVoice(state).bad_key()
        try:
            form = request.headers.get("content-type", "").startswith("multipart/")
            body = await _form_body(request, state) if form else await json_body(request)
            return JSONResponse(work(state, account, body))
        except Refusal as refusal:
            return anyfast.error(400, "invalid_request", str(refusal), "invalid_request_error")
        except _NotFoundError as error:
            return anyfast.error(404, "NotFound", str(error), "not_found")

    return endpoint


async def _form_body(request: Request, state: State) -> dict[str, Any]:
    """Turn the form of CreateAsset into its JSON form, whose URL is that of the kept file."""
    try:
        parts = {part.name: part for part in read_form(request.headers["content-type"], await request.body())}
    except ValueError as error:
        raise Refusal("body", str(error)) from None
    body: dict[str, Any] = {
        name: part.content.decode("utf-8", "replace") for name, part in parts.items() if name != "file"
    }
    file = parts.get("file")
    if file is None or not file.filename:
        raise Refusal("file", "is required")
    kept = state.uploads.add(file.filename, file.content_type, file.content)
    kind = KINDS.get("." + file.filename.rpartition(".")[2].lower(), "image").capitalize()
    return {"AssetType": kind, **body, "URL": f"{base_url(request, state)}/_uploads/{kept.id}/{file.filename}"}


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(field, "is required")
    return value


def _create_group(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    if body.get("model") != "volc-asset":
        raise Refusal("model", "must be volc-asset")
    return {"Id": state.assets.add_group(account.name, _text(body, "Name"))}


def _create_asset(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    group, name, kind, url = (_text(body, field) for field in ("GroupId", "Name", "AssetType", "URL"))
    if group not in state.assets.groups(account.name):
        raise _NotFoundError(f"[NotFound.group_id] {group}")
    if kind not in MODELS:
        raise Refusal("AssetType", f"must be one of {', '.join(MODELS)}")
    if body.get("model", "volc-asset") != MODELS[kind]:
        raise Refusal("model", f"must be {MODELS[kind]} for {kind}")
    if state.assets.select(lambda asset: (asset.group, asset.name) == (group, name)):
        raise _NotFoundError(f"an asset named {name!r} exists in {group}")
    return {"Id": state.assets.add("anyfast", account.name, name=name, kind=kind, url=url, group=group).id}


def _shown(state: State, asset: Asset) -> dict[str, Any]:
    now = state.now()
    review = asset.review(now)
    times = (asset.created_at, min(now, asset.created_at + asset.review_seconds))
    made, updated = (datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for moment in times)
    shown: dict[str, Any] = {
        "Id": asset.id,
        "Name": asset.name,
        "URL": asset.url,
        "AssetType": asset.kind.capitalize(),
        "GroupId": asset.group,
        "Status": review,
        "ProjectName": "default",
        "CreateTime": made,
        "UpdateTime": updated,
    }
    error = {"Code": "InvalidAsset", "Message": "the asset did not pass the review"}
    return {**shown, "Error": error} if review == "Failed" else shown


def _get_asset(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    name = _text(body, "Id")
    asset = state.assets.get(name, account.name)
    if asset is None:
        raise _NotFoundError(f"[NotFound.asset_id] {name}")
    return _shown(state, asset)


def _page(body: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    number, size = body.get("PageNumber", 1), body.get("PageSize", 10)
    if type(number) is not int or type(size) is not int or number < 1 or not 1 <= size <= 100:
        raise Refusal("PageNumber", "must be an integer from 1, and PageSize one from 1 to 100")
    start = (number - 1) * size
    return {"PageNumber": number, "PageSize": size, "TotalCount": len(items), "Items": items[start : start + size]}


def _filter(body: dict[str, Any]) -> tuple[str, list[Any]]:
    wanted = body.get("Filter") or {}
    name, groups = (wanted.get("Name", ""), wanted.get("GroupIds", [])) if isinstance(wanted, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(groups, list):
        raise Refusal("Filter", 'must be like {"Name": text, "GroupIds": [text]}')
    return name, groups


def _list_assets(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    name, groups = _filter(body)
    found = state.assets.select(
        lambda asset: asset.account == account.name and name in asset.name and (not groups or asset.group in groups)
    )
    return _page(body, [_shown(state, asset) for asset in found])


def _list_groups(state: State, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    name, _ = _filter(body)
    groups = state.assets.groups(account.name)
    return _page(body, [{"Id": key, "Name": title} for key, title in groups.items() if name in title])


_WORK: dict[str, Work] = {
    "CreateAssetGroup": _create_group,
    "CreateAsset": _create_asset,
    "GetAsset": _get_asset,
    "ListAssets": _list_assets,
    "ListAssetGroups": _list_groups,
}
ROUTES = [Route(f"/volc/asset/{name}", _endpoint(name, work), methods=["POST"]) for name, work in _WORK.items()]
