"""Falling back, over the matrix of what a provider can do wrong: moved on as the rule says, and paid at most once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from itertools import permutations, product, takewhile

import pytest
from pydantic import SecretStr

from prefect_seedance.accounts.limiter import UNANSWERED
from prefect_seedance.core.events import watching
from prefect_seedance.engine.steps.fallback import choose_route
from prefect_seedance.errors import TooManyFailures
from prefect_seedance.ledger import Outcome, Settlement
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.routes.route import DurationRule
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.sandbox.http.media import media_bytes
from prefect_seedance.sandbox.world.faults import Faults
from tests.accounts.faultline import SMALL, STEPS, Fated, World, fate_of, route, world
from tests.lifetimes import end_of_life
from tests.patience import patience

PAIRS = [
    ("jimmy", "anyfast"),
    pytest.param("anyfast", "jimmy", marks=pytest.mark.slow),
    pytest.param("jimmy", "jimmy", marks=pytest.mark.slow),
]
"""The first route and the second: at two providers either way, and two accounts of one."""

# What becomes of a row whose first route does this to it; the second is well. Where the first may have made a job, or
# has made one, the second is never asked.
STAYS = {
    "cut_before": "unknown",
    "error_before": "unknown",
    "cut_after": "unknown",
    "error_after": "unknown",
    "broken_after": "unknown",
    "missing_after": "unknown",
    "named_after": "unknown",
    "odd_shape": "stored",
    "odd_word": "stored",
    "odd_link": "stored",
    "zero_tokens": "stored",
    "slow_create": "stored",
    "never_ending": "created",
    "failed": "failed",
    "expired_link": "expired",
    "stale_link": "stored",
    "truncated_result": "succeeded",
    "corrupt_result": "succeeded",
    "html_result": "succeeded",
    "no_ranges": "stored",
    "changing_etag": "stored",
    "odd_headers": "stored",
    "keyed_link": "stored",
    "redirected_link": "stored",
    "query_cut": "stored",
    "query_limited": "stored",
    "query_error": "stored",
    "query_broken": "stored",
    "download_cut": "stored",
    "download_error": "stored",
}
# Anyfast's review speaks before a job is made, Jimmy AI's only through a failed job.
MODERATED = {"jimmy": "failed", "anyfast": "refused"}


def rows_of(prompts, **cells):
    return [{"id": f"r{number}", "prompt": prompt, **cells} for number, prompt in enumerate(prompts)]


@pytest.fixture
def no_circuit(monkeypatch):
    """However many creates end unknown: here each row is tried."""
    for name in ("IN_A_ROW", "AMONG_RECENT"):
        monkeypatch.setattr(f"prefect_seedance.accounts.send_gate.{name}", 100)


@pytest.mark.usefixtures("no_circuit")
@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_whatever_a_job_may_have_come_of_stays_where_it_is(tmp_path, first, second, monkeypatch):
    end_of_life(monkeypatch)
    expected = {**STAYS, "moderated": MODERATED[first], "well": "stored"}
    fates = {f"a lamp, {fault}": fault for fault in expected}
    with world(tmp_path, first, second, fates) as both:
        # One more row is refused by a rule that we do not know of: that is proven, and it goes on.
        wide = both.routes[0].route.model_copy(update={"duration": DurationRule(maximum=99)})
        lax = replace(both.routes[0], route=wide, defaults=SMALL.model_copy(update={"duration": 50}), block="lax")
        both.routes = (*both.routes, lax)
        target = both.routes[1].account
        names = f"lax > {target.provider}/two:{both.routes[1].route.model}"
        in_order = f"{first}/one:{both.routes[0].route.model} > {names.partition('> ')[2]}"
        rows = [*rows_of(fates, route=in_order), {"id": "long", "prompt": "a long lamp", "route": names}]
        endless = next(row for row in rows if row["prompt"].endswith("never_ending"))
        outcome = await both.run([row for row in rows if row is not endless])
        records = outcome.records | (await both.run([endless], patience=1.0)).records
        found = {row["prompt"]: records[row["id"]] for row in rows}
        assert {prompt: found[prompt].state.value for prompt in fates} == {
            f"a lamp, {fault}": state for fault, state in expected.items()
        }
        assert {prompt: both.billed(prompt)[1] for prompt in fates} == dict.fromkeys(fates, 0)
        assert all(both.billed(prompt)[0] <= 1 for prompt in fates)
        assert both.billed("a long lamp") == (0, 1)
        moved = found["a long lamp"]
        assert (moved.state, moved.provider, moved.account) == ("stored", second, "two")
        assert moved.request["duration"] == 4, "what the second route was asked for, by its own defaults"
        assert "duration" in moved.passed[0]
        tried = [attempt for attempt in outcome.attempts if attempt.row_id == moved.id]
        assert [(each.account, each.outcome, each.settlement) for each in tried] == [
            ("one", Outcome.REFUSED, Settlement.NOTHING),
            ("two", Outcome.CREATED, Settlement.CHARGED),
        ]


def broken(kind, both):
    """The world's first route out of order: each kind is a proven refusal that all its rows would meet."""
    one = both.routes[0]
    dead = replace(one.account, base_url="http://127.0.0.1:9")
    wrong = replace(one.account, api_key=SecretStr("sk-wrong"))
    nowhere = one.route.model_copy(update={"model": "seedance-9"})
    return {
        "key": replace(one, account=wrong),
        "unreachable": replace(one, account=dead),
        "closed": replace(one, route=nowhere),
    }.get(kind, one)


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.slow
async def test_what_all_rows_would_meet_is_met_by_few(tmp_path, first, second):
    """Only those ask that were on their way together; the others go straight to the second route."""
    for kind in ("funds", "key", "closed", "unreachable", "rate_limited"):
        prompts = [f"a lamp {number}, {kind}" for number in range(5)]
        fates = dict.fromkeys(prompts, kind) if kind == "rate_limited" else {}
        folder = tmp_path / kind
        folder.mkdir()
        with world(folder, first, second, fates, funds=Decimal(0) if kind == "funds" else None) as both:
            both.routes = (replace(broken(kind, both), max_in_flight=2), both.routes[1])
            outcome = await both.run(rows_of(prompts))
            assert {record.state.value for record in outcome.records.values()} == {"stored"}, kind
            assert {both.billed(prompt) for prompt in prompts} == {(0, 1)}, kind
            refused = [each for each in outcome.attempts if each.account == "one"]
            if kind == "unreachable":  # a free question finds it out
                assert not refused
                assert all("free question" in row.passed[0] for row in outcome.records.values())
                continue
            assert {each.outcome for each in refused} == {Outcome.REFUSED}, kind
            rows_that_asked = {each.row_id for each in refused}
            most = 4 if kind == "rate_limited" else 2  # a limit is tried again each second
            assert 1 <= len(rows_that_asked) <= most, kind
            asked = {row.key: row.passed[0] for row in outcome.records.values() if row.id in rows_that_asked}
            spared = {row.key: row.passed[0] for row in outcome.records.values() if row.id not in rows_that_asked}
            assert all("not asked" in text for text in spared.values()), kind
            assert not any("not asked" in text for text in asked.values()), kind
            assert all(both.routes[0].label in text for text in [*asked.values(), *spared.values()]), kind


