from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
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
from prefect_seedance.providers import Answer, Created, JobState
from prefect_seedance.providers.jimmy.dialect import Jimmy
from prefect_seedance.routes import VideoRequest

JIMMY = Jimmy()

# The bodies of the curl examples in the provider's documents (Mini, SP and Mini Special pages).
DOCUMENTED_BODIES: list[dict[str, Any]] = [
    {
        "model": "seedance2.0-mini",
        "prompt": "人物缓缓转头，微风拂动发丝",
        "duration": 6,
        "resolution": "720p",
        "ratio": "9:16",
        "images": ["https://example.com/ref-1.jpg"],
    },
    {
        "model": "seedance2.0-mini",
        "prompt": "雨夜街头，女孩回头微笑，电影感镜头推进",
        "duration": 5,
        "resolution": "1080p",
        "ratio": "16:9",
        "first_image": "https://example.com/start.png",
    },
    {
        "model": "seedance2.0-mini-video",
        "prompt": "延续参考视频的运动节奏与镜头语言",
        "duration": 8,
        "resolution": "720p",
        "ratio": "16:9",
        "images": ["https://example.com/ref.jpg"],
        "reference_videos": ["https://example.com/motion.mp4"],
    },
    {
        "model": "seedance2.0-of-sp",
        "prompt": "雨夜街头，女孩回头微笑，电影感镜头推进",
        "duration": 5,
        "resolution": "720p",
        "ratio": "16:9",
        "first_image": "https://example.com/start.png",
    },
    {
        "model": "seedance2.0-sp",
        "prompt": "雨夜街头，女孩回头微笑，电影感镜头推进",
        "duration": 5,
        "resolution": "720p",
        "ratio": "16:9",
        "first_image": "https://example.com/start.png",
    },
    {
        "model": "seedance2.0-sp",
        "prompt": "人物缓缓转头，微风拂动发丝",
        "duration": 6,
        "ratio": "9:16",
        "images": ["https://example.com/ref-1.jpg", "https://example.com/ref-2.jpg"],
    },
    {
        "model": "seedance2.0-fast-sp",
        "prompt": "镜头缓慢推进，光影变化细腻",
        "duration": 8,
        "resolution": "1080p",
        "ratio": "16:9",
        "images": ["asset://your-asset-id-here"],
    },
    {
        "model": "seedance2.0-mini-sp",
        "prompt": "一名美国本土模特展示衣服细节，转圈。",
        "duration": 10,
        "resolution": "720p",
        "ratio": "9:16",
        "images": ["https://example.com/ref-1.jpg"],
    },
]


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())


@pytest.mark.parametrize("body", DOCUMENTED_BODIES)
def test_documented_examples_encode_to_equal_json(body: dict[str, Any]) -> None:
    settings = {name: value for name, value in body.items() if name != "model"}
    call = JIMMY.create_call(body["model"], VideoRequest(**settings))
    assert (call.method, call.path) == ("POST", "/api/open-api/v1/seedance/videos")
    assert json.loads(json.dumps(call.json)) == body


def test_every_field_of_the_schema() -> None:
    fields = {
        "prompt": "p",
        "duration": 4,
        "resolution": "480p",
        "ratio": "1:1",
        "orientation": "portrait",
        "images": ["https://h/a"],
        "first_image": "https://h/f",
        "last_image": "https://h/l",
        "reference_videos": ["https://h/v"],
        "reference_audios": ["https://h/s"],
    }
    assert JIMMY.create_call("m", VideoRequest(**fields)).json == {"model": "m"} | fields


def test_what_is_not_set_is_not_sent() -> None:
    assert JIMMY.create_call("m", VideoRequest(prompt="p")).json == {"model": "m", "prompt": "p"}


@pytest.mark.parametrize("field", ["generate_audio", "watermark", "web_search"])
@pytest.mark.parametrize("value", [True, False])
def test_a_setting_without_a_field_is_not_dropped_in_silence(field: str, *, value: bool) -> None:
    with pytest.raises(InputError, match=field):
        JIMMY.create_call("m", VideoRequest(prompt="p", **{field: value}))


DATA = {"task_id": "vid_abc123", "status": "queued", "model": "seedance2.0-mini", "created_at": 1710000000}


