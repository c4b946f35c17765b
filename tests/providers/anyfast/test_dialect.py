from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from prefect_seedance.errors import (
    AuthenticationError,
    InputError,
    InsufficientFunds,
    InvalidResponse,
    NotFound,
    RateLimited,
)
from prefect_seedance.providers import Answer, Balance, Created, JobState
from prefect_seedance.providers.anyfast.dialect import Anyfast
from prefect_seedance.routes import VideoRequest

ANYFAST = Anyfast()
MODEL = "seedance-2.0-mini"


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, headers, json.dumps(body).encode())


def encoded(**settings: Any) -> Any:
    call = ANYFAST.create_call(MODEL, VideoRequest(**settings))
    assert (call.method, call.path) == ("POST", "/v1/video/generations")
    return json.loads(json.dumps(call.json))


def test_the_documented_example() -> None:
    body = encoded(prompt="一只猫在阳光明媚的房间里弹钢琴", images=["https://example.com/reference.jpg"])
    assert body == {
        "model": MODEL,
        "content": [
            {"type": "text", "text": "一只猫在阳光明媚的房间里弹钢琴"},
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/reference.jpg"},
                "role": "reference_image",
            },
        ],
    }


def test_content_keeps_its_strict_order() -> None:
    body = encoded(
        reference_audios=["https://h/s.mp3"],
        reference_videos=["asset://v1", "https://h/v2.mp4"],
        images=["data:image/png;base64,AAAA", "https://h/i2.png"],
        prompt="p",
    )
    assert [(item["type"], item.get("role")) for item in body["content"]] == [
        ("text", None),
        ("image_url", "reference_image"),
        ("image_url", "reference_image"),
        ("video_url", "reference_video"),
        ("video_url", "reference_video"),
        ("audio_url", "reference_audio"),
    ]
    assert body["content"][3] == {"type": "video_url", "video_url": {"url": "asset://v1"}, "role": "reference_video"}
    assert body["content"][5] == {
        "type": "audio_url",
        "audio_url": {"url": "https://h/s.mp3"},
        "role": "reference_audio",
    }


def test_frames_without_a_text() -> None:
    body = encoded(first_image="https://h/f.png", last_image="https://h/l.png")
    assert [item["role"] for item in body["content"]] == ["first_frame", "last_frame"]


def test_all_settings() -> None:
    settings: dict[str, Any] = {"resolution": "480p", "ratio": "adaptive", "duration": 15}
    settings |= {"generate_audio": False, "watermark": True}
    body = encoded(prompt="p", web_search=True, **settings)
    assert {name: body[name] for name in settings} == settings
    assert body["tools"] == [{"type": "web_search"}]


@pytest.mark.parametrize("web_search", [None, False])
def test_what_is_not_set_is_not_sent(*, web_search: bool | None) -> None:
    body = encoded(prompt="p", web_search=web_search)
    assert body == {"model": MODEL, "content": [{"type": "text", "text": "p"}]}


def test_orientation_is_not_dropped_in_silence() -> None:
    with pytest.raises(InputError, match="orientation"):
        encoded(prompt="p", orientation="portrait")


CGT = "cgt-20260312231129-7db6s"
CREATED = {"id": CGT, "task_id": CGT, "object": "video", "model": MODEL, "status": "", "progress": 0}


@pytest.mark.parametrize(
    ("body", "status_word"),
    [
        (CREATED | {"created_at": 1773328294}, ""),
        (CREATED | {"status": "queued"}, "queued"),
        ({"id": CGT}, ""),
        ({"task_id": CGT, "id": "other"}, ""),
        ({"task_id": "", "id": CGT}, ""),
        (CREATED | {"error": None}, ""),
        ({"code": "success", "message": "", "data": {"task_id": CGT, "status": "NOT_START"}}, "NOT_START"),
    ],
)
def test_every_success_of_a_create(body: dict[str, Any], status_word: str) -> None:
    created = ANYFAST.read_created(answer(body, **{"X-Oneapi-Request-Id": "r-1"}))
    assert created == Created(CGT, status_word, "r-1", 200)


