"""What the dialects say and understand of uploads, assets and reviews, without a wire."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from prefect_seedance.errors import (
    AuthenticationError,
    DuplicateName,
    InputError,
    InsufficientFunds,
    InvalidResponse,
    NotFound,
    RateLimited,
    Refused,
    SeedanceError,
    UnknownOutcome,
)
from prefect_seedance.providers import Answer, AssetState, AssetView, Uploaded, dialect_of
from prefect_seedance.providers.library import NamedId, reference_of

JIMMY, ANYFAST = dialect_of("jimmy"), dialect_of("anyfast")
URL = "https://h/a.png"


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, headers, raw)


def error_of(read: Any, *args: Any, **kwargs: Any) -> SeedanceError:
    with pytest.raises(SeedanceError) as caught:
        read(*args, **kwargs)
    return caught.value


def test_what_costs_and_how_long_uploads_live() -> None:
    assert JIMMY.upload_lifetime == timedelta(days=3)
    assert ANYFAST.upload_lifetime is None
    assert {JIMMY.asset_billing_model(library, "image") for library in ("sp", "portrait", "audit")} == {None}
    names = [ANYFAST.asset_billing_model("volc", kind) for kind in ("image", "video", "audio")]
    assert names == ["volc-asset", "volc-asset-video", "volc-asset-audio"]


SP = "/api/open-api/v1/seedance"


@pytest.mark.parametrize(
    ("library", "kind", "path", "body"),
    [
        ("sp", "video", f"{SP}/sp/assets/upload", {"name": "猫", "type": "video", "url": URL}),
        ("portrait", "image", f"{SP}/sp/realperson/submit", {"name": "猫", "url": URL}),
        ("audit", "audio", f"{SP}/assets/audit", {"audioUrls": [URL]}),
    ],
)
def test_jimmy_hands_in(library: Any, kind: Any, path: str, body: dict[str, Any]) -> None:
    call = JIMMY.submit_asset_call(library, name="猫", kind=kind, url=URL)
    assert (call.method, call.path, call.json) == ("POST", path, body)


def test_jimmy_asks() -> None:
    assert JIMMY.asset_call("sp", "a").path == f"{SP}/sp/assets/detail"
    assert JIMMY.asset_call("portrait", "a").json == {"asset_id": "a"}
    audit = JIMMY.asset_call("audit", "a&b/../c")
    assert (audit.method, audit.path) == ("GET", f"{SP}/assets/status?assetId=a%26b%2F..%2Fc")


def test_anyfast_hands_in() -> None:
    call = ANYFAST.submit_asset_call("volc", name="猫", kind="video", url="data:video/mp4;base64,AA", group="group-1")
    assert call.path == "/volc/asset/CreateAsset"
    expected = {"model": "volc-asset-video", "GroupId": "group-1", "Name": "猫", "AssetType": "Video"}
    assert call.json == expected | {"URL": "data:video/mp4;base64,AA"}
    assert ANYFAST.asset_call("volc", "asset-1").json == {"Id": "asset-1"}
    listed = ANYFAST.list_assets_call("n", "g", page=2, group_type="AIGC").json
    assert listed is not None
    assert listed["Filter"] == {"Name": "n", "GroupIds": ["g"], "GroupType": "AIGC"}
    assert "GroupType" not in json.dumps(ANYFAST.list_groups_call("n", page=1).json)


@pytest.mark.parametrize(
    "call",
    [
        lambda: JIMMY.submit_asset_call("volc", name="n", kind="image", url=URL),
        lambda: JIMMY.submit_asset_call("sp", name="n", kind="image", url=URL, group="g"),
        lambda: JIMMY.submit_asset_call("sp", name="n", kind="image", url="data:image/png;base64,AA"),
        lambda: JIMMY.submit_asset_call("portrait", name="n", kind="video", url=URL),
        lambda: JIMMY.asset_call("volc", "a"),
        lambda: JIMMY.create_group_call("n"),
        lambda: JIMMY.list_groups_call("n", page=1),
        lambda: JIMMY.list_assets_call("n", "g", page=1),
        lambda: JIMMY.upload_call("a.exe", "x/y", 1),
        lambda: JIMMY.upload_call("a.png", "image/png", 0),
        lambda: JIMMY.upload_call("a.png", "image/png", 100 * 2**20 + 1),
        lambda: JIMMY.upload_call("a.png", "image/png\r\nX: y", 1),
        lambda: ANYFAST.upload_call("a.png", "image/png", 1),
        lambda: ANYFAST.submit_asset_call("sp", name="n", kind="image", url=URL, group="g"),
        lambda: ANYFAST.submit_asset_call("volc", name="n", kind="image", url=URL),
        lambda: ANYFAST.submit_asset_call("volc", name="n", kind="image", url="logo.png", group="g"),
        lambda: ANYFAST.asset_call("portrait", "a"),
    ],
)
def test_what_cannot_be_asked(call: Any) -> None:
    with pytest.raises(InputError):
        call()


@pytest.mark.parametrize("code", [0, "0", 20000, "20000", 200, None])
def test_uploads_in_every_envelope(code: Any) -> None:
    data = {"url": "https://cdn/a.jpg?sig=1", "filename": "a.jpg", "size": 102400, "mime_type": "image/jpeg"}
    body = data if code is None else {"code": code, "msg": "ok", "data": data}
    found = JIMMY.read_uploaded(answer(body, X_Request_Id="r"))
    assert (found.url, found.bytes) == ("https://cdn/a.jpg?sig=1", 102400)
    assert JIMMY.read_uploaded(answer({"url": "https://h/a"})) == Uploaded("https://h/a", None, None)


@pytest.mark.parametrize("word", ["Active", "ACTIVE", "active"])
@pytest.mark.parametrize(
    ("ref", "cited"),
    [
        ("asset://off-1", "asset://off-1"),
        ("Asset://off-1", "asset://off-1"),
        ("off-1", "asset://off-1"),
        (None, "asset://a1"),
        ("", "asset://a1"),
        ("not usable", "asset://a1"),
        ({"x": 1}, "asset://a1"),
        ("asset://", "asset://a1"),
    ],
)
def test_an_active_portrait_is_cited(word: str, ref: Any, cited: str) -> None:
    data = {"asset_id": "other", "status": word, "asset_ref": ref}
    for body in ({"code": 0, "data": data}, {"code": "20000", "data": {"items": [data]}}, data):
        view = JIMMY.read_asset(answer(body), "portrait", "a1")
        assert view == AssetView("a1", AssetState.ACTIVE, cited, word)


def test_references_have_one_scheme() -> None:
    assert reference_of("Asset://x") == reference_of("x") == reference_of("y", "asset://x") == "asset://x"


@pytest.mark.parametrize(
    ("library", "word", "state"),
    [
        ("sp", "Processing", AssetState.REVIEWING),
        ("sp", "processing", AssetState.REVIEWING),
        ("sp", "Success", AssetState.REVIEWING),  # not a word of its pages
        ("portrait", "FAILED", AssetState.FAILED),
        ("audit", "submitted", AssetState.REVIEWING),
        ("audit", "approved", AssetState.ACTIVE),
        ("audit", "Active", AssetState.ACTIVE),
        ("audit", "rejected", AssetState.FAILED),
    ],
)
def test_jimmys_words(library: Any, word: str, state: AssetState) -> None:
    view = JIMMY.read_asset(answer({"code": 0, "data": {"asset_id": "a", "status": word}}), library, "a")
    assert (view.state, view.reference is not None) == (state, state is AssetState.ACTIVE)


def test_jimmys_submissions() -> None:
    view = JIMMY.read_submitted(answer({"code": 0, "msg": "ok", "data": {"asset_id": "asset_abc123"}}), "sp")
    assert view == AssetView("asset_abc123", AssetState.REVIEWING, None, "")
    item = {"assetType": "Image", "originalUrl": URL, "assetId": "m1", "status": "submitted"}
    body = {"code": "0", "msg": None, "data": {"items": [item], "failedItems": []}}
    assert JIMMY.read_submitted(answer(body), "audit").asset_id == "m1"
    failed = {"code": "0", "data": {"items": [], "failedItems": [{"originalUrl": URL, "reason": "太大"}]}}
    assert "太大" in error_of(JIMMY.read_submitted, answer(failed), "audit").message
    many = {
        "code": 0,
        "data": {"items": [{"asset_id": "x", "status": "Failed"}, {"asset_id": "a", "status": "Active"}]},
    }
    assert JIMMY.read_asset(answer(many), "sp", "a").state is AssetState.ACTIVE


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"code": 20001, "msg": "no key"}, AuthenticationError),
        (401, b"", AuthenticationError),
        (200, {"code": 20002, "msg": "asset a not found"}, NotFound),
        (200, {"code": 20002, "msg": "素材 a 不存在"}, NotFound),
        (404, {"code": 20002, "msg": "no"}, NotFound),
        (200, {"code": 20002, "msg": "name is required"}, Refused),
        (200, {"code": 30002, "msg": "余额不足"}, InsufficientFunds),
        (429, b"", RateLimited),
        (200, {"code": -1, "msg": "busy"}, InvalidResponse),
        (500, {"code": 20002, "msg": "no"}, InvalidResponse),
        (409, {"code": 20002, "msg": "no"}, InvalidResponse),
        (404, b"<html>", InvalidResponse),
        (302, b"", InvalidResponse),
        (200, b"", InvalidResponse),
        (200, {"code": 0, "data": None}, InvalidResponse),
        (200, {"code": 0, "data": {"asset_id": "a"}}, InvalidResponse),
    ],
)
def test_jimmys_errors(status: int, body: Any, kind: type[SeedanceError]) -> None:
    assert type(error_of(JIMMY.read_asset, answer(body, status), "sp", "a")) is kind
    if kind not in {NotFound, InvalidResponse}:
        assert type(error_of(JIMMY.read_uploaded, answer(body, status))) is kind
        assert type(error_of(JIMMY.read_submitted, answer(body, status), "sp")) is kind


def wrapped(code: str, message: str) -> dict[str, Any]:
    return {"ResponseMetadata": {"RequestId": "r", "Error": {"Code": code, "Message": message}}}


ASSET = {"Id": "asset-1", "Name": "n", "URL": URL, "AssetType": "Image", "GroupId": "group-1", "Status": "Active"}


@pytest.mark.parametrize("body", [ASSET, {"Result": ASSET}, {"code": "success", "message": "", "data": ASSET}])
def test_anyfasts_asset(body: Any) -> None:
    view = ANYFAST.read_asset(answer(body), "volc", "asset-1")
    assert view == AssetView("asset-1", AssetState.ACTIVE, "asset://asset-1", "Active")
    assert ANYFAST.read_submitted(answer(body), "volc").asset_id == "asset-1"


@pytest.mark.parametrize(
    ("changes", "state", "code"),
    [
        ({"Status": "Processing"}, AssetState.REVIEWING, None),
        ({"Status": "Inactive"}, AssetState.REVIEWING, None),
        ({"Status": "Inactive", "Error": {"Code": "C", "Message": "m"}}, AssetState.FAILED, "C"),
        ({"Status": "failed", "Error": {"Code": "C", "Message": "m"}}, AssetState.FAILED, "C"),
        ({"Status": "Failed", "error": {"code": "C", "message": "m"}}, AssetState.FAILED, "C"),
        ({"Status": "Failed"}, AssetState.FAILED, None),
    ],
)
def test_anyfasts_words(changes: Any, state: AssetState, code: str | None) -> None:
    view = ANYFAST.read_asset(answer(ASSET | changes), "volc", "asset-1")
    assert (view.state, view.error_code, view.reference) == (state, code, None)


def test_anyfasts_lists() -> None:
    items = [{"Id": "group-1", "Name": "[u-7]-[t-9]-spring"}, {"Id": "group-2", "Name": "plain"}, {"Name": "x"}, 3]
    body = {"PageNumber": 1, "PageSize": 100, "TotalCount": 4, "Items": items}
    expected = (NamedId("spring", "group-1"), NamedId("plain", "group-2"))
    assert ANYFAST.read_groups(answer(body)) == expected
    assert ANYFAST.read_groups(answer({"Result": body})) == expected
    assert ANYFAST.read_assets(answer({"Items": [ASSET]}))[0][1].state is AssetState.ACTIVE
    assert ANYFAST.read_assets(answer({"TotalCount": 0})) == ()
    assert type(error_of(ANYFAST.read_assets, answer({}))) is InvalidResponse


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, {"error": {"code": "NotFound", "message": "[NotFound.asset_id] asset-1"}}, NotFound, "NotFound.asset_id"),
        (404, wrapped("NotFound.asset_id", "gone"), NotFound, "NotFound.asset_id"),
        (400, wrapped("NotFound.asset_id", "gone"), NotFound, "NotFound.asset_id"),
        (404, {"error": {"code": "x", "message": "Invalid URL (POST /volc/asset/GetAsset)"}}, Refused, "x"),
        (404, b"<html>", InvalidResponse, "http-404"),
        (401, {"error": {"code": "invalid_api_key", "message": "no"}}, AuthenticationError, "invalid_api_key"),
        (400, {"error": {"code": "InvalidParameter", "message": "no"}}, Refused, "InvalidParameter"),
        (502, {"error": {"code": "x", "message": "no"}}, InvalidResponse, "x"),
        (200, {"Id": "asset-1"}, InvalidResponse, "http-200"),
    ],
)
def test_anyfasts_errors(status: int, body: Any, kind: type[SeedanceError], code: str) -> None:
    error = error_of(ANYFAST.read_asset, answer(body, status), "volc", "asset-1")
    assert (type(error), error.code) == (kind, code)


REFUSALS: list[tuple[int, Any, type[SeedanceError]]] = [
    (404, {"error": {"code": "NotFound", "message": "an asset named 'a' exists in group-123456"}}, DuplicateName),
    (400, {"code": "x", "message": "asset name already exists: asset-1234567"}, DuplicateName),
    (400, wrapped("Duplicate.Name", "no"), DuplicateName),
    (404, {"error": {"code": "NotFound", "message": "[NotFound.group_id] group-123456"}}, Refused),
    (404, {"error": {"code": "NotFound", "message": "group-123456 does not exist in this project"}}, Refused),
    (400, wrapped("InvalidParameter.URL", "no"), Refused),
    (429, b"", RateLimited),
    (404, b"<html>", Refused),
    (404, {"error": {"code": "NotFound", "message": "asset name already exists"}}, DuplicateName),
    (401, {"error": {"code": "invalid_api_key", "message": "no"}}, AuthenticationError),
    (401, {"error": {"code": "x", "message": "remaining quota is 0"}}, InsufficientFunds),
]
UNKNOWNS: list[tuple[int, Any]] = [
    (200, {}),
    (200, b""),
    (200, {"Id": ""}),
    (200, {"code": "success", "data": None}),
    (200, {"GroupId": "group-1"}),
    (400, {"error": {"code": "x", "message": "no"}, "Id": "asset-1"}),
    (400, {"error": {"code": "x", "message": "asset-1234567 could not be stored"}}),
    (200, {"code": "x", "message": "no", "data": {"Id": "asset-1"}}),
    (500, {"error": {"code": "x", "message": "name already exists"}}),
    (409, {"error": {"code": "x", "message": "conflict"}}),
    (502, b"<html>"),
    (404, b"asset-1234567 is not there yet"),
    (404, {"error": {"code": "NotFound", "message": "[NotFound.asset_id] the asset was not found"}}),
    (302, b""),
    (400, wrapped("InternalError", "internal error")),
]


@pytest.mark.parametrize(("status", "body", "kind"), REFUSALS)
def test_a_paid_asset_that_was_proven_not_made(status: int, body: Any, kind: type[SeedanceError]) -> None:
    error = error_of(ANYFAST.read_submitted, answer(body, status), "volc")
    assert type(error) is kind
    assert error.provider == "anyfast"
    assert error.http_status == status


@pytest.mark.parametrize(("status", "body"), UNKNOWNS)
def test_a_paid_asset_that_may_have_been_made(status: int, body: Any) -> None:
    error = error_of(ANYFAST.read_submitted, answer(body, status), "volc")
    assert type(error) is UnknownOutcome
    assert "asset was made" in error.message or "asset-1" in error.message
    assert type(error_of(ANYFAST.read_submitted, answer(b"<html>", 418), "volc")) is UnknownOutcome
    codes = frozenset({"http-418"})
    assert type(error_of(ANYFAST.read_submitted, answer(b"<html>", 418), "volc", refusal_codes=codes)) is Refused


def test_a_group_is_judged_like_a_create() -> None:
    assert ANYFAST.read_group(answer({"Id": "group-20260101-x"})) == "group-20260101-x"
    assert type(error_of(ANYFAST.read_group, answer({"Id": ["x"]}))) is UnknownOutcome
    refused = {"error": {"code": "invalid_request", "message": "Name is required"}}
    assert type(error_of(ANYFAST.read_group, answer(refused, 400))) is Refused
