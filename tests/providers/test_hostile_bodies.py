"""Whatever bytes come: a typed result or one of our errors, and never a false proof."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from prefect_seedance.errors import DuplicateName, InvalidResponse, NotFound, Refused, SeedanceError, UnknownOutcome
from prefect_seedance.providers import (
    DIALECTS,
    Answer,
    AssetState,
    AssetView,
    Balance,
    Created,
    JobState,
    JobView,
    Uploaded,
)

NAMES = st.sampled_from(
    [
        "code",
        "msg",
        "message",
        "data",
        "task_id",
        "taskId",
        "id",
        "status",
        "result",
        "video_url",
        "url",
        "error",
        "type",
        "progress",
        "created_at",
        "completed_at",
        "submit_time",
        "finish_time",
        "usage",
        "completion_tokens",
        "content",
        "fail_reason",
        "error_message",
        "request_id",
        "result_url",
        "duration",
        "ratio",
        "resolution",
        "balance",
        "asset_id",
        "assetId",
        "asset_ref",
        "items",
        "failedItems",
        "Id",
        "Status",
        "Name",
        "Items",
        "TotalCount",
        "Error",
        "Code",
        "Message",
        "Result",
        "ResponseMetadata",
        "size",
    ]
)
WORDS = st.sampled_from(
    [
        "success",
        "SUCCESS",
        "completed",
        "failed",
        "FAILURE",
        "queued",
        "",
        "20000",
        "20001",
        "20002",
        "-1",
        "vid_123456",
        "fail_to_fetch_task",
        "InvalidParameter.x",
        "https://h/v.mp4?s=1",
        "https://[",
        "upstream",
        "timeout",
        "100%",
        '{"error":{"code":"InvalidParameter","message":"m"}}',
        '{"message":"{"',
        "\ud800",
        "..",
        "1e999",
        "nan",
        "Active",
        "Failed",
        "Inactive",
        "asset-1234567",
        "Asset://x",
        "exists in group",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=25,
)
BODIES = st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode())
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 599])
HEADERS = st.dictionaries(st.sampled_from(["Retry-After", "Date", "Location", "X-Request-Id"]), st.text(max_size=20))
ANSWERS = st.builds(Answer, status=STATUSES, headers=HEADERS, body=BODIES)
PROVIDERS = st.sampled_from(sorted(DIALECTS))


def outcome(read: Any, *args: Any) -> Any:
    try:
        result = read(*args)
    except SeedanceError as raised:
        error = raised
    else:
        return result
    str(error).encode("utf-8")
    assert error.message.isprintable()
    assert len(error.message) < 1000
    return error


@given(PROVIDERS, ANSWERS)
@example("anyfast", Answer(200, {}, b'{"error":{"code":"' + b"x" * 200_000 + b'"}}'))
@example("jimmy", Answer(200, {}, b'{"code":"1","msg":"' + "任务".encode() * 200_000 + b'"}'))
@example("jimmy", Answer(200, {}, b'{"a":' * 50_000))
@example("jimmy", Answer(200, {}, b"task_id-" * 125_000))
@example("anyfast", Answer(200, {}, b"task_id" + b"-" * 1_000_000))
@example("jimmy", Answer(200, {}, b'{"data":[' + b"{}," * 300_000 + b"{}]}"))
@example("anyfast", Answer(400, {}, json.dumps({"code": "x", "message": '{"error":' * 3000}).encode()))
def test_creates(provider: str, answer: Answer) -> None:
    result = outcome(DIALECTS[provider].read_created, answer)
    assert isinstance(result, Created | Refused | UnknownOutcome)
    if isinstance(result, Created):
        assert 200 <= answer.status < 300
        assert result.job_id.isprintable()
        assert result.job_id not in {"", ".", ".."}
    if isinstance(result, Refused):
        assert answer.status < 500
        assert not 300 <= answer.status < 400
        if answer.status not in {401, 404, 429}:  # these prove it from whatever is on the way
            parsed = json.loads(answer.body)
            assert parsed.get("code") is not None or parsed.get("error")


@given(PROVIDERS, st.dictionaries(NAMES, VALUES), st.sampled_from(["task_id", "taskId"]), STATUSES)
def test_no_answer_that_names_a_job_is_a_refusal(provider: str, rest: dict[str, Any], name: str, status: int) -> None:
    answer = Answer(status, {}, json.dumps(rest | {name: "job-1"}).encode())
    result = outcome(DIALECTS[provider].read_created, answer)
    assert isinstance(result, Created | UnknownOutcome)


@given(PROVIDERS, ANSWERS)
def test_queries(provider: str, answer: Answer) -> None:
    result = outcome(DIALECTS[provider].read_job, answer, "asked")
    assert isinstance(result, JobView | NotFound | Refused | InvalidResponse)
    if isinstance(result, JobView):
        assert 200 <= answer.status < 300
        assert result.job_id == "asked"
        assert (result.video_url is not None) == (result.state is JobState.SUCCEEDED)
        assert result.progress is None or 0 <= result.progress <= 1
        assert result.tokens is None or result.tokens >= 0
        if result.state is not JobState.FAILED and result.status_known:
            assert (result.error_code, result.error_message, result.moderated) == (None, None, False)
    if isinstance(result, NotFound):
        assert json.loads(answer.body)  # never by the word of something on the way


@given(PROVIDERS, st.lists(ANSWERS, min_size=1, max_size=2))
def test_balances(provider: str, answers: list[Answer]) -> None:
    result = outcome(DIALECTS[provider].read_balance, answers)
    assert isinstance(result, Balance | Refused | InvalidResponse)


@given(PROVIDERS, st.sampled_from(["sp", "portrait", "audit"]), ANSWERS)
def test_uploads_and_assets(provider: str, library: Any, answer: Answer) -> None:
    dialect = DIALECTS[provider]
    library = library if provider == "jimmy" else "volc"
    uploaded = outcome(dialect.read_uploaded, answer)
    assert isinstance(uploaded, Uploaded | Refused | InvalidResponse)
    for view in (
        outcome(dialect.read_asset, answer, library, "asked"),
        outcome(dialect.read_submitted, answer, library),
    ):
        assert isinstance(view, AssetView | NotFound | Refused | InvalidResponse | UnknownOutcome)
        if isinstance(view, AssetView):
            assert 200 <= answer.status < 300
            assert (view.reference is not None) == (view.state is AssetState.ACTIVE)
            assert view.reference is None or view.reference.startswith("asset://")
            assert view.reference is None or " " not in view.reference
            if view.state is not AssetState.FAILED:
                assert (view.error_code, view.error_message) == (None, None)
        if isinstance(view, UnknownOutcome):
            assert provider == "anyfast"
    if provider == "anyfast":
        assert isinstance(outcome(dialect.read_group, answer), str | Refused | UnknownOutcome)
        assert isinstance(outcome(dialect.read_submitted, answer, "volc"), AssetView | Refused | UnknownOutcome)
        for read in (dialect.read_groups, dialect.read_assets):
            assert isinstance(outcome(read, answer), tuple | Refused | InvalidResponse)


@given(st.dictionaries(NAMES, VALUES), STATUSES)
def test_no_answer_that_names_an_asset_is_a_refusal(rest: dict[str, Any], status: int) -> None:
    body = json.dumps({name: value for name, value in rest.items() if name != "id"} | {"Id": "asset-1"})
    result = outcome(DIALECTS["anyfast"].read_submitted, Answer(status, {}, body.encode()), "volc")
    assert isinstance(result, AssetView | UnknownOutcome | DuplicateName)


@pytest.mark.parametrize("provider", sorted(DIALECTS))
@given(cut=st.integers(0, 400))
def test_a_cut_body_never_passes_for_a_whole_one(provider: str, cut: int) -> None:
    whole = json.dumps(
        {"code": "success" if provider == "anyfast" else "0", "data": {"task_id": "vid_1", "status": "queued"}}
    ).encode()
    cut = min(cut, len(whole) - 1)
    assert isinstance(outcome(DIALECTS[provider].read_created, Answer(200, {}, whole[:cut])), UnknownOutcome)