@pytest.mark.parametrize(
    ("first", "fault", "state", "moved"),
    [
        pytest.param("jimmy", "upload_cut", "stored", True, marks=pytest.mark.slow),
        ("jimmy", "upload_limited", "stored", True),
        pytest.param("jimmy", "upload_error", "deferred", False, marks=pytest.mark.slow),
        pytest.param("anyfast", "asset_limited", "stored", True, marks=pytest.mark.slow),
        ("anyfast", "asset_cut_before", "deferred", False),
        ("anyfast", "asset_cut_after", "stored", False),
        pytest.param("anyfast", "asset_error_after", "stored", False, marks=pytest.mark.slow),
    ],
)
async def test_media_move_their_row_on_only_where_nothing_may_have_been_paid(
    tmp_path, monkeypatch, first, fault, state, moved
):
    """An upload costs nothing; an asset is billed: one that may have been made is looked for, and not paid again."""
    monkeypatch.setattr("prefect_seedance.engine.steps.media.submit_asset.LOOKUP_SECONDS", 0.5)
    monkeypatch.setattr("prefect_seedance.engine.steps.media.submit_asset.FIRST_PAUSE", 0.1)
    (tmp_path / "cup.png").write_bytes(media_bytes("cup.png", width=640, height=640, seconds=Decimal(1)))
    with world(tmp_path, first, "jimmy", review="asset" if first == "anyfast" else None) as both:
        both.servers[0].state.faults = Faults(**{fault: 1.0, "retry_after": 0.05})
        outcome = await both.run(rows_of(["a cup"], images="cup.png"))
        assert outcome.records["r0"].state == state
        assert both.billed("a cup") == (int(state == "stored" and not moved), int(moved))
        assert outcome.records["r0"].account == ("two" if moved else "one")
        bought = [line for line in both.servers[0].state.bill() if line.unit == "request"]
        assert len(bought) == (2 if first == "anyfast" and state == "stored" and not moved else 0), "group and picture"
        assert not [line for line in both.servers[1].state.bill() if line.unit == "request"]


