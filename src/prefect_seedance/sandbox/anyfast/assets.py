"""Anyfast's asset management (`/volc/asset/*`): groups, assets from a URL or a form, and their review."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from prefect_seedance.sandbox.anyfast import api
from prefect_seedance.sandbox.anyfast.inline import stored_url
from prefect_seedance.sandbox.http.calls import account_of, json_body, state_of, submit
from prefect_seedance.sandbox.http.links import base_url
from prefect_seedance.sandbox.http.multipart import read_form
from prefect_seedance.sandbox.media.limits import check_medium
from prefect_seedance.sandbox.world.assets import GROUP_MODEL, Asset
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.prices import asset_charge
from prefect_seedance.sandbox.world.reference import References
from prefect_seedance.sandbox.world.state import State
from prefect_seedance.sandbox.world.uploads import KINDS

#: The `model` of each kind of asset (asset guide); images are the default.
MODELS = {"Image": "volc-asset", "Video": "volc-asset-video", "Audio": "volc-asset-audio"}
#: The work of one call, from the account's references, the body, and the body's hash.
Work = Callable[[References, dict[str, Any], str], dict[str, Any]]
_MAKERS = frozenset(("CreateAssetGroup", "CreateAsset"))


class _NotFoundError(Exception):
    """An unknown asset or group."""


class _NoFundsError(Exception):
    """The account cannot pay for an asset."""


def _endpoint(call: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        state = state_of(request)
        state.count(f"anyfast.{call}")
        replies = api.AnyfastReplies(state)
        account = account_of(request, "anyfast")
        if account is None:
            return replies.bad_key()
        references = References(state, account, request.url.netloc)
        try:
            form = request.headers.get("content-type", "").startswith("multipart/")
            body = await _form_body(request, state) if form else await json_body(request)
        except Refusal as refusal:
            return replies.refused(refusal)
        if call not in _MAKERS:
            return _answer(replies, lambda: work(references, body, ""))
        state.count(f"anyfast.{call}.bytes", len(await request.body()))
        return await submit(
            request, replies, call, body, lambda sha256: _answer(replies, lambda: work(references, body, sha256))
        )

    return endpoint


def _answer(replies: api.AnyfastReplies, work: Callable[[], dict[str, Any]]) -> Response:
    try:
        return JSONResponse(work())
    except Refusal as refusal:
        return replies.refused(refusal)
    except _NoFundsError:
        return replies.out_of_funds()
    except _NotFoundError as error:
        return api.error(404, "NotFound", str(error), "not_found")


async def _form_body(request: Request, state: State) -> dict[str, Any]:
    """Turn a form of CreateAsset into its JSON body, with the URL of the stored file."""
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
    kept = state.uploads.add(file.filename, file.content_type, file.content, permanent=True)
    kind = KINDS.get("." + file.filename.rpartition(".")[2].lower(), "image").capitalize()
    return {"AssetType": kind, **body, "URL": f"{base_url(request, state)}/_uploads/{kept.id}/{file.filename}"}


def _text(body: dict[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(field, "is required")
    return value


def _create_group(references: References, body: dict[str, Any], sha256: str) -> dict[str, Any]:
    if body.get("model") != "volc-asset":
        raise Refusal("model", "must be volc-asset")
    name, account = _text(body, "Name"), references.account
    _check_funds(references, GROUP_MODEL)
    group = references.state.assets.add_group(account.name, name, key_tail=account.key_tail, request_sha256=sha256)
    return {"Id": group}


def _check_funds(references: References, billing_model: str) -> None:
    settings = references.state.settings
    price = asset_charge(billing_model, prices=settings.prices).amount
    if settings.funds is not None and references.state.spent(references.account.name) + price > settings.funds:
        raise _NoFundsError


def _create_asset(references: References, body: dict[str, Any], sha256: str) -> dict[str, Any]:
    state, account = references.state, references.account
    group, name, kind, url = (_text(body, field) for field in ("GroupId", "Name", "AssetType", "URL"))
    if group not in state.assets.groups(account.name):
        raise _NotFoundError(f"[NotFound.group_id] {group}")
    if kind not in MODELS:
        raise Refusal("AssetType", f"must be one of {', '.join(MODELS)}")
    if body.get("model", "volc-asset") != MODELS[kind]:
        raise Refusal("model", f"must be {MODELS[kind]} for {kind}")
    if state.assets.select(lambda asset: (asset.group, asset.name) == (group, name)):
        raise _NotFoundError(f"an asset named {name!r} exists in {group}")
    url = stored_url(references, kind, url)
    fails = _is_unfit(references, kind.lower(), url)
    _check_funds(references, MODELS[kind])
    asset = state.assets.add(
        "anyfast",
        account.name,
        name=name,
        kind=kind,
        url=url,
        group=group,
        fails=fails,
        billing_model=MODELS[kind],
        key_tail=account.key_tail,
        request_sha256=sha256,
    )
    return {"Id": asset.id}


def _is_unfit(references: References, kind: str, url: str) -> bool:
    """Return whether an asset's review will fail: one outside the limits is accepted at first (observed live)."""
    facts = references.facts(url)
    if facts is None or references.is_lost(url):
        return references.is_lost(url)
    try:
        check_medium("URL", f"{kind}_url", facts)
    except Refusal:
        return True
    return False


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


def _get_asset(references: References, body: dict[str, Any], _: str) -> dict[str, Any]:
    state, account = references.state, references.account
    name = _text(body, "Id")
    asset = state.assets.get(name, account.name)
    absent = state.faults.asset_absent_seconds
    if asset is None or asset.library != "anyfast" or (absent and state.now() < asset.created_at + absent):
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


def _listed_before(state: State) -> float:
    """Return the time (Unix seconds) before which an asset or group must have been made to be listed."""
    absent = state.faults.asset_list_absent_seconds
    return state.now() - absent if absent else math.inf


def _list_assets(references: References, body: dict[str, Any], _: str) -> dict[str, Any]:
    state, account = references.state, references.account
    name, groups = _filter(body)
    seen = _listed_before(state)
    found = state.assets.select(
        lambda asset: (
            (asset.library, asset.account) == ("anyfast", account.name)
            and name in asset.name
            and asset.created_at < seen
            and (not groups or asset.group in groups)
        )
    )
    return _page(body, [_shown(state, asset) for asset in found])


def _list_groups(references: References, body: dict[str, Any], _: str) -> dict[str, Any]:
    name, account = _filter(body)[0], references.account
    # The gateway prefixes every name with the user and the token (asset guide).
    shown = {
        key: f"[u-{account.name}]-[t-{account.key_tail}]-{title}"
        for key, title in references.state.assets.groups(
            account.name, made_before=_listed_before(references.state)
        ).items()
    }
    return _page(body, [{"Id": key, "Name": title} for key, title in shown.items() if name in title])


_WORK: dict[str, Work] = {
    "CreateAssetGroup": _create_group,
    "CreateAsset": _create_asset,
    "GetAsset": _get_asset,
    "ListAssets": _list_assets,
    "ListAssetGroups": _list_groups,
}
ROUTES = [Route(f"/volc/asset/{name}", _endpoint(name, work), methods=["POST"]) for name, work in _WORK.items()]
