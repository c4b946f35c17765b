"""However many jobs hang, and however long the Retry-After is: no job starves, and no wait exceeds its patience.

On a clock of its own: hours pass in a second.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from prefect_seedance.accounts.polling.forecast import Profile
from prefect_seedance.accounts.polling.poller import LAST_QUERY, LONGEST_RETRY_AFTER, Poller
from prefect_seedance.errors import InvalidResponse, RateLimited, SeedanceError
from prefect_seedance.providers import JobState, JobView
from tests.patience import patience

PROFILE = Profile("m", 5, "720p")
LONG = patience()


class Jumping(selectors.SelectSelector):
    """Waits for nothing: the clock is put forward instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for ever"
            self.now += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    """A loop that lives on the clock of its selector."""

    def __init__(self) -> None:
        self.clock = Jumping()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


def on_virtual_time(scene: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(scene())


class Jobs:
    """Jobs of known lengths; the first questions may meet trouble."""

    def __init__(self, lengths: list[float], *troubles: SeedanceError) -> None:
        self.lengths = lengths
        self.troubles = list(troubles)
        self.ended: dict[str, float] = {}

    async def query(self, job_id: str) -> JobView:
        if self.troubles:
            raise self.troubles.pop(0)
        done = asyncio.get_running_loop().time() >= self.lengths[int(job_id)]
        return JobView(job_id, JobState.SUCCEEDED if done else JobState.RUNNING, "", video_url="https://x/v.mp4")

    async def all_waited_for(self, patience: float) -> None:
        poller = Poller(self, 10.0)

        async def one(job_id: str) -> None:
            await poller.wait(job_id, pace=None, patience=patience, age=0.0, profile=PROFILE)
            self.ended[job_id] = asyncio.get_running_loop().time()

        await asyncio.gather(*(one(str(number)) for number in range(len(self.lengths))))
        await poller.close()


@pytest.mark.parametrize(("stuck", "total"), [(27, 50), (60, 500)])
def test_jobs_that_hang_hide_no_others(stuck: int, total: int) -> None:
    jobs = Jobs([1e9] * stuck + [60.0] * (total - stuck))
    on_virtual_time(lambda: jobs.all_waited_for(900))
    assert max(when for job, when in jobs.ended.items() if int(job) >= stuck) < 240
    assert max(jobs.ended.values()) <= 900 + LAST_QUERY


def test_patience_is_kept_with_many_jobs_of_which_nothing_is_known() -> None:
    jobs = Jobs([1e9] * 300)
    on_virtual_time(lambda: jobs.all_waited_for(60))
    assert max(jobs.ended.values()) <= 60 + LAST_QUERY


def test_a_provider_that_asks_for_a_day_is_not_waited_for_longer_than_the_run_waits() -> None:
    jobs = Jobs([5.0], RateLimited("slow down", retry_after=86_400.0))
    with pytest.raises(RateLimited, match="slow down"):
        on_virtual_time(lambda: jobs.all_waited_for(60))
    patient = Jobs([5.0], RateLimited("slow down", retry_after=86_400.0))
    on_virtual_time(lambda: patient.all_waited_for(7200))
    assert patient.ended["0"] == pytest.approx(LONGEST_RETRY_AFTER, abs=1)


async def test_a_listener_that_fails_ends_the_waiting(caplog: pytest.LogCaptureFixture) -> None:
    def bad(_: JobView) -> None:
        raise BrokenPipeError("stdout is gone")

    poller = Poller(Jobs([0.0]), 10.0)
    with pytest.raises(InvalidResponse, match="stdout is gone"):
        await asyncio.wait_for(poller.wait("0", pace=0.01, patience=LONG, on_view=bad), LONG)
    await poller.close()
    assert "did not foresee" in caplog.text
