"""Paid once: which answers to a create prove that nothing was made, and which prove nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prefect_seedance.errors import (
    AuthenticationError,
    ContentRejected,
    InsufficientFunds,
    InvalidResponse,
    NotFound,
    RateLimited,
    Refused,
    RouteUnavailable,
    SeedanceError,
    UnknownOutcome,
)
from prefect_seedance.providers import Answer, dialect_of
from prefect_seedance.providers.error_body import ErrorBody, ErrorKind
from prefect_seedance.providers.outcome import library_error, query_error


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


HTML = b"<html><h1>Not Found</h1> nginx</html>"
# By the status alone, from whatever answers on the way.
STATUS_REFUSALS: list[tuple[int, Any, type[Refused]]] = [
    (401, b"", AuthenticationError),
    (401, b"unauthorized", AuthenticationError),
    (404, b"", RouteUnavailable),
    (404, HTML, RouteUnavailable),
    (404, b"The requested URL /api/open-api/v1/seedance/videos was not found on this server.", RouteUnavailable),
    (404, b"Cannot POST /v1/video/generations", RouteUnavailable),
    (404, {"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v1/video/generations"}, RouteUnavailable),
    (404, {"detail": "Not Found"}, RouteUnavailable),
    (405, HTML, RouteUnavailable),
    *((status, b"<html>", Refused) for status in (411, 413, 414, 415, 431)),
    (429, HTML, RateLimited),
]

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
    (404, jimmy("30005", "Invalid URL (POST /v1/v1)"), RouteUnavailable),
    (404, jimmy("30005", "path not found"), Refused),
    (404, jimmy("30005", "模型不存在"), Refused),
    (400, jimmy("30005", "group not found"), Refused),
    (401, jimmy("x", "upstream timeout"), AuthenticationError),
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
    *((200, jimmy(code, "bad parameter")) for code in ("408", 409, "425", 499)),
    *((status, jimmy(code, words)) for status in (200, 400) for code in (1, "30001") for words in ("", None)),
    (400, jimmy("30001", "操作失败")),
    (400, jimmy("30001", "Error: video generation failed (30001)")),
    *((status, jimmy(1, "任务不存在")) for status in (200, 400, 404)),
    *((status, jimmy("20002", "任务不存在")) for status in (200, 400, 401, 404, 429)),
    (200, jimmy("20002", "record not found")),
    (400, jimmy("20002", "视频不存在")),
    (400, jimmy("30001", "not found")),
    (404, jimmy("404", "not found")),
    (404, jimmy("404", "")),
    (404, jimmy("30005", "no good")),
    (410, jimmy("30005", "no good")),
    (404, {"code": 0, "msg": "ok", "data": None}),
    (404, b"task not found"),
    (404, {"detail": "the video does not exist"}),
    (404, b"GET https://upstream/v1/jobs: this job was not found"),
    (400, jimmy("30001", "the task was not accepted")),
    (410, b""),
    (410, HTML),
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
    (400, b"not json"),
    (408, jimmy("20002", "bad parameter")),
    (409, jimmy("20002", "bad parameter")),
    (425, jimmy("20002", "bad parameter")),
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
    (503, plain("model_not_found", "no channel, try again later"), RouteUnavailable),
    (500, {"code": "model_not_found", "message": "internal error", "data": None}, RouteUnavailable),
    (404, plain("", "Invalid URL (POST /v1/video/generations)", "invalid_request_error"), RouteUnavailable),
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
    *((status, {"code": "task_not_exist", "message": "task_not_exist", "data": None}) for status in (200, 400, 404)),
    (404, plain("x", "task not found")),
    (404, plain("not_found", "no")),
    (400, plain("record_not_found", "record not found")),
    (404, plain("x", "GET /v1/tasks/77 not found")),
    (400, relayed(upstream("NotFound", "The specified task is not found"))),
    *((status, plain("get_channel_failed", "no channel for the model")) for status in (400, 403, 500, 503)),
    (400, relayed(upstream("get_channel_failed", "no channel"))),
    (500, relayed(upstream("model_not_found", "no channel"))),
    *((status, plain(code, "")) for status in (200, 400) for code in (1, "error")),
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
    (502, b"<html>502</html>"),
    (400, b"<html>400</html>"),
    (400, {"error": "bad ratio"}),
    (400, {"error": {}}),
    (400, {"detail": "bad ratio"}),
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


@pytest.mark.parametrize(("status", "body", "kind"), STATUS_REFUSALS)
@pytest.mark.parametrize("provider", ["jimmy", "anyfast"])
def test_some_statuses_prove_it_alone(provider: str, status: int, body: Any, kind: type[Refused]) -> None:
    assert type(judge(provider, status, body)) is kind


PATHS = {"jimmy": "/api/open-api/v1/seedance/videos", "anyfast": "/v1/video/generations"}


@pytest.mark.parametrize("provider", ["jimmy", "anyfast"])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
@pytest.mark.parametrize(
    ("location", "same"),
    [
        ("https://h{path}", True),
        ("http://other:8080/prefix{path}", True),
        ("/prefix{path}", True),
        ("https://h{path}/", False),
        ("https://h{path}?next=1", False),
        ("https://h/login", False),
        ("https://h/login?next={path}", False),
        ("https://h{path}/vid_123456", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_a_redirect_of_the_call_itself(provider: str, status: int, location: str, *, same: bool) -> None:
    error = judge(provider, status, b"", Location=location.format(path=PATHS[provider]))
    refused = same and status in {301, 307, 308}
    assert type(error) is (RouteUnavailable if refused else UnknownOutcome)


@pytest.mark.parametrize("status", [200, 400, 401, 404, 405, 413, 429, 500])
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
    assert (error.named_job or "").endswith("job-77")


REFUSED: dict[str, Any] = {"jimmy": jimmy("20002", "bad parameter"), "anyfast": plain("InvalidParameter", "bad")}
NAMED: list[tuple[dict[str, Any], dict[str, str], str]] = [
    *(({key: "a-77"}, {}, "a-77") for key in ("task_id", "taskId", "job_id", "jobid", "jobId", "video_id", "videoid")),
    ({"data": [{"id": "a-77"}]}, {}, "a-77"),
    ({"data": {"data": {"id": "a-77"}}}, {}, "a-77"),
    ({"data": {"id": "a-77", "data": {"id": "upstream-1"}}}, {}, "a-77"),
    ({"result": {"items": [{"video_id": "a-77"}]}}, {}, "a-77"),
    ({"note": "see vid_1234567 later"}, {}, "vid_1234567"),
    ({"note": "任务asyntask_abcdefg已提交"}, {}, "asyntask_abcdefg"),
    ({"note": "cgt-20260312231129-7db6s"}, {}, "cgt-20260312231129-7db6s"),
    ({"note": json.dumps({"task_id": "abc-1234"})}, {}, "abc-1234"),
    ({"note": "任务编号：20260312-9 已创建"}, {}, "20260312-9"),
    ({"note": "video id: abc-1234"}, {}, "abc-1234"),
    ({"note": "GET https://upstream/v3/tasks/cgt-1234567: no answer"}, {}, "cgt-1234567"),
    ({}, {"X-Task-Id": "a-77"}, "a-77"),
    ({}, {"Job-ID": "a-77"}, "a-77"),
    ({}, {"Video-Id": "a-77"}, "a-77"),
    ({}, {"Location": "/v1/video/generations/a-77"}, "a-77"),
    ({}, {"Location": "https://h/api/open-api/v1/videos/a%2D77?x=1"}, "a-77"),
    ({}, {"Content-Location": "/tasks/a-77/"}, "a-77"),
    ({}, {"X-Trace": "relayed as cgt-1234567"}, "cgt-1234567"),
]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 429, 503])
@pytest.mark.parametrize("provider", ["jimmy", "anyfast"])
@pytest.mark.parametrize(("fields", "headers", "job"), NAMED)
def test_wherever_an_answer_names_a_job(
    provider: str, fields: dict[str, Any], headers: dict[str, str], job: str, status: int
) -> None:
    body = REFUSED[provider] | fields
    codes = frozenset({"20002", "InvalidParameter", f"http-{status}"})
    error = judge(provider, status, body, codes, **headers)
    assert isinstance(error, UnknownOutcome)
    assert error.named_job == job
    assert f"it names job {job}, which" in error.message


@pytest.mark.parametrize("provider", ["jimmy", "anyfast"])
@pytest.mark.parametrize(
    "fields",
    [
        {"note": "https://h/vid_12345678.mp4 is too long"},
        {"note": "asset://vid_12345678 is not active"},
        {"note": "task_id is invalid, video id missing"},
        {"request_id": "r-1234567"},
        {"detail": {"id": "user-1234567"}},
    ],
)
def test_what_is_not_the_name_of_a_job(provider: str, fields: dict[str, Any]) -> None:
    assert isinstance(judge(provider, 400, REFUSED[provider] | fields, Location="/v1/video/generations"), Refused)


def test_several_jobs_are_named_by_none() -> None:
    error = judge("jimmy", 200, {"code": 0, "data": [{"task_id": "vid_1"}, {"task_id": "vid_2"}]})
    assert isinstance(error, UnknownOutcome)
    assert error.named_job is None
    assert "vid_1" in error.message


def test_a_success_with_a_wrong_status_is_not_taken_for_one() -> None:
    for status in (302, 400, 502):
        error = judge("jimmy", status, {"code": 0, "data": {"task_id": "vid_77", "status": "queued"}})
        assert type(error) is UnknownOutcome
        assert "vid_77" in error.message


@pytest.mark.parametrize(
    ("provider", "status", "body", "code"),
    [
        ("jimmy", 418, b"<html>no</html>", "http-418"),
        ("jimmy", 200, jimmy(-1, "no stock"), "-1"),
        ("jimmy", 200, jimmy("30001", "upstream said no"), "30001"),
        ("anyfast", 503, plain("get_channel_failed", "no channel"), "get_channel_failed"),
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


@pytest.mark.parametrize("kind", [ErrorKind.KEY, ErrorKind.FUNDS])
@pytest.mark.parametrize("status", [500, 502, 503, 599])
def test_an_error_of_the_server_says_nothing_of_the_key_or_the_funds(status: int, kind: ErrorKind) -> None:
    """The row waits: it is not given up, and the account is not closed."""
    body = ErrorBody(kind, ("20001",), "no")
    for judged in (query_error, library_error):
        assert type(judged("jimmy", Answer(status, {}, b"{}"), body)) is InvalidResponse


@pytest.mark.parametrize("status", [402, 403])
def test_a_page_from_elsewhere_says_nothing_of_the_key_or_the_funds(status: int) -> None:
    for judged in (query_error, library_error):
        assert type(judged("jimmy", Answer(status, {}, HTML), None)) is InvalidResponse


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (404, "no", NotFound),
        (410, "no", NotFound),
        (400, "asset a not found", NotFound),
        (400, "name is required", Refused),
        (404, "Invalid URL (POST /volc/asset/GetAsset)", Refused),
        (500, "asset a not found", InvalidResponse),
        (302, "asset a not found", InvalidResponse),
        (409, "asset a not found", InvalidResponse),
    ],
)
def test_an_asset_that_does_not_exist(status: int, text: str, kind: type[SeedanceError]) -> None:
    answer, body = Answer(status, {}, b"{}"), ErrorBody(ErrorKind.REFUSED, ("x",), text)
    assert type(library_error("jimmy", answer, body, about_asset=True)) is kind
    other = library_error("jimmy", answer, body)
    assert type(other) is (Refused if kind is NotFound else kind), "only a call about an asset can say so"
