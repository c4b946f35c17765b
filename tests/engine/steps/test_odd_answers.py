"""Answers that no document has: what was paid is followed, and what is not known is said."""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal

import pytest

from prefect_seedance.core.events import RowEvent, watching
from prefect_seedance.ledger import Outcome, Settlement, State
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.runs.resolve import resolve_row
from tests.accounts.faultline import world
from tests.patience import hasten

PROVIDERS = pytest.mark.parametrize("provider", ["jimmy", "anyfast"])


@PROVIDERS
async def test_the_job_that_an_unknown_answer_names_is_offered(tmp_path, provider):
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
    fates = {"a lamp": "named_after", "a lake": "missing_after"}
    with world(tmp_path, provider, "jimmy", fates) as both:
        rows = [{"id": "lamp", "prompt": "a lamp"}, {"id": "lake", "prompt": "a lake"}]
        seen = await both.run(rows)
        assert {row.state for row in seen.records.values()} == {State.UNKNOWN}
        jobs = {job.prompt: job.id for job in both.servers[0].state.jobs()}
        assert seen.records["lamp"].named_job == jobs["a lamp"]
        assert seen.records["lake"].named_job is None
        told = await resolve_row(ledger_url=url, batch="spring", row="lamp", verdict="job")
        assert jobs["a lamp"] in told
        again = await both.run(rows)
        assert again.records["lamp"].state is State.STORED
        assert again.records["lamp"].named_job is None
        assert both.asked() == (2, 0), "nothing was sent a second time"


@PROVIDERS
async def test_an_unknown_word_is_shown_while_the_job_goes_on(tmp_path, provider, caplog):
    events: list[RowEvent] = []
    fates = dict.fromkeys(["a lamp", "a lake"], "odd_word")
    rows = [{"id": prompt[2:], "prompt": prompt} for prompt in fates]
    with world(tmp_path, provider, "jimmy", fates) as both, watching(events.append), caplog.at_level(logging.WARNING):
        state = both.servers[0].state
        state.settings = replace(state.settings, speed=0.01)
        await both.run(rows, patience=0.2)
        hasten(both.servers[0], 1000)
        seen = await both.run(rows, patience=0.2)
        for row in seen.records.values():
            assert (row.state, row.error_kind) == (State.CREATED, None)
            assert "'baking', which no document explains: the oven is warm" in (row.error_message or "")
        assert sum("'baking'" in text for text in caplog.messages) == 1, "once in the log, not per row or query"
        assert any("'baking'" in (event.message or "") for event in events if event.state == "created")
        hasten(both.servers[0], 10_000)
        ended = await both.run(rows)
        assert {(row.state, row.error_message) for row in ended.records.values()} == {(State.STORED, None)}


async def test_zero_tokens_leave_the_cost_unknown_and_the_reservation_held(tmp_path):
    rows = [{"id": f"r{number}", "prompt": f"a lamp {number}"} for number in range(3)]
    with world(tmp_path, "anyfast", "jimmy", {row["prompt"]: "zero_tokens" for row in rows}) as both:
        both.routes = both.routes[:1]
        first = await both.run(rows[:1], limits=RunLimits.parse(budget="100 CNY", limit_patience=0.2))
        attempt = first.attempts[0]
        assert (attempt.outcome, attempt.settlement) == (Outcome.CREATED, Settlement.CHARGED)
        assert (attempt.tokens, attempt.units, attempt.charge) == (None, None, None)
        assert attempt.reserved
        assert first.committed == attempt.reserved
        # A budget for two worst cases and a half buys two videos, and not as many as there are rows.
        tight = RunLimits.parse(budget=f"{attempt.reserved * Decimal('2.5')} CNY", limit_patience=0.2)
        seen = await both.run(rows, limits=tight)
        states = sorted(row.state for row in seen.records.values())
        assert states == [State.OVER_BUDGET, State.STORED, State.STORED]
        assert seen.committed == attempt.reserved * 2