@pytest.mark.parametrize("allowed", [True, False])
async def test_moderation_moves_on_only_where_the_user_says_so(tmp_path, allowed):
    with world(tmp_path, "anyfast", "jimmy", {"a lamp": "moderated"}) as both:
        outcome = await both.run(rows_of(["a lamp"]), limits=RunLimits(fall_back_on_moderation=allowed))
        assert outcome.records["r0"].state == ("stored" if allowed else "refused")
        assert both.billed("a lamp") == (0, 1 if allowed else 0)


async def test_a_budget_is_kept_at_the_move(tmp_path):
    """The second route is dearer than what is left: the row is not sent there, and nothing stays held back."""
    with world(tmp_path, "jimmy", "anyfast", funds=Decimal(0)) as both:
        limits = RunLimits.parse(budget="0.9 CNY", limit_patience=0.2)  # 0.12 at the first, 0.93 at the second
        outcome = await both.run(rows_of(["a lamp", "a cup"]), limits=limits)
        assert {record.state.value for record in outcome.records.values()} == {"over_budget"}
        assert both.asked()[1] == 0
        assert outcome.committed == 0
        more = RunLimits.parse(budget="1.5 CNY", limit_patience=0.2)
        outcome = await both.run(rows_of(["a lamp", "a cup"]), limits=more)
        assert sorted(record.state.value for record in outcome.records.values()) == ["over_budget", "stored"]
        assert outcome.committed <= Decimal("1.5")


async def test_where_no_route_is_left_all_reasons_are_told_and_the_next_run_begins_anew(tmp_path):
    with world(tmp_path, "jimmy", "anyfast", funds=Decimal(0)) as both:
        good = both.routes
        wrong = replace(good[1].account, api_key=SecretStr("sk-wrong"))
        both.routes = (good[0], replace(good[1], account=wrong))
        first = await both.run(rows_of(["a lamp"]))
        record = first.records["r0"]
        assert record.state == "deferred"
        for text in ("seedance2.0-mini (jimmy/one)", "余额不足", "seedance-2.0-mini (anyfast/two)", "key"):
            assert text in record.error_message
        both.routes = good
        second = await both.run(rows_of(["a lamp"]))
        assert (second.records["r0"].state, second.records["r0"].provider) == ("stored", "anyfast")
        # The first route accepts again, and the row is stored: it stays so, by whichever route it was made.
        both.servers[0].state.settings = replace(both.servers[0].state.settings, funds=None)
        both.routes = (*good, route(both.servers[0], "jimmy", "three"))
        for cells in ({}, {"route": "anyfast:seedance-2.0-mini > jimmy/one:seedance2.0-mini"}, {"route": "cheapest"}):
            again = await both.run(rows_of(["a lamp"], **cells))
            assert not again.done
        assert both.billed("a lamp") == (0, 1)


@pytest.mark.slow
async def test_a_job_of_the_second_route_is_adopted_by_the_next_run(tmp_path):
    with world(tmp_path, "anyfast", "jimmy", funds=Decimal(0)) as both:
        both.servers[1].state.settings = replace(both.servers[1].state.settings, speed=1.0)  # 20 to 40 s a job
        first = await both.run(rows_of(["a lamp"]), patience=0.1)
        assert (first.records["r0"].state, first.records["r0"].provider) == ("created", "jimmy")
        later = replace(both.servers[1].state.settings, clock=lambda: time.time() + 60)
        both.servers[1].state.settings = later
        second = await both.run(rows_of(["a lamp"]))
        assert second.records["r0"].state == "stored"
        assert both.billed("a lamp") == (0, 1)
        assert both.asked() == (1, 1)


async def test_now_and_then_a_row_tries_whether_its_first_route_is_open_again(tmp_path, monkeypatch):
    monkeypatch.setattr("prefect_seedance.accounts.circuit_breaker.PROBE", 0.2)
    with world(tmp_path, "jimmy", "anyfast", funds=Decimal(0)) as both:
        both.routes = (both.routes[0], replace(both.routes[1], max_in_flight=1))
        both.servers[1].state.settings = replace(both.servers[1].state.settings, speed=200.0)
        prompts = [f"a lamp {number}" for number in range(14)]

        def refill(event):
            if event.state == "created":
                both.servers[0].state.settings = replace(both.servers[0].state.settings, funds=None)

        with watching(refill):
            outcome = await both.run(rows_of(prompts))
        assert {record.state.value for record in outcome.records.values()} == {"stored"}
        assert all(sum(both.billed(prompt)) == 1 for prompt in prompts)
        assert {record.provider for record in outcome.records.values()} == {"jimmy", "anyfast"}