UPSTREAM = {
    "id": "cgt-1",
    "model": "doubao-seedance-2-0-260128",
    "status": "succeeded",
    "content": {"video_url": "https://upstream/v.mp4?s=1"},
    "created_at": 1777288506,
    "updated_at": 1777288796,
    "duration": 5,
    "ratio": "16:9",
    "resolution": "720p",
    "usage": {"completion_tokens": 108900, "total_tokens": 108901, "super_resolution_tokens": 245025},
}
TASK = {
    "task_id": "asyntask_1",
    "action": "generate",
    "status": "SUCCESS",
    "result_url": "https://h/v.mp4?s=1",
    "fail_reason": "",
    "submit_time": 1777288506,
    "start_time": 1777288508,
    "finish_time": 1777288800,
    "progress": "100%",
    "request_id": "req-9",
    "data": UPSTREAM,
}


def enveloped(**changes: Any) -> dict[str, Any]:
    task = {name: value for name, value in (TASK | changes).items() if value is not ...}
    return {"code": "success", "message": "", "data": task}


def test_the_documented_query_body() -> None:
    view = ANYFAST.read_job(answer(enveloped()), "asyntask_1")
    assert (view.state, view.provider_status, view.progress) == (JobState.SUCCEEDED, "SUCCESS", 1.0)
    assert view.video_url == "https://h/v.mp4?s=1"
    assert (view.tokens, view.seconds, view.ratio, view.resolution) == (108900, Decimal(5), "16:9", "720p")
    assert view.request_id == "req-9"
    assert view.created_at == datetime(2026, 4, 27, 11, 15, 6, tzinfo=UTC)
    assert view.finished_at == datetime(2026, 4, 27, 11, 20, tzinfo=UTC)
    assert view.error_message is None
    assert view.moderated is False


WORDS = (
    [(word, JobState.WAITING) for word in ("NOT_START", "SUBMITTED", "QUEUED", "PENDING", "")]
    + [(word, JobState.RUNNING) for word in ("IN_PROGRESS", "RUNNING", "PROCESSING", "UNKNOWN", "whatever")]
    + [(word, JobState.SUCCEEDED) for word in ("SUCCESS", "SUCCEEDED", "COMPLETED")]
    + [(word, JobState.FAILED) for word in ("FAILURE", "FAILED", "ERROR", "CANCELLED", "CANCELED", "EXPIRED")]
)


@pytest.mark.parametrize(("word", "state"), WORDS)
@pytest.mark.parametrize("shape", ["enveloped", "nested", "flat"])
@pytest.mark.parametrize("lower", [False, True])
def test_every_status_word_in_every_shape(word: str, state: JobState, shape: str, *, lower: bool) -> None:
    word = word.lower() if lower else word
    bodies = {
        "enveloped": enveloped(status=word, data=None, progress="40%"),
        "nested": enveloped(
            status=..., progress="40%", data={"status": word, "content": {"video_url": "https://h/n.mp4"}}
        ),
        "flat": {"id": "gen-1", "model": "m", "status": word, "video_url": "https://h/f.mp4", "created_at": 1773130665},
    }
    view = ANYFAST.read_job(answer(bodies[shape]), "asked-for")
    assert (view.state, view.provider_status, view.job_id) == (state, word, "asked-for")
    assert (view.video_url is not None) is (state is JobState.SUCCEEDED)


@pytest.mark.parametrize(
    ("outer", "top", "inner", "state"),
    [
        ("IN_PROGRESS", "completed", "succeeded", JobState.RUNNING),
        ("FAILURE", None, "succeeded", JobState.FAILED),
        ("", "completed", "running", JobState.SUCCEEDED),
        ("", None, "failed", JobState.FAILED),
        ("UNKNOWN", None, "running", JobState.RUNNING),
        (None, None, None, JobState.WAITING),
    ],
)
def test_the_outer_status_is_authoritative(outer: Any, top: Any, inner: Any, state: JobState) -> None:
    body = enveloped(status=outer, data=UPSTREAM | {"status": inner}) | {"status": top}
    assert ANYFAST.read_job(answer(body), "x").state is state