@pytest.mark.parametrize(
    "body",
    [{"code": code, "msg": "ok", "data": DATA} for code in (0, "0", "20000", 20000, 200, "200", None, 20000.0)]
    + [{"msg": "ok", "data": DATA}, DATA, {"code": 0, **DATA}, {"code": 0, "data": {}, **DATA}]
    + [{"code": 0, "data": {"taskId": "vid_abc123", "status": "queued"}}, {"code": "20000", "data": None, **DATA}],
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_success_envelope_of_a_create(body: dict[str, Any], status: int) -> None:
    assert JIMMY.read_created(answer(body, status)) == Created("vid_abc123", "queued", None, status)


def job(data: dict[str, Any], code: object = "20000", **more: Any) -> dict[str, Any]:
    return {"code": code, "msg": "ok", "data": {"task_id": "vid_1", **data}, **more}


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("queued", JobState.WAITING),
        ("pending", JobState.WAITING),
        ("submitted", JobState.WAITING),
        ("processing", JobState.RUNNING),
        ("rendering", JobState.RUNNING),
        ("Processing", JobState.RUNNING),
        ("completed", JobState.SUCCEEDED),
        ("success", JobState.SUCCEEDED),
        ("COMPLETED", JobState.SUCCEEDED),
        ("failed", JobState.FAILED),
        ("canceled", JobState.FAILED),
        ("cancelled", JobState.FAILED),
    ],
)
@pytest.mark.parametrize("envelope", ["0", "20000", "int20000", "bare"])
def test_every_status_word_in_every_envelope(word: str, state: JobState, envelope: str) -> None:
    data = {"status": word, "progress": 40, "result": {"video_url": "https://h/v.mp4?s=1"}}
    bodies = {"0": job(data, 0), "20000": job(data), "int20000": job(data, 20000), "bare": {"task_id": "vid_1", **data}}
    view = JIMMY.read_job(answer(bodies[envelope]), "vid_1")
    assert (view.state, view.provider_status, view.progress, view.job_id) == (state, word, 0.4, "vid_1")
    assert view.video_url == ("https://h/v.mp4?s=1" if state is JobState.SUCCEEDED else None)


def test_the_documented_query_body() -> None:
    data = {"status": "completed", "progress": 100, "created_at": 1710000000, "completed_at": 1710000060}
    data |= {"result": {"video_url": "https://h/v.mp4", "image_url": "https://h/i.png"}, "error_message": ""}
    view = JIMMY.read_job(answer(job(data)), "vid_1")
    assert view.created_at == datetime(2024, 3, 9, 16, 0, tzinfo=UTC)
    assert view.finished_at == datetime(2024, 3, 9, 16, 1, tzinfo=UTC)
    assert view.video_url == "https://h/v.mp4"
    assert view.error_message is None
    assert view.tokens is None


@pytest.mark.parametrize(
    ("data", "url"),
    [
        ({"result": {"video_url": "https://h/1", "url": "https://h/2"}, "url": "https://h/3"}, "https://h/1"),
        ({"result": {"url": "https://h/2", "mediaUrl": "https://h/4"}, "url": "https://h/3"}, "https://h/2"),
        ({"result": {"mediaUrl": "https://h/4"}, "url": "https://h/3"}, "https://h/4"),
        ({"result": {"video_url": "bare/key.mp4"}, "video_url": "https://h/5"}, "https://h/5"),
        ({"result": None, "url": "https://h/3", "mediaUrl": "https://h/4"}, "https://h/3"),
        ({"mediaUrl": "https://h/4"}, "https://h/4"),
    ],
)
def test_result_links_in_their_order(data: dict[str, Any], url: str) -> None:
    assert JIMMY.read_job(answer(job({"status": "completed", **data})), "vid_1").video_url == url


@pytest.mark.parametrize("result", [None, {}, {"video_url": ""}, {"video_url": "seedance/mini-sp/video/x.mp4"}])
def test_a_success_without_a_usable_link_is_broken_not_failed(result: Any) -> None:
    with pytest.raises(InvalidResponse):
        JIMMY.read_job(answer(job({"status": "completed", "result": result})), "vid_1")


@pytest.mark.parametrize("field", ["error_message", "error_msg", "reason"])
@pytest.mark.parametrize(
    ("text", "code", "moderated"),
    [
        ("PROVIDER_MODERATION_ERROR: TRADEMARK", "PROVIDER_MODERATION_ERROR", True),
        ("PROVIDER_MODERATION_ERROR", "PROVIDER_MODERATION_ERROR", True),
        ("Read timed out", None, False),
        ("s3 upload failed", None, False),
        ("connection reset by peer", None, False),
        ("video_reference: DURATION_TOO_LONG", "DURATION_TOO_LONG", False),
        ("提示词包含敏感内容", None, True),
    ],
)
def test_why_a_job_failed(field: str, text: str, code: str | None, *, moderated: bool) -> None:
    view = JIMMY.read_job(answer(job({"status": "failed", "progress": 0, field: text})), "vid_1")
    assert (view.state, view.error_message, view.error_code) == (JobState.FAILED, text, code)
    assert view.moderated is moderated