async def test_rows_move_between_chunks_too(tmp_path, monkeypatch):
    monkeypatch.setattr("prefect_seedance.engine.dispatcher.CHUNK", 3)
    monkeypatch.setattr("tests.accounts.faultline.STEPS", replace(STEPS, chunk=lambda chunk: chunk.carry()))
    with world(tmp_path, "jimmy", "anyfast", funds=Decimal("0.5")) as both:  # room for four rows
        prompts = [f"a lamp {number}" for number in range(20)]
        outcome = await both.run(rows_of(prompts))
        assert {record.state.value for record in outcome.records.values()} == {"stored"}
        assert all(sum(both.billed(prompt)) == 1 for prompt in prompts)
        assert len(both.servers[0].state.jobs()) == 4


@pytest.mark.usefixtures("no_circuit")
async def test_each_row_asks_in_its_own_order_and_no_further_than_it_must(tmp_path):
    """All ways in which three routes may answer, each row with an order of its own."""
    answers = list(product(("well", "moderated", "cut_after"), repeat=3))
    orders = random.Random(7).choices(list(permutations(range(3))), k=len(answers))
    with ExitStack() as stack:
        servers = [stack.enter_context(SandboxServer(SandboxSettings(speed=400.0))) for _ in range(3)]
        routes = tuple(route(server, "anyfast", label) for server, label in zip(servers, "abc", strict=True))
        rows = []
        for number, order in enumerate(orders):
            names = [f"anyfast/{routes[place].account.label}:{routes[place].route.model}" for place in order]
            rows.append({"id": str(number), "prompt": f"a lamp {number}", "route": names})
        for place, server in enumerate(servers):
            fates = {fate_of(routes[place], row["prompt"]): answers[int(row["id"])][place] for row in rows}
            server.state.faults = Fated(fates)
        several = World((servers[0], servers[1]), routes, tmp_path)
        outcome = await several.run(rows, limits=RunLimits(fall_back_on_moderation=True))
        for row, answer, order in zip(rows, answers, orders, strict=True):
            refusing = list(takewhile(lambda place: answer[place] == "moderated", order))  # noqa: B023 - used at once
            asked = order[: len(refusing) + 1]
            last = answer[asked[-1]]
            record = outcome.records[row["id"]]
            tried = [attempt.account for attempt in outcome.attempts if attempt.row_id == record.id]
            assert tried == [routes[place].account.label for place in asked], (answer, order)
            assert record.state == {"well": "stored", "moderated": "refused", "cut_after": "unknown"}[last]
            made = [[job.prompt for job in server.state.jobs()].count(row["prompt"]) for server in servers]
            assert made == [int(place == asked[-1] and last != "moderated") for place in range(3)]
            if last != "moderated":
                assert record.account == tried[-1]
                assert [text.partition(":")[0] for text in record.passed] == [routes[at].label for at in refusing]


async def test_three_errors_alike_that_nobody_foresaw_end_the_run_and_leave_no_queue_waiting(tmp_path, monkeypatch):
    asked = []

    async def broken(row):
        asked.append(row.key)
        if len(asked) >= 5:
            raise ValueError("unforeseen")
        return await choose_route(row)

    monkeypatch.setattr("prefect_seedance.engine.dispatcher.choose_route", broken)
    with world(tmp_path, "jimmy", "anyfast", funds=Decimal(0)) as both:
        prompts = [f"a lamp {number}" for number in range(20)]
        async with asyncio.timeout(patience()):
            outcome = await both.run(rows_of(prompts))
        assert outcome.stopped is not None
        assert all(sum(both.billed(prompt)) <= 1 for prompt in prompts)
        ends = {record.state.value for record in outcome.records.values()}
        assert ends <= {"planned", "deferred", "created", "succeeded", "stored", "unknown"}


async def test_rows_that_all_their_routes_refuse_count_when_they_are_refused(tmp_path):
    """Of forty rows that two routes refuse, few are sent once two have failed: those that were under way."""
    prompts = [f"a lamp {number}" for number in range(40)]
    fates = dict.fromkeys(prompts, "moderated")
    with world(tmp_path, "anyfast", "anyfast", fates) as both:
        both.servers[1].state.faults = Faults(moderated=1.0)
        limits = RunLimits(fall_back_on_moderation=True, max_failures=2)
        outcome = await both.run(rows_of(prompts), limits=limits)
        assert isinstance(outcome.stopped, TooManyFailures)
        states = Counter(record.state.value for record in outcome.records.values())
        assert 2 <= both.asked()[1] <= 2 + UNANSWERED, "two, and those that were under way"
        assert states["refused"] == both.asked()[1]
        assert states["refused"] + states["deferred"] + states["planned"] == 40
        assert states["deferred"] == both.asked()[0] - both.asked()[1]
        assert both.asked()[0] < 40