def test_progress_decides_nothing() -> None:
    view = ANYFAST.read_job(answer(enveloped(status="IN_PROGRESS", progress="100%", data=None)), "x")
    assert (view.state, view.progress, view.video_url, view.finished_at) == (JobState.RUNNING, 1.0, None, None)


@pytest.mark.parametrize(
    ("body", "url"),
    [
        (enveloped(), "https://h/v.mp4?s=1"),
        (enveloped(result_url=...), "https://upstream/v.mp4?s=1"),
        (enveloped(result_url=""), "https://upstream/v.mp4?s=1"),
        (enveloped(result_url=None, data=None) | {"video_url": "https://flat/v.mp4"}, "https://flat/v.mp4"),
        # For old clients `fail_reason` may repeat the link; it is no reason, and no link either.
        (enveloped(fail_reason="https://h/v.mp4?s=1"), "https://h/v.mp4?s=1"),
    ],
)
def test_result_links_in_their_order(body: dict[str, Any], url: str) -> None:
    view = ANYFAST.read_job(answer(body), "x")
    assert view.video_url == url
    assert view.error_message is None


@pytest.mark.parametrize(
    "body",
    [
        enveloped(result_url=..., data=None),
        enveloped(result_url="not-a-link", data=None),
        enveloped(result_url=..., data=None, links=["https://h/1.mp4", "https://h/2.mp4"]),
        {"id": "gen-1", "status": "completed"},
    ],
)
def test_a_success_without_a_link_is_broken_not_failed(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        ANYFAST.read_job(answer(body), "x")


def nested(code: str, message: str = "words", **more: Any) -> str:
    return json.dumps({"error": {"code": code, "message": message, "type": "BadRequest", **more}})


@pytest.mark.parametrize(
    ("task", "code", "text", "moderated"),
    [
        ({"fail_reason": "generation failed"}, None, "generation failed", False),
        (
            {"fail_reason": nested("OutputVideoSensitiveContentDetected", "the output may hold")},
            "OutputVideoSensitiveContentDetected",
            "the output may hold",
            True,
        ),
        (
            {"fail_reason": nested("InputImageSensitiveContentDetected.PrivacyInformation", "real person")},
            "InputImageSensitiveContentDetected.PrivacyInformation",
            "real person",
            True,
        ),
        (
            {"fail_reason": json.dumps({"code": "x", "message": nested("InputTextRiskDetection", "deep")})},
            "InputTextRiskDetection",
            "deep",
            True,
        ),
        (
            {"fail_reason": "[NotFound.asset_id] no such asset"},
            "NotFound.asset_id",
            "[NotFound.asset_id] no such asset",
            False,
        ),
        (
            {
                "fail_reason": "",
                "data": {"status": "failed", "error": {"code": "InternalServiceError", "message": "oops"}},
            },
            "InternalServiceError",
            "oops",
            False,
        ),
        ({"fail_reason": "see https://h/x.mp4?sig=secret"}, None, "see https://h/x.mp4?…", False),
        ({}, None, None, False),
    ],
)
def test_why_a_job_failed(task: dict[str, Any], code: str | None, text: str | None, *, moderated: bool) -> None:
    body = enveloped(**({"status": "FAILURE", "result_url": ..., "data": None, "fail_reason": ...} | task))
    view = ANYFAST.read_job(answer(body), "x")
    assert (view.state, view.error_code, view.error_message) == (JobState.FAILED, code, text)
    assert view.moderated is moderated


def test_why_a_flat_job_failed() -> None:
    body = {"id": "gen-1", "status": "failed", "error": {"code": "SensitiveContentDetected.Violence", "message": "no"}}
    view = ANYFAST.read_job(answer(body), "gen-1")
    assert (view.error_code, view.error_message, view.moderated) == ("SensitiveContentDetected.Violence", "no", True)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"completion_tokens": 5, "total_tokens": 6}, 5),
        ({"total_tokens": 6}, 6),
        ({"completion_tokens": "7"}, 7),
        ({}, None),
        (None, None),
        ({"completion_tokens": -1}, None),
        ({"completion_tokens": 1.5}, None),
        ({"completion_tokens": 0, "total_tokens": 6}, 6),
        ({"completion_tokens": 0, "total_tokens": 0}, None),
    ],
)
def test_tokens(usage: Any, tokens: int | None) -> None:
    assert ANYFAST.read_job(answer(enveloped(data=UPSTREAM | {"usage": usage})), "x").tokens == tokens