def test_a_failed_job_without_a_reason() -> None:
    view = JIMMY.read_job(answer(job({"status": "failed"})), "vid_1")
    assert (view.error_message, view.error_code, view.moderated) == (None, None, False)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"code": 20001, "msg": "invalid api key"}, 200, AuthenticationError),
        ({"code": "20001", "msg": "认证失败"}, 401, AuthenticationError),
        ({"code": "x", "msg": "forbidden"}, 403, AuthenticationError),
        ({"code": "x", "msg": "slow down"}, 429, RateLimited),
        ({"code": "20003", "msg": "余额不足"}, 200, InsufficientFunds),
        ({"code": "20004", "msg": "task not found"}, 200, NotFound),
        ({"code": "20004", "msg": "任务不存在"}, 404, NotFound),
        ({"code": "404", "msg": "nothing here"}, 200, NotFound),
        ({"code": -1, "msg": "server error"}, 200, InvalidResponse),
        ({"code": "20002", "msg": "bad parameter"}, 200, InvalidResponse),
        ({"code": "20000", "msg": "ok", "data": None}, 200, InvalidResponse),
        ({"code": "20000", "data": {"task_id": "vid_1"}}, 200, InvalidResponse),
        ({"timestamp": 1, "status": 404, "error": "Not Found", "path": "/x"}, 404, InvalidResponse),
        (job({"status": "completed", "result": {"video_url": "https://h/v"}}), 502, InvalidResponse),
        ({"code": "20001", "msg": "invalid api key"}, 500, InvalidResponse),
    ],
)
def test_a_query_without_a_job(body: dict[str, Any], status: int, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        JIMMY.read_job(answer(body, status), "vid_1")
    assert type(caught.value) is error


def test_job_ids_are_escaped() -> None:
    assert JIMMY.query_call("vid/../a?b#c%2F 中").path == (
        "/api/open-api/v1/videos/vid%2F..%2Fa%3Fb%23c%252F%20%E4%B8%AD"
    )


USER = {"balance": "12.50", "used_coin": 2, "available": 10.5}
QUOTA = {"name": "k", "total_quota": 0, "used_quota": 1, "available_quota": 0, "unlimited": True}


def test_balance_of_account_and_key() -> None:
    assert [call.path.rsplit("/", 2)[-2:] for call in JIMMY.balance_calls()] == [
        ["user", "balance"],
        ["key", "balance"],
    ]
    balance = JIMMY.read_balance([answer({"code": "20000", "data": USER}), answer(QUOTA)])
    assert balance.raw == {
        "balance": "12.50",
        "used_coin": "2",
        "available": "10.5",
        "name": "k",
        "total_quota": "0",
        "used_quota": "1",
        "available_quota": "0",
        "unlimited": "true",
    }


def test_one_half_of_the_balance_is_better_than_none() -> None:
    nothing = Answer(404, {}, b"<html>")
    assert JIMMY.read_balance([answer({"code": 0, "data": USER}), nothing]).raw.keys() == USER.keys()
    with pytest.raises(InvalidResponse):
        JIMMY.read_balance([nothing, nothing])
    with pytest.raises(AuthenticationError):
        JIMMY.read_balance([answer({"code": 20001, "msg": "no"}), nothing])


def test_the_outer_id_counts_where_it_is_the_only_one() -> None:
    body = job({"status": "completed", "result": {"video_url": "https://h/v"}})
    with pytest.raises(InvalidResponse, match="vid_2"):
        JIMMY.read_job(answer(body | {"task_id": "vid_2"}), "vid_1")
    assert JIMMY.read_job(answer(body | {"task_id": "vid_1"}), "vid_1").state is JobState.SUCCEEDED


def test_an_error_shows_no_balance() -> None:
    refused = answer({"code": 20001, "msg": "no", "data": {"hint": "log in", "balance": 0}})
    with pytest.raises(AuthenticationError):
        JIMMY.read_balance([refused, refused])


def test_what_the_documents_say_of_times_and_refunds() -> None:
    assert (JIMMY.poll_advice_seconds, JIMMY.result_lifetime) == (10.0, timedelta(days=3))
    assert (JIMMY.refund_on_failure, JIMMY.shows_balance) == ("undocumented", True)


def test_words_of_any_length_are_kept_short() -> None:
    failed = job({"status": "failed", "error_code": "E" * 999, "error_message": "m" * 9999})
    view = JIMMY.read_job(answer(failed), "vid_1")
    assert (len(view.error_code or ""), len(view.error_message or "")) == (120, 300)
    assert len(JIMMY.read_job(answer(job({"status": "w" * 999})), "vid_1").provider_status) == 60


@pytest.mark.parametrize(("status", "own"), [(200, True), (404, True), (302, False), (502, False)])
def test_the_own_form_is_no_redirect_and_no_error_of_a_server(status: int, own: bool) -> None:
    assert JIMMY.own_form(answer({"code": "20004", "msg": "no such job"}, status)) is own
