"""Jimmy AI's side: the life of a job, and every dialect of its answers."""

from __future__ import annotations

import io
import itertools
from decimal import Decimal

import av
import httpx
import pytest

from prefect_seedance.sandbox import SandboxSettings


def test_the_life_of_a_job(client):
    answer = client.jimmy({"model": "seedance2.0-mini", "prompt": "雨夜", "duration": 5, "ratio": "9:16"})
    assert answer.json() == {
        "code": 0,
        "msg": "ok",
        "data": {
            "task_id": answer.json()["data"]["task_id"],
            "status": "queued",
            "model": "seedance2.0-mini",
            "created_at": int(client.clock.now),
        },
    }
    job_id = answer.json()["data"]["task_id"]
    seen = [client.jimmy_view(job_id)]
    for _ in range(20):
        client.clock.now += 2
        seen.append(client.jimmy_view(job_id))
    words = [view["status"] for view in seen]
    assert [word for index, word in enumerate(words) if word not in words[:index]] == [
        "queued",
        "processing",
        "completed",
    ]
    progress = [view["progress"] for view in seen]
    assert progress == sorted(progress)
    assert progress[0] == 0
    assert progress[-1] == 100
    assert all("result" not in view for view in seen if view["status"] != "completed")
    assert 20 <= seen[-1]["completed_at"] - seen[-1]["created_at"] <= 40

    with av.open(io.BytesIO(httpx.get(seen[-1]["result"]["video_url"]).content)) as video:
        stream = video.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (720, 1280, 24)
        assert video.duration == 5 * av.time_base
        assert sum(1 for _ in video.decode(stream)) == 120


@pytest.mark.parametrize(
    ("dialect", "create_code", "query_code"),
    [("documented", 0, "20000"), ("0", 0, 0), ("20000", "20000", "20000"), ("int20000", 20000, 20000)],
)
def test_envelopes(client, dialect, create_code, query_code):
    client.server.faults.jimmy_envelope = dialect
    created = client.jimmy({"model": "seedance2.0-mini", "prompt": "x", "duration": 5}).json()
    viewed = client.jimmy_get(f"videos/{created['data']['task_id']}").json()
    assert (created["code"], viewed["code"]) == (create_code, query_code)
    assert type(created["code"]) is type(create_code)


def test_bare_answers_have_no_envelope(client):
    client.server.faults.jimmy_envelope = "bare"
    created = client.jimmy({"model": "seedance2.0-mini", "prompt": "x", "duration": 5}).json()
    assert created["status"] == "queued"
    assert client.jimmy_get(f"videos/{created['task_id']}").json()["status"] == "queued"


def test_the_faq_has_other_names_for_the_same_things(client):
    client.server.faults.jimmy_envelope = "faq"
    good, bad = (
        client.jimmy({"model": "seedance2.0-mini", "prompt": prompt, "duration": 4}).json()["data"]["taskId"]
        for prompt in ("x", "x [fail]")
    )
    client.finish()
    assert client.jimmy_view(good)["status"] == "success"
    assert httpx.get(client.jimmy_view(good)["mediaUrl"]).status_code == 200
    assert client.jimmy_view(bad)["error_msg"] == "video generation failed"


def test_progress_may_be_uneven_and_is_honest_still(client):
    client.server.faults.progress = "uneven"
    job_id = client.jimmy_job()
    (job,) = client.server.state.jobs()
    born, steps = client.clock.now, []
    for eighth in range(2, 9):
        client.clock.now = born + job.run_seconds * eighth / 8
        steps.append(client.jimmy_view(job_id)["progress"])
    assert steps == sorted(steps)
    assert steps[-1] == 100
    ways = [after - before for before, after in itertools.pairwise(steps)]
    assert min(ways) >= 4
    assert max(ways) - min(ways) >= 3  # an even one would move by 12 or 13 each time


def test_progress_may_be_missing(client):
    client.server.faults.progress = "none"
    assert "progress" not in client.jimmy_view(client.jimmy_job())


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("Mickey Mouse dances", "PROVIDER_MODERATION_ERROR: TRADEMARK"),
        ("米老鼠跳舞", "PROVIDER_MODERATION_ERROR: TRADEMARK"),
        ("x [review]", "PROVIDER_MODERATION_ERROR"),
        ("x [fail]", "video generation failed"),
    ],
)
def test_failed_jobs_say_why_and_are_charged(client, prompt, message):
    job_id = client.jimmy_job(prompt=prompt)
    client.finish()
    view = client.jimmy_view(job_id)
    assert (view["status"], view["error_message"], view["progress"]) == ("failed", message, 0)
    (line,) = client.server.state.bill()
    assert (line.state, line.refunded, line.cost) == ("failed", False, Decimal("0.20"))


@pytest.mark.parametrize("status", [200, 400])
def test_refusals_name_the_field_and_their_status_is_a_setting(client, status):
    client.server.faults.jimmy_error_status = status
    answer = client.jimmy({"model": "seedance2.0-mini", "prompt": "x", "duration": 99})
    assert (answer.status_code, answer.json()["code"]) == (status, 20002)
    assert "duration" in answer.json()["msg"]
    wrong = client.jimmy({}, key="sk_wrong")
    assert (wrong.status_code, wrong.json()["code"]) == (401 if status == 400 else 200, 20001)
    missing = client.jimmy_get("videos/vid_missing")
    assert (missing.status_code, missing.json()["code"]) == (404 if status == 400 else 200, 20002)
    assert client.server.state.bill() == []


def test_an_anyfast_key_opens_nothing_here(client):
    assert client.jimmy({}, key="sk-sandbox").json()["code"] == 20001


class TestFunds:
    @pytest.fixture
    def sandbox_settings(self, clock):
        return SandboxSettings(clock=clock, funds=Decimal("0.30"))

    def test_a_low_balance_refuses_and_makes_nothing(self, client):
        client.jimmy_job(duration=4)
        answer = client.jimmy({"model": "seedance2.0-mini", "prompt": "x", "duration": 4})
        assert (answer.status_code, answer.json()["code"]) == (400, 20002)
        assert "余额不足" in answer.json()["msg"]
        assert len(client.server.state.bill()) == 1
        balance = client.jimmy_get("user/balance").json()["data"]
        assert balance == {"balance": 0.3, "used_coin": 0.2, "available": 0.1}
        key = client.jimmy_get("key/balance").json()["data"]
        assert (key["total_quota"], key["used_quota"], key["available_quota"], key["unlimited"]) == (
            0.3,
            0.2,
            0.1,
            False,
        )


class TestAccounts:
    @pytest.fixture
    def sandbox_settings(self, clock):
        keys = {"sk_old": "jimmy/shop", "sk_new": "jimmy/shop", "sk_other": "jimmy/other"}
        return SandboxSettings(clock=clock, keys=keys)

    def test_keys_of_one_account_share_its_jobs_and_strangers_do_not(self, client):
        job = client.jimmy({"model": "seedance2.0-mini", "prompt": "x", "duration": 5}, key="sk_old").json()
        path = f"videos/{job['data']['task_id']}"
        assert client.jimmy_get(path, key="sk_new").status_code == 200
        assert client.jimmy_get(path, key="sk_other").status_code == 404
        (line,) = client.server.state.bill()
        assert (line.account, line.account_key_tail) == ("jimmy/shop", "_old")
