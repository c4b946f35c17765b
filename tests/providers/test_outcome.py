"""Paid once: which answers to a create prove that nothing was made, and which prove nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prefect_seedance.errors import (
    AuthenticationError,
    ContentRejected,
    InsufficientFunds,
    RateLimited,
    Refused,
    RouteUnavailable,
    SeedanceError,
    UnknownOutcome,
)
from prefect_seedance.providers import Answer, dialect_of


def judge(provider: str, status: int, body: Any, codes: frozenset[str] = frozenset(), **headers: str) -> SeedanceError:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    with pytest.raises(SeedanceError) as caught:
        dialect_of(provider).read_created(Answer(status, headers, raw), refusal_codes=codes)
    error = caught.value
    assert error.provider == provider
    assert error.http_status == status
    assert error.code
    return error


def jimmy(code: object, msg: object, **more: Any) -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": None, **more}


JIMMY_REFUSALS = [
    (200, jimmy(20001, "invalid key"), AuthenticationError),
    (200, jimmy("20001", "请稍后重试"), AuthenticationError),
    (401, jimmy("20001", None), AuthenticationError),
    (401, jimmy("x", "no"), AuthenticationError),
    (403, jimmy("x", "no"), AuthenticationError),
    (403, jimmy("x", "this key may not use the model"), Refused),
    (200, jimmy(20002, "bad parameter"), Refused),
    (400, jimmy("20002", "不支持的模型参数"), RouteUnavailable),
    (200, jimmy("20002", "该线路维护中"), RouteUnavailable),
    (400, jimmy("20002", "watermark is disabled for this model"), Refused),
    (400, jimmy("20002", ""), Refused),
    (400, jimmy("20002", "the upstream does not take this ratio"), Refused),
    (200, jimmy("20002", "PROVIDER_MODERATION_ERROR: TRADEMARK"), ContentRejected),
    (200, jimmy("30001", "提示词包含敏感内容"), ContentRejected),
    (200, jimmy("30002", "余额不足，请充值后重试"), InsufficientFunds),
    (200, jimmy("30002", "Insufficient balance"), InsufficientFunds),
    (402, jimmy("30002", "pay first"), InsufficientFunds),
    (200, jimmy("402", "pay first"), InsufficientFunds),
    (200, jimmy("30003", "请求过于频繁，请稍后重试"), RateLimited),
    (200, jimmy("30003", "当前并发已达上限"), RateLimited),
    (200, jimmy(429, "slow"), RateLimited),
    (400, jimmy("30004", "prompt longer than 500 characters"), Refused),
    (404, jimmy("30005", "asset not known"), Refused),
    (400, jimmy("30006", "素材未通过审核 https://h/vid_12345678.mp4"), Refused),
    (200, {"code": "20002", "message": "bad"}, Refused),
    (200, {"code": "20002", "error": {"message": "bad"}}, Refused),
    (429, b"", RateLimited),
    (429, b"<html>slow down</html>", RateLimited),
    (429, jimmy(-1, "server busy"), RateLimited),
    (429, jimmy("30002", "Insufficient balance"), InsufficientFunds),
]

JIMMY_UNKNOWNS = [
    (200, jimmy(-1, "server error")),
    (200, jimmy("-1", "bad parameter")),
    (400, jimmy(-1, "invalid api key")),
    (200, jimmy(-17, "x")),
    (200, jimmy(500, "系统异常")),
    (200, jimmy("50001", "x")),
    (200, jimmy("408", "x")),
    (200, jimmy("30001", "")),
    (200, jimmy("30001", None)),
    (200, jimmy("30001", "上游服务暂不可用")),
    (200, jimmy("30001", "操作失败，请稍后重试")),
    (200, jimmy("30001", "未知错误")),
    (200, jimmy("30001", "upstream said no")),
    (200, jimmy("20002", "Read timed out")),
    (400, jimmy("20002", "connection reset by peer")),
    (400, jimmy("20002", "系统繁忙")),
    (400, jimmy("30001", "upstream returned status 502")),
    (500, jimmy("20002", "bad parameter")),
    (503, jimmy("30003", "too many requests")),
    (502, b"<html><h1>502 Bad Gateway</h1></html>"),
    (504, b""),
    (403, b"<html>forbidden</html>"),
    (401, b""),
    (404, {"timestamp": 1, "status": 404, "error": "Not Found"}),
    (413, b"<html>too large</html>"),
    (400, b"not json"),
    (408, jimmy("20002", "bad parameter")),
    (409, jimmy("20002", "bad parameter")),
    (499, jimmy("20002", "bad parameter")),
    (301, jimmy("20002", "moved")),
    (302, b""),
    (200, b""),
    (204, b""),
    (200, b"<html>ok</html>"),
    (200, b'{"code": 0, "data": {"task_id": "vid_1'),
    (200, b"[]"),
    (200, jimmy(0, "ok")),
    (200, {"code": 0, "msg": "ok", "data": {"task_id": ""}}),
    (200, {"code": 0, "msg": "ok", "data": {"status": "queued"}}),
    (400, jimmy("20000", "ok")),
    (400, {"message": "bad parameter"}),
    (400, {"error": "bad parameter"}),
]


@pytest.mark.parametrize(("status", "body", "kind"), JIMMY_REFUSALS)
def test_jimmy_proves_that_nothing_was_made(status: int, body: Any, kind: type[Refused]) -> None:
    assert type(judge("jimmy", status, body)) is kind


@pytest.mark.parametrize(("status", "body"), JIMMY_UNKNOWNS)
def test_jimmy_proves_nothing(status: int, body: Any) -> None:
    assert type(judge("jimmy", status, body)) is UnknownOutcome


def plain(code: object, message: object, kind: str | None = None) -> dict[str, Any]:
    error = {"code": code, "message": message} | ({"type": kind} if kind else {})
    return {"error": error}


def relayed(inner: Any) -> dict[str, Any]:
    text = inner if isinstance(inner, str) else json.dumps(inner)
    return {"code": "fail_to_fetch_task", "message": text, "data": None}


def upstream(code: object, message: str = "words", kind: str | None = "BadRequest") -> dict[str, Any]:
    return plain(code, message, kind)


UPSTREAM_CODES = (
    [(code, Refused) for code in ("MissingParameter", "InvalidParameter", "InvalidParameter.duration")]
    + [("InvalidEndpoint.ClosedEndpoint", RouteUnavailable), ("ContentSecurityDetectionError", Refused)]
    + [(code, Refused) for code in ("NotFound.asset_id", "NotFound.group_id")]
    + [(f"SensitiveContentDetected{tail}", ContentRejected) for tail in ("", ".SevereViolation", ".Violence")]
    + [(f"{what}SensitiveContentDetected", ContentRejected) for what in ("InputText", "InputImage", "OutputVideo")]
    + [(f"Input{what}SensitiveContentDetected.PrivacyInformation", ContentRejected) for what in ("Image", "Video")]
    + [(f"{what}RiskDetection", ContentRejected) for what in ("InputText", "InputImage", "OutputVideo")]
    + [("QuotaExceeded", RateLimited)]
)

ANYFAST_REFUSALS = [
    (401, plain("invalid_api_key", "no", "authentication_error"), AuthenticationError),
    (401, plain("invalid_api_key", "the token's remaining quota is 0"), InsufficientFunds),
    (401, plain("x", "token quota exhausted"), InsufficientFunds),
    (401, plain("", "无效的令牌"), AuthenticationError),
    (403, plain("insufficient_user_quota", "用户额度不足"), InsufficientFunds),
    (403, plain("x", "no"), AuthenticationError),
    (403, plain("x", "token may not use this model"), Refused),
    (400, plain("model_not_found", "no channel for model x, try again later"), RouteUnavailable),
    (404, plain("model_not_found", "no channel"), RouteUnavailable),
    (400, plain("x", "the model seedance-2.0-mini is offline"), RouteUnavailable),
    (400, plain("invalid_request", "duration must be 4..15"), Refused),
    (400, plain(None, "duration must be 4..15"), Refused),
    (400, plain("InvalidParameter", ""), Refused),
    (400, {"code": "invalid_request", "message": "bad ratio"}, Refused),
    (400, {"code": "invalid_request", "message": "bad ratio", "data": None}, Refused),
    (200, {"code": "invalid_request", "message": "bad ratio", "data": None}, Refused),
    (400, plain("x", "content policy violation"), ContentRejected),
    (400, plain("outer", json.dumps(upstream("InputTextSensitiveContentDetected"))), ContentRejected),
    (400, relayed("upstream error: " + json.dumps(upstream("InputTextSensitiveContentDetected"))), ContentRejected),
    (
        400,
        relayed({"code": "x", "message": json.dumps(upstream("InputTextSensitiveContentDetected"))}),
        ContentRejected,
    ),
    (400, relayed(upstream("SomethingNew", "no good")), Refused),
    (400, relayed(upstream("SomethingNew", "no good", "invalid_request_error")), Refused),
    (400, relayed(upstream("AccountOverdue", "insufficient balance", "Forbidden")), Refused),
    (401, relayed(upstream("AuthenticationError", "the upstream key", "Unauthorized")), Refused),
    (400, relayed({"code": 400, "message": "bad ratio"}), Refused),
    (400, relayed("asset trouble: [NotFound.asset_id] no such asset"), Refused),
    (429, plain("x", "slow"), RateLimited),
    (429, b"", RateLimited),
    (429, relayed("timeout"), RateLimited),
] + [(400, relayed(upstream(code)), kind) for code, kind in UPSTREAM_CODES]

ANYFAST_UNKNOWNS = [
    (400, relayed("EOF")),
    (400, relayed("context deadline exceeded")),
    (400, relayed("something that nobody has seen")),
    (400, relayed("")),
    (400, relayed("{broken json")),
    (400, relayed(upstream("InternalServiceError", "oops", "InternalServerError"))),
    (400, relayed(upstream("InternalServiceError", "internal error"))),
    (400, relayed(upstream("ServerOverloaded", "busy", "TooManyRequests"))),
    (400, relayed(upstream("SomethingNew", "no good", None))),
    (400, relayed(upstream("SomethingNew", "request timed out"))),
    (400, relayed(upstream(500, "no", None))),
    (400, relayed({"message": "no"})),
    (400, plain("x", "no good", "upstream_error")),
    (400, plain("bad_response_status_code", "openai_error")),
    (400, plain("do_request_failed", "x")),
    (400, plain("x", "upstream is busy")),
    (400, {"code": "x", "message": "Internal Server Error"}),
    (500, plain("invalid_request", "bad ratio")),
    (503, plain("model_not_found", "no channel")),
    (502, b"<html>502</html>"),
    (400, b"<html>400</html>"),
    (400, {"error": "bad ratio"}),
    (400, {"error": {}}),
    (400, {"detail": "bad ratio"}),
    (401, b"unauthorized"),
    (408, plain("x", "bad ratio")),
    (307, plain("x", "bad ratio")),
    (200, b""),
    (200, {}),
    (200, {"status": "", "object": "video"}),
    (200, {"id": "", "task_id": None}),
    (200, {"id": {"a": 1}}),
    (200, {"code": "success", "message": "", "data": None}),
]


@pytest.mark.parametrize(("status", "body", "kind"), ANYFAST_REFUSALS)
def test_anyfast_proves_that_nothing_was_made(status: int, body: Any, kind: type[Refused]) -> None:
    assert type(judge("anyfast", status, body)) is kind


@pytest.mark.parametrize(("status", "body"), ANYFAST_UNKNOWNS)
def test_anyfast_proves_nothing(status: int, body: Any) -> None:
    assert type(judge("anyfast", status, body)) is UnknownOutcome


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("jimmy", {"code": "20002", "msg": "bad", "data": {"task_id": "job-77"}}),
        ("jimmy", {"code": "20002", "msg": "bad", "data": {"id": "job-77"}}),
        ("jimmy", {"code": -1, "msg": "bad", "task_id": "job-77"}),
        ("jimmy", {"code": "20002", "msg": "bad", "data": {"result": {"taskId": "job-77"}}}),
        ("anyfast", {"error": {"code": "x", "message": "bad", "task_id": "job-77"}}),
        ("anyfast", {"error": {"code": "x", "message": "bad"}, "id": "job-77"}),
        ("anyfast", {"code": "x", "message": "bad", "data": {"task_id": "job-77"}}),
        ("anyfast", {"code": "invalid_request", "message": "gave up on cgt-job-77 while waiting"}),
        ("anyfast", {"code": "invalid_request", "message": "task_id: job-77 was not stored"}),
    ],
)
def test_an_error_that_names_a_job_is_no_refusal(provider: str, body: Any, status: int) -> None:
    error = judge(provider, status, body, frozenset({"20002", "invalid_request", "x"}))
    assert type(error) is UnknownOutcome
    assert "job-77" in error.message


def test_a_success_with_a_wrong_status_is_not_taken_for_one() -> None:
    for status in (302, 400, 502):
        error = judge("jimmy", status, {"code": 0, "data": {"task_id": "vid_77", "status": "queued"}})
        assert type(error) is UnknownOutcome
        assert "vid_77" in error.message


@pytest.mark.parametrize(
    ("provider", "status", "body", "code"),
    [
        ("jimmy", 413, b"<html>too large</html>", "http-413"),
        ("jimmy", 200, jimmy(-1, "no stock"), "-1"),
        ("jimmy", 200, jimmy("30001", "upstream said no"), "30001"),
        ("anyfast", 503, plain("model_not_found", "no channel"), "model_not_found"),
        ("anyfast", 400, relayed(upstream("New.Thing", "x", None)), "New.Thing"),
        ("anyfast", 400, relayed(upstream("New.Thing", "x", None)), "New"),
        ("anyfast", 400, relayed("EOF"), "fail_to_fetch_task"),
    ],
)
def test_the_user_may_name_further_refusals(provider: str, status: int, body: Any, code: str) -> None:
    assert type(judge(provider, status, body)) is UnknownOutcome
    assert type(judge(provider, status, body, frozenset({"other"}))) is UnknownOutcome
    assert type(judge(provider, status, body, frozenset({code}))) in {Refused, RouteUnavailable}


def test_both_codes_are_kept() -> None:
    error = judge(
        "anyfast", 400, relayed(upstream("InputImageSensitiveContentDetected.PrivacyInformation", "content[1] …"))
    )
    assert error.code == "InputImageSensitiveContentDetected.PrivacyInformation"
    assert "fail_to_fetch_task" in error.message
    assert "content[1]" in error.message


def test_evidence_of_an_unknown_outcome() -> None:
    page = b"<html>\n <h1>502</h1> see https://h/x?token=secret " + b"z" * 5000
    error = judge("jimmy", 502, page, **{"X-Request-Id": "r-5"})
    assert error.message.endswith("…")
    assert "<html> <h1>502</h1> see https://h/x?…" in error.message
    assert len(error.message) < 500
    assert (error.code, error.http_status, error.request_id) == ("http-502", 502, "r-5")
    moved = judge("anyfast", 301, b"", Location="https://www.anyfast.com.cn/v1?k=secret")
    assert "https://www.anyfast.com.cn/v1: is the base URL right?" in moved.message


def test_the_wait_is_told() -> None:
    error = judge("jimmy", 429, jimmy("1", "slow"), **{"Retry-After": "7"})
    assert isinstance(error, RateLimited)
    assert error.retry_after == 7
    bare = judge("anyfast", 429, b"")
    assert isinstance(bare, RateLimited)
    assert bare.retry_after is None
