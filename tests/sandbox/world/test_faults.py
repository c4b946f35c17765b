"""What goes wrong on purpose goes wrong on the wire, and the bill knows what was made all the same."""

from __future__ import annotations

import json
import time
from collections import Counter

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_seedance.sandbox import Faults, SandboxSettings, State, build_app
from prefect_seedance.sandbox.world.faults import CREATE_FAULTS, JOB_FAULTS, RATES
from tests.patience import eventually, patience

JIMMY = {"model": "seedance2.0-mini", "prompt": "x", "duration": 4}
ANYFAST = {"model": "seedance-2.0-mini", "content": [{"type": "text", "text": "x"}]}


def creators(client):
    return [lambda: client.jimmy(JIMMY), lambda: client.anyfast(ANYFAST)]


def made(client):
    return len(client.server.state.bill())


@pytest.mark.parametrize(("kind", "lines"), [("cut_before", 0), ("cut_after", 1)])
@pytest.mark.parametrize("provider", [0, 1])
def test_a_cut_is_no_answer_and_only_the_bill_tells_before_from_after(client, kind, lines, provider):
    create = creators(client)[provider]
    client.server.faults.queue("create", kind)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        create()
    assert made(client) == lines
    assert create().status_code == 200  # the server itself is well


def test_errors_before_are_in_the_providers_form_and_errors_after_are_a_gateways_page(client):
    jimmy, anyfast = creators(client)
    client.server.faults.queue("create", "error_before", "error_before")
    assert (jimmy().json()["code"], anyfast().json()["error"]["code"]) == (-1, "do_request_failed")
    assert made(client) == 0
    client.server.faults.queue("create", "error_after", "error_after")
    for answer in (jimmy(), anyfast()):
        assert answer.status_code == 502
        assert answer.text.startswith("<html>")
    assert made(client) == 2


def test_a_broken_answer_hides_a_job_that_was_made(client):
    for number, create in enumerate(creators(client), start=1):
        client.server.faults.queue("create", "broken_after")
        answer = create()
        assert answer.status_code == 200
        with pytest.raises(ValueError, match=r"JSON|Unterminated|Expecting|delimiter"):
            answer.json()
        assert made(client) == number


@pytest.mark.parametrize(("seconds", "header"), [(None, None), (7, "7"), (0.2, "1"), (0, "0"), ("1e30", "1e30")])
def test_rate_limits_come_with_and_without_a_wait(client, seconds, header):
    client.server.faults.update(rate_limited=1.0, retry_after=seconds)
    for create in creators(client):
        answer = create()
        assert (answer.status_code, answer.headers.get("retry-after")) == (429, header)
    assert made(client) == 0


def test_the_hidden_limit_counts_unfinished_jobs_of_one_account(client):
    client.server.faults.concurrency = 2
    codes = [client.jimmy({**JIMMY, "prompt": str(number)}).status_code for number in range(4)]
    assert codes == [200, 200, 429, 429]
    assert client.anyfast(ANYFAST).status_code == 200
    client.finish()
    assert client.jimmy(JIMMY).status_code == 200
    assert client.server.state.peak == {"jimmy": 2, "anyfast": 1}


def test_a_slow_create_outlasts_an_impatient_client_and_is_paid(client):
    client.server.faults.slow_create_seconds = 3600
    client.server.faults.queue("create", "slow_create", "slow_create")
    with pytest.raises(httpx.ReadTimeout):
        client.http.post(
            "/api/open-api/v1/seedance/videos",
            json=JIMMY,
            headers={"Authorization": "Bearer sk_sandbox"},
            timeout=httpx.Timeout(patience(), read=0.1),
        )
    assert eventually(lambda: made(client), "the job of the create that was given up") == 1
    client.server.faults.slow_create_seconds = 0.5
    start = time.monotonic()
    assert client.jimmy(JIMMY).status_code == 200
    assert time.monotonic() - start >= 0.5


def test_an_endless_job_runs_for_ever(client):
    client.server.faults.queue("create", "never_ending", "never_ending")
    jimmy, anyfast = client.jimmy_job(), client.anyfast_job()
    client.clock.now += 30 * 86_400
    assert client.jimmy_view(jimmy)["status"] == "processing"
    assert client.anyfast_view(anyfast)["data"]["status"] == "IN_PROGRESS"


