"""The server as a whole: starting, stopping, remembering, its books, and whatever bytes come in."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from decimal import Decimal

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.sandbox import BillLine, Faults, SandboxServer, SandboxSettings, State
from prefect_seedance.sandbox.__main__ import main
from prefect_seedance.sandbox.fixtures import sandbox  # noqa: F401 - a fixture, as users import it
from tests.patience import eventually, patience

JIMMY = {"model": "seedance2.0-mini", "prompt": "猫", "duration": 4}
KEY = {"Authorization": "Bearer sk_sandbox"}
CREATE = "/api/open-api/v1/seedance/videos"


def test_a_restarted_sandbox_knows_its_jobs_bill_uploads_and_links(tmp_path, clock):
    chosen = SandboxSettings(clock=clock, state_path=tmp_path / "deep" / "state.db")
    with SandboxServer(chosen, Faults(failed=1.0)) as first:
        httpx.post(first.url + CREATE, json=JIMMY, headers=KEY)
        first.faults.rest()
        first.faults.queue("create", "truncated_result", "never_ending")
        for _ in range(2):
            httpx.post(first.url + CREATE, json=JIMMY, headers=KEY)
        asset = first.state.assets.add("sp", "jimmy", name="a", kind="image", url="https://example.com/a.png")
        upload = first.state.uploads.add("a.png", "image/png", b"png")
        clock.now += 60
        bill, jobs = first.state.bill(), first.state.jobs()
    with SandboxServer(chosen) as second:
        assert second.state.bill() == bill
        assert second.state.jobs() == jobs
        assert second.state.unfinished("jimmy") == 1
        assert second.state.assets.get(asset.id, "jimmy") == asset
        assert second.state.uploads.get(upload.id) == (upload, b"png")
        path = f"/api/open-api/v1/videos/{jobs[1].id}"
        link = httpx.get(second.url + path, headers=KEY).json()["data"]["result"]["video_url"]
        httpx.post(second.url + CREATE, json=JIMMY, headers=KEY)
        fourth = second.state.jobs()[-1]
        second.state.reset()
        assert second.state.bill() == []
    assert link.startswith(second.url)
    # The fourth of equal requests lasts as long as if the sandbox had never stopped.
    with SandboxServer(SandboxSettings(clock=clock)) as unbroken:
        for _ in range(4):
            httpx.post(unbroken.url + CREATE, json=JIMMY, headers=KEY)
        assert unbroken.state.jobs()[-1].run_seconds == fourth.run_seconds
    with SandboxServer(chosen) as third:
        assert third.state.jobs() == []


def test_a_sandbox_takes_its_old_port_again_at_once():
    with SandboxServer() as first:
        httpx.get(first.url)
        port = int(first.url.rpartition(":")[2])
    with pytest.raises(httpx.ConnectError):
        httpx.get(first.url)
    with SandboxServer(port=port) as second:
        assert httpx.get(second.url).status_code == 200
        with pytest.raises(OSError, match=r"[Aa]ddress already in use"):
            SandboxServer(port=port)


def test_stopping_ends_a_slow_answer_soon():
    server = SandboxServer(faults=Faults(slow_create=1.0, slow_create_seconds=3600)).start()
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(httpx.post(server.url + CREATE, json=JIMMY, headers=KEY, timeout=patience()))
    )
    thread.start()
    eventually(server.state.bill, "the create")
    server.stop()
    server.stop()
    thread.join()
    assert [answer.status_code for answer in answers] == [200], "the answer came an hour early"


def test_the_books_over_http(client):
    client.jimmy_job(prompt="<b>猫</b>")
    client.anyfast_job()
    (first, second) = client.http.get("/_sandbox/bill").json()
    assert (first["billing_model"], Decimal(first["cost"]), first["prompt"]) == (
        "seedance2.0-mini-720p",
        Decimal("0.20"),
        "<b>猫</b>",
    )
    assert second["units"] == "0.1089"
    assert set(first) == {*BillLine.__dataclass_fields__, "cost"}
    calls = client.http.get("/_sandbox/calls").json()
    assert (calls["jimmy.create"], calls["anyfast.create"]) == (1, 1)
    jobs = client.http.get("/_sandbox/jobs").json()
    assert [job["state"] for job in jobs] == ["waiting", "waiting"]
    client.finish()
    ended = client.clock.now
    client.jimmy_view(jobs[0]["job_id"])
    client.clock.now += 5
    client.jimmy_view(jobs[0]["job_id"])
    jobs = client.http.get("/_sandbox/jobs").json()
    assert [job["told_at"] for job in jobs] == [ended, None]
    assert 20 <= jobs[0]["finished_at"] - jobs[0]["created_at"] <= 40
    page = client.http.get("/").text
    assert "sk_sandbox" in page
    assert "0.2 CNY" in page


def test_equal_requests_are_seen_on_the_bill(client):
    for prompt in ("a", "b", "a"):
        client.jimmy_job(prompt=prompt)
    hashes = [line.request_sha256 for line in client.server.state.bill()]
    assert hashes[0] == hashes[2] != hashes[1]


def test_the_fixture_for_users(sandbox):  # noqa: F811
    answer = httpx.post(sandbox.url + CREATE, json=JIMMY, headers=KEY).json()
    assert sandbox.state.job(answer["data"]["task_id"]) is not None


def test_jobs_take_their_time_divided_by_the_speed():
    quick = State(SandboxSettings(speed=10))
    with SandboxServer(quick.settings) as server:
        for number in range(50):
            httpx.post(server.url + CREATE, json={**JIMMY, "prompt": str(number)}, headers=KEY)
        seconds = [job.run_seconds for job in server.state.jobs()]
    assert all(2 <= value <= 4 for value in seconds)
    assert len(set(seconds)) == 50


@pytest.mark.parametrize(
    "wrong", [{"speed": 0}, {"speed": float("nan")}, {"job_seconds": (5, 1)}, {"keys": {"sk": "nobody"}}]
)
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"speed|job_seconds|key"):
        SandboxSettings(**wrong)


@pytest.fixture(scope="module")
def running():
    with SandboxServer() as server, httpx.Client(base_url=server.url) as http:
        yield server, http


PATHS = st.sampled_from(
    [
        CREATE,
        "/v1/video/generations",
        "/api/open-api/v1/files/upload",
        "/api/open-api/v1/seedance/sp/assets/upload",
        "/api/open-api/v1/seedance/sp/assets/status",
        "/volc/asset/CreateAsset",
        "/volc/asset/ListAssets",
        "/_sandbox/faults",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["model", "content", "queue", "Filter", "prompt", "type", "asset_ids"]), inner
        )
    ),
    max_leaves=8,
)
BODIES = (
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.sampled_from([b"[" * 100_000, b'{"model":"seedance2.0-mini","prompt":"\\ud800","duration":5}'])
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, BODIES, st.sampled_from(["sk_sandbox", "sk-sandbox", "sk"]))
def test_no_body_breaks_the_server(running, path, body, key):
    _, http = running
    answer = http.post(
        path, content=body, headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    )
    assert answer.status_code < 500, answer.text
    assert isinstance(answer.json(), dict)


def test_the_command_line_serves_and_ends_quietly(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [sys.executable, "-W", "error", "-m", "prefect_seedance.sandbox", "--port", str(port), "--speed", "50"]
    arguments += ["--state", str(tmp_path / "state.db"), "--faults", '{"jimmy_envelope": "bare"}']
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert str(port) in process.stdout.readline()
        url = f"http://127.0.0.1:{port}"

        def created():
            with contextlib.suppress(httpx.ConnectError):
                return httpx.post(url + CREATE, json=JIMMY, headers=KEY)

        assert eventually(created, "the server").json()["status"] == "queued"
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=patience())
    assert (process.returncode, errors) == (0, "")


def test_the_command_line_explains_what_is_wrong(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 1
    assert "cannot listen" in capsys.readouterr().err
    for wrong in (["--speed", "0"], ["--faults", '{"typo": 1}'], ["--faults", "{"], ["--faults", "[1]"]):
        with pytest.raises(SystemExit) as exit_:
            main(wrong)
        assert exit_.value.code == 2
    capsys.readouterr()