def test_a_positive_figure_of_any_record_outweighs_a_zero() -> None:
    body = enveloped(data=UPSTREAM | {"usage": {"completion_tokens": 0}}, usage={"completion_tokens": "9"})
    assert ANYFAST.read_job(answer(body), "x").tokens == 9


def test_the_delivered_size_counts() -> None:
    body = enveloped(data=UPSTREAM | {"resolution": "480p", "super_resolution": "1080p"})
    assert ANYFAST.read_job(answer(body), "x").resolution == "1080p"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (
            {"error": {"code": "invalid_api_key", "message": "no", "type": "authentication_error"}},
            401,
            AuthenticationError,
        ),
        ({"error": {"code": "x", "message": "the token has no remaining quota"}}, 401, InsufficientFunds),
        ({"error": {"code": "x", "message": "no"}}, 403, AuthenticationError),
        ({"code": "task_not_exist", "message": "task_not_exist", "data": None}, 400, NotFound),
        ({"error": {"code": "not_found", "message": "no"}}, 404, NotFound),
        (
            {"error": {"code": "", "message": "Invalid URL (GET /v1/v1)", "type": "invalid_request_error"}},
            404,
            InvalidResponse,
        ),
        ({"error": {"code": "rate", "message": "slow"}}, 429, RateLimited),
        ({"code": "fail_to_fetch_task", "message": "EOF", "data": None}, 200, InvalidResponse),
        ({"code": "success", "message": "", "data": None}, 200, InvalidResponse),
        ({"code": "success", "message": "", "data": {}}, 200, InvalidResponse),
        ({"status": "error", "message": "oops"}, 200, InvalidResponse),
        (enveloped(), 502, InvalidResponse),
        ({}, 200, InvalidResponse),
    ],
)
def test_a_query_without_a_job(body: dict[str, Any], status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        ANYFAST.read_job(answer(body, status), "x")
    assert type(caught.value) is error


def test_job_ids_are_escaped() -> None:
    assert ANYFAST.query_call("cgt-1/../x?y").path == "/v1/video/generations/cgt-1%2F..%2Fx%3Fy"


def test_the_list_of_models_proves_the_key() -> None:
    assert [call.path for call in ANYFAST.balance_calls()] == ["/v1/models"]
    assert ANYFAST.read_balance([answer({"data": [{"id": MODEL}]})]) == Balance({})
    with pytest.raises(AuthenticationError):
        ANYFAST.read_balance([answer({"error": {"code": "invalid_api_key", "message": "no"}}, 401)])
    with pytest.raises(InvalidResponse):
        ANYFAST.read_balance([Answer(404, {}, b"<html>")])


@pytest.mark.parametrize(("status", "own"), [(200, True), (404, True), (302, False), (502, False)])
def test_the_own_form_is_no_redirect_and_no_error_of_a_server(status: int, own: bool) -> None:
    assert ANYFAST.own_form(answer({"error": {"code": "not_found", "message": "no"}}, status)) is own