def test_moderation_and_failure_can_strike_any_prompt(client):
    client.server.faults.queue("create", "moderated", "failed", "moderated", "failed")
    moderated, failed = client.jimmy_job(), client.jimmy_job()
    assert json.loads(client.anyfast(ANYFAST).json()["message"])["error"]["type"] == "BadRequest"
    other = client.anyfast_job()
    client.finish()
    assert "TRADEMARK" in client.jimmy_view(moderated)["error_message"]
    assert client.jimmy_view(failed)["status"] == "failed"
    assert client.anyfast_view(other)["data"]["status"] == "FAILURE"


def test_queries_fail_too(client):
    jimmy, anyfast = client.jimmy_job(), client.anyfast_job()
    for view in (
        lambda: client.jimmy_get(f"videos/{jimmy}"),
        lambda: client.anyfast_get(f"/v1/video/generations/{anyfast}"),
    ):
        client.server.faults.queue("query", "query_error", "query_cut", "query_limited", "query_broken")
        assert view().status_code == 502
        with pytest.raises(httpx.RemoteProtocolError):
            view()
        assert view().status_code == 429
        with pytest.raises(ValueError, match=r"JSON|Unterminated|Expecting|delimiter"):
            view().json()
        assert view().status_code == 200


def test_a_wrong_key_consumes_no_queued_fault(client):
    client.server.faults.queue("create", "error_after")
    client.jimmy(JIMMY, key="sk_wrong")
    assert client.jimmy(JIMMY).status_code == 502


@given(st.permutations(range(40)), st.integers(0, 5))
def test_a_fate_follows_the_request_and_not_the_order(order, seed):
    faults = Faults(rate_limited=0.2, cut_after=0.2, failed=0.2, truncated_result=0.2)
    here = {name: faults.draw("create", seed, name, 0) for name in range(40)}
    there = {name: faults.draw("create", seed, name, 0) for name in order}
    assert here == there


def test_rates_are_kept_and_another_rate_does_not_disturb_them():
    faults = Faults(cut_after=0.1, failed=0.3)
    first = [faults.draw("create", 1, name) for name in range(4000)]
    counts = Counter(kind for drawn in first for kind in drawn)
    assert 300 < counts["cut_after"] < 500
    assert 1050 < counts["failed"] < 1350
    faults.update(stale_link=0.5)
    assert [drawn - {"stale_link"} for drawn in (faults.draw("create", 1, name) for name in range(4000))] == first


def test_one_call_meets_one_fault_but_a_job_may_carry_several():
    faults = Faults(**dict.fromkeys(RATES, 1.0))
    assert faults.draw("create", 0, "x") == {CREATE_FAULTS[0], *JOB_FAULTS}
    assert len(faults.draw("query", 0, "x")) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"rate_limited": 1.1},
        {"rate_limited": True},
        {"cut_after": "0.5"},
        {"failed": float("nan")},
        {"retry_after": -1},
        {"retry_after": "1\r\nx: y"},
        {"jimmy_envelope": "xml"},
        {"slow_create_seconds": None},
        {"typo": 0.1},
        {"_queues": {}},
    ],
)
def test_wrong_faults_are_refused_and_change_nothing(values):
    faults = Faults()
    with pytest.raises(ValueError, match=r"rate|known|one of|number"):
        faults.update(error_after=0.5, **values)
    assert faults == Faults()


def test_faults_are_set_over_http(client):
    answer = client.http.post(
        "/_sandbox/faults", json={"failed": 0.5, "retry_after": "inf", "queue": {"create": ["cut_after", "ok"]}}
    )
    assert (answer.json()["failed"], answer.json()["retry_after"]) == (0.5, "inf")
    assert client.http.get("/_sandbox/faults").json()["queued"]["create"] == ["cut_after", "ok"]
    for wrong in ({"failed": 2}, {"queue": {"lunch": ["ok"]}}, {"queue": {"query": ["cut_after"]}}, [1]):
        assert client.http.post("/_sandbox/faults", json=wrong).status_code == 400
    client.http.post("/_sandbox/reset")
    assert client.server.faults == Faults()
    assert client.http.get("/_sandbox/faults").json()["queued"]["create"] == []


async def test_without_a_socket_a_cut_breaks_the_callers_await():
    app = build_app(state=State(SandboxSettings(), Faults(cut_after=1.0)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sandbox") as http:
        with pytest.raises(ConnectionResetError):
            await http.post(
                "/api/open-api/v1/seedance/videos", json=JIMMY, headers={"Authorization": "Bearer sk_sandbox"}
            )
    assert len(app.state.sandbox.bill()) == 1
