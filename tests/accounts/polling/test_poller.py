"""The poller: one question about a job at a time, in its time, and everybody who waits hears the answer."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from prefect_seedance.accounts.polling.poller import ABSENCE, MAX_FAILURES, MOST_AT_ONCE, Poller
from prefect_seedance.errors import AuthenticationError, InvalidResponse, NotFound, RateLimited, Unreachable
from prefect_seedance.providers import JobState, JobView
from tests.patience import eventually_async, patience, skip


class ScriptedClient:
    """Answers queries from a script; the last answer repeats."""

    def __init__(self, *script: JobState | Exception, delay: float = 0.0) -> None:
        self.script = list(script)
        self.delay = delay
        self.asked: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self.most_at_once = 0
        self.most_of_all = 0

    async def query(self, job_id: str) -> JobView:
        self.asked[job_id] += 1
        self.at_once[job_id] += 1
        self.most_at_once = max(self.most_at_once, self.at_once[job_id])
        self.most_of_all = max(self.most_of_all, self.at_once.total())
        await asyncio.sleep(self.delay)
        self.at_once[job_id] -= 1
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return JobView(job_id=job_id, state=answer, provider_status=answer.value, video_url="https://x/v.mp4")


LONG = patience()


async def wait(poller: Poller, job: str = "j", patience: float = LONG) -> JobView:
    return await asyncio.wait_for(poller.wait(job, pace=0.01, patience=patience), LONG)


async def test_it_waits_until_the_job_has_ended() -> None:
    client = ScriptedClient(JobState.WAITING, JobState.RUNNING, JobState.SUCCEEDED)
    assert (await wait(Poller(client, 10))).state is JobState.SUCCEEDED
    assert client.asked["j"] == 3


async def test_many_who_wait_for_one_job_are_one_question() -> None:
    client = ScriptedClient(JobState.RUNNING, JobState.RUNNING, JobState.FAILED, delay=0.02)
    poller = Poller(client, 10)
    views = await asyncio.gather(*(wait(poller) for _ in range(10)))
    assert {view.state for view in views} == {JobState.FAILED}
    assert client.asked["j"] == 3
    assert client.most_at_once == 1


async def test_one_who_stops_waiting_takes_nobody_along() -> None:
    client = ScriptedClient(JobState.RUNNING)
    poller = Poller(client, 10)
    first, second = asyncio.create_task(wait(poller)), asyncio.create_task(wait(poller))
    await eventually_async(lambda: client.asked["j"] > 1, "a second question")
    first.cancel()
    client.script = [JobState.SUCCEEDED]
    assert (await second).state is JobState.SUCCEEDED
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_patience_ends_with_a_view_that_is_not_final() -> None:
    client = ScriptedClient(JobState.RUNNING)
    view = await wait(Poller(client, 10), patience=0.05)
    assert view.state is JobState.RUNNING


async def test_patience_of_nought_still_asks_once() -> None:
    client = ScriptedClient(JobState.SUCCEEDED)
    assert (await wait(Poller(client, 10), patience=0)).state is JobState.SUCCEEDED


async def test_short_troubles_are_ridden_out() -> None:
    troubles = [InvalidResponse("b"), Unreachable("u"), RateLimited("r", retry_after=0.05)]
    client = ScriptedClient(*troubles, JobState.SUCCEEDED)
    assert (await wait(Poller(client, 10))).state is JobState.SUCCEEDED


async def test_retry_after_holds_back_every_question_of_the_account() -> None:
    client = ScriptedClient(RateLimited("r", retry_after=0.3), JobState.SUCCEEDED)
    poller = Poller(client, 10)
    started = asyncio.get_running_loop().time()
    first = asyncio.create_task(wait(poller, "a"))
    await eventually_async(lambda: client.asked["a"], "the question that is refused")
    await wait(poller, "b")
    assert asyncio.get_running_loop().time() - started >= 0.3
    await first


async def test_long_troubles_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prefect_seedance.accounts.polling.poller.LONGEST_BACKOFF", 0.01)
    client = ScriptedClient(Unreachable("no answer"))
    with pytest.raises(Unreachable):
        await wait(Poller(client, 10))
    assert client.asked["j"] == MAX_FAILURES


async def test_a_job_that_is_not_known_is_asked_for_with_growing_pauses_for_minutes() -> None:
    client = ScriptedClient(*[NotFound("?")] * 9, JobState.SUCCEEDED)
    assert (await wait(Poller(client, 10))).state is JobState.SUCCEEDED

    client = ScriptedClient(NotFound("not there"))
    waiting = asyncio.create_task(Poller(client, 10).wait("j", pace=1.0, patience=10_000))
    while not waiting.done():
        before = client.asked["j"]
        skip(60.0)
        await eventually_async(lambda: waiting.done() or client.asked["j"] > before, "another query")  # noqa: B023
    with pytest.raises(NotFound) as raised:
        await waiting
    assert raised.value.lasted >= ABSENCE
    assert client.asked["j"] < 20, "it is not asked for hundreds of times"


async def test_an_absence_ends_with_the_patience() -> None:
    client = ScriptedClient(NotFound("not there"))
    with pytest.raises(NotFound):
        await wait(Poller(client, 10), patience=0.2)


async def test_a_refused_key_is_told_at_once() -> None:
    client = ScriptedClient(AuthenticationError("no"))
    with pytest.raises(AuthenticationError):
        await wait(Poller(client, 10))
    assert client.asked["j"] == 1


async def test_after_an_error_the_same_job_can_be_waited_for_again() -> None:
    client = ScriptedClient(AuthenticationError("no"), JobState.SUCCEEDED)
    poller = Poller(client, 10)
    with pytest.raises(AuthenticationError):
        await wait(poller)
    assert (await wait(poller)).state is JobState.SUCCEEDED


async def test_a_thousand_jobs_are_asked_about_a_few_at_a_time() -> None:
    client = ScriptedClient(JobState.SUCCEEDED, delay=0.001)
    poller = Poller(client, 10)
    views = await asyncio.gather(*(wait(poller, f"j{number}") for number in range(1000)))
    assert len(views) == 1000
    assert set(client.asked.values()) == {1}
    assert client.most_of_all <= MOST_AT_ONCE + 1
    await poller.close()
