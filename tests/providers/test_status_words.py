"""The words for the end of a job, and what is not known of a status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from prefect_seedance.errors import InvalidResponse
from prefect_seedance.providers import Answer, JobState, JobView, dialect_of

LINK = "https://h/v.mp4?s=1"
PROVIDERS = pytest.mark.parametrize("provider", ["jimmy", "anyfast"])


def view(provider: str, **fields: Any) -> JobView:
    code = {"jimmy": 0, "anyfast": "success"}[provider]
    body = {"code": code, "data": {"task_id": "vid_1", **fields}}
    return dialect_of(provider).read_job(Answer(200, {}, json.dumps(body, ensure_ascii=False).encode()), "vid_1")


@PROVIDERS
@pytest.mark.parametrize(
    ("word", "state"),
    [
        *((word, JobState.SUCCEEDED) for word in ("succeed", "done", "finished", "complete", "Complete")),
        *((word, JobState.FAILED) for word in ("fail", "timeout", "rejected", "expired", "cancelled", "error")),
        *((word, JobState.WAITING) for word in ("waiting", "created")),
        *((word, JobState.RUNNING) for word in ("in-progress", "In Progress", "generating")),
    ],
)
def test_words_of_relays(provider: str, word: str, state: JobState) -> None:
    seen = view(provider, status=word, url=LINK)
    assert (seen.state, seen.provider_status, seen.status_known) == (state, word, True)


@PROVIDERS
@pytest.mark.parametrize("word", ["baked", 3, "完成"])
def test_an_unknown_word_with_a_link_and_full_progress_is_a_success(provider: str, word: object) -> None:
    seen = view(provider, status=word, progress=100, url=LINK)
    assert (seen.state, seen.video_url, seen.status_known) == (JobState.SUCCEEDED, LINK, False)
    for fields in ({"progress": 99, "url": LINK}, {"url": LINK}, {"progress": 100}):
        seen = view(provider, status=word, fail_reason="no stock", **fields)
        assert (seen.state, seen.video_url, seen.status_known) == (JobState.RUNNING, None, False)
        assert (seen.provider_status, seen.error_message, seen.moderated) == (str(word), "no stock", False)


@PROVIDERS
def test_a_known_word_outweighs_link_and_progress(provider: str) -> None:
    assert view(provider, status="processing", progress=100, url=LINK).state is JobState.RUNNING
    assert view(provider, status="failed", progress=100, url=LINK).state is JobState.FAILED


@PROVIDERS
@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {"url": LINK}},
        {"video_urls": [LINK]},
        {"videos": [{"url": LINK, "cover": "https://h/c"}]},
        {"fail_reason": LINK},
        {"output": {"list": [{"play": LINK}]}, "last_frame_url": "https://h/last", "preview": "https://h/p.png"},
        {"a": LINK, "b": LINK},
        {"images": ["https://h/in"], "input": {"reference_video": "https://h/in.mp4"}, "file": LINK},
    ],
)
def test_the_one_link_of_the_answer(provider: str, fields: dict[str, Any]) -> None:
    assert view(provider, status="success", **fields).video_url == LINK


@PROVIDERS
@pytest.mark.parametrize(
    "fields", [{}, {"a": LINK, "b": "https://h/w.mp4"}, {"video_url": "seedance/x.mp4"}, {"note": f"see {LINK}"}]
)
def test_no_link_or_several_are_no_result(provider: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponse):
        view(provider, status="success", **fields)


@PROVIDERS
@pytest.mark.parametrize(
    ("link", "fetched"),
    [
        ("//h/v.mp4", "https://h/v.mp4"),
        (" https://h/a video.mp4?name=猫 1&s=%2B ", "https://h/a%20video.mp4?name=%E7%8C%AB%201&s=%2B"),
        ("http://h:80/v.mp4?a=b/c+d~e'(f)", "http://h:80/v.mp4?a=b/c+d~e'(f)"),
        ("https://h", "https://h"),
    ],
)
def test_links_that_cannot_be_fetched_as_they_are(provider: str, link: str, fetched: str) -> None:
    assert view(provider, status="success", video_url=link).video_url == fetched
    assert view(provider, status="success", videos=[{"x": link}]).video_url == fetched
