"""An answer that names its job is an answer; the ids of an upstream inside it never count as another job."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prefect_seedance.errors import InvalidResponse, NotFound, UnknownOutcome
from prefect_seedance.providers import Answer, JobView, dialect_of
from prefect_seedance.providers.job_ids import jobs_named, names_other_job

CODES: dict[str, Any] = {"jimmy": 0, "anyfast": "success"}
PROVIDERS = pytest.mark.parametrize("provider", sorted(CODES))


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(body).encode())


@PROVIDERS
@pytest.mark.parametrize(
    "data",
    [
        {"task_id": "vid_77"},
        {"id": "vid_77"},
        {"video_id": "vid_77"},
        {"jobId": "vid_77", "id": 12},
        {"task_id": "vid_77", "video_id": "upstream-7"},
        "vid_77",
        {"data": {"task_id": "vid_77"}},
        {"data": "vid_77"},
        {"data": [{"id": "vid_77"}]},
        [{"task_id": "vid_77"}],
        ["vid_77"],
        {"id": "vid_77", "data": {"id": "cgt-upstream-1", "task_id": "cgt-upstream-2"}},
    ],
)
def test_a_success_code_and_one_id_are_a_job(provider: str, data: Any) -> None:
    body = {"code": CODES[provider], "data": data}
    assert dialect_of(provider).read_created(answer(body)).job_id == "vid_77"


@PROVIDERS
@pytest.mark.parametrize(
    ("data", "named"),
    [
        ("ok", None),
        ("queued", None),
        ("任务已提交", None),
        ([], None),
        ({"list": []}, None),
        (["vid_77123", "vid_88123"], None),
        ([{"id": "vid_77"}, {"id": "vid_88"}], None),
        ({"job_id": "vid_77", "video_id": "vid_88"}, None),
        ({"result": {"task_id": "vid_77"}}, "vid_77"),
    ],
)
def test_no_id_or_several_are_none(provider: str, data: Any, named: str | None) -> None:
    with pytest.raises(UnknownOutcome) as caught:
        dialect_of(provider).read_created(answer({"code": CODES[provider], "data": data}))
    assert caught.value.named_job == named


@PROVIDERS
@pytest.mark.parametrize("body", [{"data": "vid_77123"}, {"data": ["vid_77123"]}, {"data": [{"id": "vid_77123"}]}])
def test_without_a_success_code_only_documented_fields_count(provider: str, body: Any) -> None:
    with pytest.raises(UnknownOutcome):
        dialect_of(provider).read_created(answer(body))


JOB: dict[str, dict[str, Any]] = {
    "jimmy": {"code": 0, "data": {"task_id": "vid_111111", "status": "failed"}},
    "anyfast": {"code": "success", "data": {"task_id": "vid_111111", "status": "FAILURE"}},
}


@PROVIDERS
def test_the_answer_about_another_job_ends_nothing(provider: str) -> None:
    read = dialect_of(provider).read_job
    assert isinstance(read(answer(JOB[provider]), "vid_111111"), JobView)
    with pytest.raises(InvalidResponse, match="asked about job vid_222222, and answered about job vid_111111"):
        read(answer(JOB[provider]), "vid_222222")
    # Its own id under another name, or of another kind, is no other job.
    assert read(answer(JOB[provider]), "cgt-222222").job_id == "cgt-222222"
    with pytest.raises(InvalidResponse):
        read(
            answer({"code": "404", "msg": "task not found", "message": "x", "task_id": "vid_111111"}, 404), "vid_222222"
        )
    with pytest.raises(NotFound):
        read(answer({"code": "404", "msg": "task not found", "message": "task not found"}, 404), "vid_222222")


@pytest.mark.parametrize(
    ("asked", "records", "other"),
    [
        ("vid_111111", [{}, {"task_id": "VID_111111"}], None),
        ("vid_111111", [{"id": "vid_111111"}, {"task_id": "vid_222222"}], None),
        ("vid_111111", [{"id": 7}, {"task_id": "vid_222222"}], None),
        ("vid_111111", [{"id": "vid_222222", "task_id": "vid_111111"}], None),
        ("vid_111111", [{"request_id": "vid_222222"}], None),
        ("cgt-1-a", [{"task_id": "asyntask_2"}], None),
        ("cgt-2026-7db6s", [{"task_id": "cgt-2027-aaaa"}], "cgt-2027-aaaa"),
        ("1001", [{"id": 1002}], "1002"),
        ("1001", [{"id": 20002}], None),
        ("0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f", [{"id": "ffffffff-1111-4111-9111-ffffffffffff"}], "ffffffff"),
    ],
)
def test_only_an_id_of_the_same_form_is_that_of_another_job(asked: str, records: Any, other: str | None) -> None:
    found = names_other_job(asked, *records)
    assert found == other if other is None else (found or "").startswith(other)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("task_id-task_id: abc123", ("abc123",)),
        ("the video-id is job_id=abcdef, task id: abc-123-x", ("abc-123-x",)),
        ("任务编号：abc123。任务 ID abc456", ("abc123", "abc456")),
        ("task_id " + "a" * 150 + "1", ("a" * 150 + "1",)),
        ("task_id " + "a1" * 150, ()),
        ("task_id " + "-" * 9 + "abc123", ()),
    ],
)
def test_ids_in_text_follow_their_names(text: str, named: tuple[str, ...]) -> None:
    assert jobs_named(Answer(500, {}, text.encode())) == named
