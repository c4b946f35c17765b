"""Anyfast's side: the life of a job, its query shapes and its error shapes."""

from __future__ import annotations

import json
from decimal import Decimal

import httpx
import pytest

from prefect_seedance.sandbox import SandboxSettings


def test_create_answers_as_the_document_shows(client):
    answer = client.anyfast(
        {
            "model": "seedance-2.0-mini",
            "content": [
                {"type": "text", "text": "一只猫在弹钢琴"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}, "role": "reference_image"},
            ],
        }
    ).json()
    assert answer.pop("id") == answer.pop("task_id")
    assert answer == {
        "object": "video",
        "model": "seedance-2.0-mini",
        "status": "",
        "progress": 0,
        "created_at": int(client.clock.now),
    }


def test_the_life_of_a_job_in_the_new_shape(client):
    job_id = client.anyfast_job(ratio="16:9")
    seen = [client.anyfast_view(job_id)]
    for _ in range(20):
        client.clock.now += 2
        seen.append(client.anyfast_view(job_id))
    assert all(view["code"] == "success" for view in seen)
    words = [view["data"]["status"] for view in seen]
    assert sorted(set(words), key=words.index) == ["QUEUED", "IN_PROGRESS", "SUCCESS"]
    first, running, last = (seen[words.index(word)]["data"] for word in ("QUEUED", "IN_PROGRESS", "SUCCESS"))
    assert (first["progress"], first["start_time"], first["data"]) == ("0%", 0, None)
    assert 50 <= int(running["progress"].removesuffix("%")) < 100
    assert "result_url" not in running
    assert last["progress"] == "100%"
    assert last["data"]["usage"] == {"completion_tokens": 108_900, "total_tokens": 108_900}
    assert last["data"]["content"]["video_url"] == last["result_url"]
    assert (last["data"]["ratio"], last["data"]["resolution"], last["data"]["duration"]) == ("16:9", "720p", 5)
    (line,) = client.server.state.bill()
    assert (line.unit, line.units, line.amount) == ("million_tokens", Decimal("0.1089"), Decimal("2.5047"))


@pytest.mark.parametrize(
    ("dialect", "good", "bad"),
    [("flat", "completed", "failed"), ("upper", "SUCCESS", "FAILURE"), ("lower", "succeeded", "failed")],
)
def test_other_query_shapes(client, dialect, good, bad):
    client.server.faults.anyfast_dialect = dialect
    jobs = client.anyfast_job(), client.anyfast_job(prompt="x [fail]")
    client.finish()
    success, failure = (client.anyfast_view(job) for job in jobs)
    if dialect == "lower":
        success, failure = success["data"], failure["data"]
        assert success["fail_reason"] == success["result_url"]
        link = success["result_url"]
    else:
        assert set(success) == {"id", "model", "status", "created_at", "video_url"}
        link = success["video_url"]
    assert (success["status"], failure["status"]) == (good, bad)
    assert httpx.get(link).status_code == 200
    assert failure["fail_reason"] == "task failed: internal service error"


def test_failures_give_the_money_back(client):
    plain, review = client.anyfast_job(prompt="x [fail]"), client.anyfast_job(prompt="x [review]")
    assert [line.refunded for line in client.server.state.bill()] == [False, False]
    client.finish()
    data = client.anyfast_view(review)["data"]
    assert (data["status"], data["progress"]) == ("FAILURE", "100%")
    assert json.loads(data["fail_reason"])["error"]["code"] == "OutputVideoSensitiveContentDetected"
    assert "usage" not in client.anyfast_view(plain)["data"]["data"]
    assert [(line.refunded, line.cost) for line in client.server.state.bill()] == [(True, 0), (True, 0)]
    assert all(line.amount > 0 for line in client.server.state.bill())


def test_the_review_refuses_a_prompt_in_a_nested_error(client):
    content = [{"type": "text", "text": "Mickey Mouse dances"}]
    answer = client.anyfast({"model": "seedance-2.0-mini", "content": content})
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["data"]) == ("fail_to_fetch_task", None)
    assert json.loads(answer.json()["message"])["error"]["code"] == "InputTextSensitiveContentDetected"
    assert client.server.state.bill() == []


def test_errors_in_the_gateways_form(client):
    def error(answer):
        return answer.status_code, answer.json()["error"]["code"]

    assert error(client.anyfast({}, key="sk-wrong")) == (401, "invalid_api_key")
    assert error(client.anyfast({"model": "seedance-9", "content": []})) == (400, "model_not_found")
    assert error(client.anyfast({"model": "seedance-2.0-mini"})) == (400, "invalid_request")
    assert error(client.anyfast_get("/v1/video/generations/cgt-none")) == (404, "task_not_exist")
    assert error(client.anyfast_get("/v1/models", key="sk_sandbox")) == (401, "invalid_api_key")


def test_models_try_a_key_for_free(client):
    assert [model["id"] for model in client.anyfast_get("/v1/models").json()["data"]] == ["seedance-2.0-mini"]


class TestFunds:
    @pytest.fixture
    def sandbox_settings(self, clock):
        return SandboxSettings(clock=clock, funds=Decimal(3))

    def test_a_spent_quota_is_a_401_that_only_its_text_tells_from_a_wrong_key(self, client):
        client.anyfast_job(prompt="x [fail]")
        body = {"model": "seedance-2.0-mini", "content": [{"type": "text", "text": "y"}]}
        answer = client.anyfast(body)
        assert answer.status_code == 401
        assert "remaining quota" in answer.json()["error"]["message"]
        client.finish()  # the failed job's money comes back
        assert client.anyfast(body).status_code == 200
