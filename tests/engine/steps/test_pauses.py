"""A provider that asks for a pause: it is waited for as long as the run waits, and then the run ends and says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from prefect_seedance.core.clock import now
from prefect_seedance.ledger import Outcome
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.sandbox.world.faults import Faults
from tests.accounts.faultline import world
from tests.patience import patience

ROWS = [{"id": f"r{number}", "prompt": f"a lamp {number}"} for number in range(12)]


@pytest.mark.parametrize("asked_for", ["86400", "31536000", "1e30", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_pause_beyond_patience_defers_the_rows_and_ends_the_run(tmp_path, asked_for):
    with world(tmp_path, "jimmy", "anyfast") as both:
        both.routes = both.routes[:1]
        both.servers[0].state.faults = Faults(rate_limited=1.0, retry_after=asked_for)
        async with asyncio.timeout(patience()):
            seen = await both.run(ROWS, patience=3.0)
        assert {record.state.value for record in seen.records.values()} == {"deferred"}
        assert {record.error_kind for record in seen.records.values()} == {"rate_limited"}
        assert all("pause until about" in record.error_message for record in seen.records.values())
        assert seen.stopped is None
        assert both.asked()[0] <= 4, "those that were under way when the first one was refused"
        assert {each.outcome for each in seen.attempts} == {Outcome.REFUSED}
        assert seen.outcome.pauses["jimmy/one"] > now() + timedelta(hours=23)

        both.servers[0].state.faults = Faults()
        again = await both.run(ROWS)
        assert {record.state.value for record in again.records.values()} == {"stored"}
        assert {both.billed(row["prompt"]) for row in ROWS} == {(1, 0)}


@pytest.mark.parametrize("asked_for", ["inf", "nan", "-5", "1e999", "tomorrow"])
async def test_a_pause_that_is_no_time_ends_like_any_rate_limit(tmp_path, asked_for):
    with world(tmp_path, "jimmy", "anyfast") as both:
        both.routes = both.routes[:1]
        both.servers[0].state.faults = Faults(rate_limited=1.0, retry_after=asked_for)
        async with asyncio.timeout(patience()):
            seen = await both.run(ROWS[:2], patience=0.2)
        assert {record.state.value for record in seen.records.values()} == {"deferred"}


async def test_short_pauses_without_end_are_not_waited_for_without_end(tmp_path):
    """Each pause is shorter than the patience; together they are longer."""
    with world(tmp_path, "jimmy", "anyfast") as both:
        both.routes = both.routes[:1]
        both.servers[0].state.faults = Faults(rate_limited=1.0, retry_after=1.0)
        async with asyncio.timeout(patience()):
            seen = await both.run(ROWS, patience=2.5)
        assert {record.state.value for record in seen.records.values()} == {"deferred"}
        assert sum("pause until about" in record.error_message for record in seen.records.values()) >= 8
        assert both.asked()[0] <= 3 * 4


async def test_rows_with_another_route_go_there_at_once(tmp_path):
    """Also those that were never refused themselves: they do not wait out the pause of the first route."""
    with world(tmp_path, "jimmy", "anyfast") as both:
        both.servers[0].state.faults = Faults(rate_limited=1.0, retry_after="86400")
        async with asyncio.timeout(patience()):
            seen = await both.run(ROWS, limits=RunLimits(limit_patience=0.2))
        assert {(record.state.value, record.account) for record in seen.records.values()} == {("stored", "two")}
        assert {both.billed(row["prompt"]) for row in ROWS} == {(0, 1)}
