"""The beginning of a run over many rows: written in groups, reported together; finished rows are left alone."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from prefect_seedance.core.events import watching
from prefect_seedance.engine.step_runner import StepRunner
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger, Plan
from prefect_seedance.ledger.rows import lookups, planning, transitions
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.reports.results.result import build_result
from prefect_seedance.routes import VideoRequest, find, resolve
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.runs.reconcile import GROUP
from prefect_seedance.tables import row_keys
from prefect_seedance.tables.reader import read_table
from tests.engine.asked import asked

ACCOUNT = Account(provider="jimmy", label="default", base_url="http://127.0.0.1:9", api_key=SecretStr("sk_none"))
ROUTES = (RouteSettings(ACCOUNT, find("seedance2.0-mini")),)


async def nothing(*_):
    """A step that does nothing: all rows stay as they are."""


def spec(tmp_path, prompts):
    table = read_table([{"id": key, "prompt": prompt} for key, prompt in prompts.items()])
    return asked(
        prepare(table, ROUTES),
        ROUTES,
        batch="spring",
        output=tmp_path / "videos",
        ledger_url=f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}",
        patience=0,
        limits=AT_ONCE,
    )


def steps_for(_rows):
    return StepRunner(create=nothing, poll=nothing, download=nothing, upload=nothing, review=nothing)


async def test_a_change_in_the_last_group_leaves_no_group_written(tmp_path):
    await run_batch(*spec(tmp_path, {"last": "a cat"}), steps_for)
    many = {f"r{number}": f"a cat {number}" for number in range(GROUP + 1)}
    with pytest.raises(InputError, match="row 'last': prompt was 'a cat', is 'a dog'"):
        await run_batch(*spec(tmp_path, {**many, "last": "a dog"}), steps_for)
    ledger = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}")
    assert [row.key for row in await ledger.read(lookups.rows_of, "spring")] == ["last"]
    await ledger.close()
    outcome = await run_batch(*spec(tmp_path, {**many, "last": "a cat"}), steps_for)
    assert list(outcome.records) == ["last", *many]


async def test_rows_that_are_over_are_told_and_not_taken(tmp_path):
    await run_batch(*spec(tmp_path, {"a": "a cat", "b": "a dog"}), steps_for)
    ledger = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}")
    run = await ledger.begin_run("spring")
    row = await ledger.read(lookups.row_by_key, "spring", "1", "a")
    await ledger.write(planning.claim, run, [row.id])
    await ledger.write(transitions.reject, run, row.id, InputError("its picture was not accepted"))
    # That run is alive and holds the row: the row is finished all the same, so the new run does not wait for it.
    heard = []
    with watching(heard.append):
        outcome = await run_batch(*spec(tmp_path, {"a": "a cat", "b": "a dog"}), steps_for)
    assert (heard[0].key, heard[0].state, heard[0].message) == ("a", "refused", "its picture was not accepted")
    assert {(event.key, event.state) for event in heard[1:]} == {("b", "deferred")}, "no provider answers"
    assert (outcome.records["a"].state, outcome.troubles.keys()) == ("refused", {"b"})
    await ledger.end_run(run)
    await ledger.close()


AT_ONCE = RunLimits(limit_patience=0)
"""Where nothing answers, the rows are left to a later run at once."""

CAFE, CAFE_DECOMPOSED = "café", "cafe\u0301"


@pytest.mark.parametrize("prompts", [(CAFE_DECOMPOSED,), (CAFE, CAFE_DECOMPOSED), (CAFE_DECOMPOSED, CAFE)], ids=len)
async def test_a_batch_of_version_0_1_is_known_by_its_former_keys(tmp_path, prompts):
    """It took text as it was written, so that one prompt in two forms had two keys: none is planned, or paid, again."""

    def asked_for():
        table = read_table([{"prompt": prompt} for prompt in (*prompts, "a cat")])
        plan = prepare(table, ROUTES)
        url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
        given = asked(
            plan, ROUTES, batch="spring", output=tmp_path / "videos", ledger_url=url, patience=0, limits=AT_ONCE
        )
        return table, plan, given

    def old(row):
        cells = {"version": 1, "cells": {"prompt": row.request.prompt}}
        fields = {"provider": "jimmy", "model": ROUTES[0].route.model, "request": row_keys.redacted(row.request)}
        return f"r-{row_keys._hash(cells)[:12]}", f"1:{row_keys._hash(fields)}"

    _, plan, _ = asked_for()
    known = [(*old(row), row) for row in plan.rows]
    ledger = await Ledger.open(f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}")
    run = await ledger.begin_run("spring")
    plans = [
        Plan(key, text, row_keys.redacted(row.request), "jimmy", "default", row.settings.route.model, key)
        for key, text, row in known
    ]
    ids = await ledger.write(planning.plan, run, "1", plans)
    await ledger.end_run(run)
    for _ in range(2):
        table, plan, given = asked_for()
        outcome = await run_batch(*given, steps_for)
        assert {row.key: row.id for row in await ledger.read(lookups.rows_of, "spring")} == ids
        assert {outcome.records[row.key].id for row in table.rows} == set(ids.values())
        assert len(build_result(table, plan, outcome, batch="spring", take="1").rows) == len(plans)
    # A former key also chooses its row.
    assert len(prepare(table, ROUTES, only=[known[0][0]]).rows) == 1
    await ledger.close()


UNREAD = [
    {"prompt": "a cat", "时长(秒)": 5},
    {"prompt": "a cat"},
    {"prompt": "a cat", "时长(秒)": "8秒"},
    {"prompt": "a cup", "images": "https://a.example/1.png\u200b", "时长(秒)": 5},
    {"prompt": CAFE_DECOMPOSED, "时长(秒)": 5},
]
"""Rows that versions before 0.3 read without the duration, and with invisible text."""


@pytest.mark.parametrize("own_ids", [None, "编号", "id"])
async def test_a_column_that_was_not_read_before_makes_no_row_anew(tmp_path, own_ids):
    """A batch goes on with the same table: its rows are known by the keys of the former reading, and stay."""
    rows = [{own_ids: f"shot-1-{n}", **row} for n, row in enumerate(UNREAD)] if own_ids else UNREAD

    def former():
        for row in rows:
            yield {
                "prompt": row["prompt"],
                **({"images": (row["images"],)} if "images" in row else {}),
            }

    keys = row_keys.numbered(map(row_keys.base_key, former()))
    if own_ids == "id":
        keys = [row["id"] for row in rows]
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
    ledger = await Ledger.open(url)
    run = await ledger.begin_run("spring")
    requests = [resolve(ROUTES[0].route, VideoRequest(**cells), ROUTES[0].defaults) for cells in former()]
    plans = [
        Plan(
            key,
            row_keys.fingerprint("jimmy", ROUTES[0].route.model, request),
            row_keys.redacted(request),
            "jimmy",
            "default",
            ROUTES[0].route.model,
            key,
        )
        for key, request in zip(keys, requests, strict=True)
    ]
    ids = await ledger.write(planning.plan, run, "1", plans)
    await ledger.end_run(run)
    for _ in range(2):
        table = read_table(rows)
        assert [row.request.duration for row in table.rows] == [5, None, 8, 5, 5]
        plan = prepare(table, ROUTES)
        given = asked(plan, ROUTES, batch="spring", output=tmp_path / "v", ledger_url=url, patience=0, limits=AT_ONCE)
        outcome = await run_batch(*given, steps_for)
        assert {row.key: row.id for row in await ledger.read(lookups.rows_of, "spring")} == ids
        assert {outcome.records[row.key].id for row in table.rows} == set(ids.values())
    # A former key also chooses its row.
    assert len(prepare(table, ROUTES, only=[keys[0]]).rows) == 1
    await ledger.close()


async def test_rows_that_are_equal_now_keep_their_numbers(tmp_path):
    """In a batch that was planned by this version: no row takes a former key that is another row's present one."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
    kept = []
    for _ in range(2):
        table = read_table([{"prompt": CAFE_DECOMPOSED}, {"prompt": CAFE}])
        plan = prepare(table, ROUTES)
        given = asked(plan, ROUTES, batch="s", output=tmp_path / "v", ledger_url=url, patience=0, limits=AT_ONCE)
        outcome = await run_batch(*given, steps_for)
        kept.append([outcome.records[row.key].id for row in table.rows])
        assert [row.key for row in outcome.summaries] == [row.key for row in table.rows]
    assert kept[0] == kept[1]
