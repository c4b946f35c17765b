"""Jimmy AI's audit of material for its Full (Manxue) routes. **A guess**: only the two paths are documented.

The bodies are those of a reseller's product of the same name: lists of URLs in, `items` with `assetId` and `status`
out. The real service may differ.
"""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from prefect_seedance.sandbox.jimmy import api
from prefect_seedance.sandbox.jimmy.assets import add_asset, endpoint, find_asset, text_of
from prefect_seedance.sandbox.world.assets import Asset
from prefect_seedance.sandbox.world.draft import Refusal
from prefect_seedance.sandbox.world.reference import References

_FIELDS = {"imageUrls": "image", "videoUrls": "video", "audioUrls": "audio"}
_STATUS = {"Processing": "processing", "Active": "active", "Failed": "failed"}


def _urls(body: dict[str, Any]) -> list[tuple[str, str]]:
    listed: list[tuple[str, str]] = []
    for field, value in body.items():
        if field not in _FIELDS or not isinstance(value, list) or not all(isinstance(url, str) for url in value):
            raise Refusal(field, f"must be one of {', '.join(_FIELDS)}, and a list of URLs")
        listed += [(_FIELDS[field], url) for url in value]
    if not listed:
        raise Refusal("imageUrls", "at least one URL is required")
    return listed


def _item(asset: Asset, status: str) -> dict[str, Any]:
    item = {"assetType": asset.kind.capitalize(), "originalUrl": asset.url, "assetId": asset.id, "status": status}
    return {**item, "failReason": "the asset did not pass the audit"} if status == "failed" else item


def _audit(references: References, body: dict[str, Any]) -> dict[str, Any]:
    items, refused = [], []
    for kind, url in _urls(body):
        if url.startswith(("https://", "http://")):
            items.append(_item(add_asset(references, "audit", name=url, kind=kind, url=url), "submitted"))
        else:
            refused.append({"originalUrl": url[:200], "reason": "not a public URL"})
    return {"items": items, "failedItems": refused}


def _status(references: References, body: dict[str, Any]) -> dict[str, Any]:
    asset = find_asset(references, "audit", text_of(body, "assetId"))
    return _item(asset, _STATUS[asset.review(references.state.now())])


ROUTES = [
    Route(f"{api.ROOT}/seedance/assets/audit", endpoint("assets.audit", _audit, makes=True), methods=["POST"]),
    Route(f"{api.ROOT}/seedance/assets/status", endpoint("assets.audit.status", _status, makes=False), methods=["GET"]),
]
