"""The beginning of a run over many rows: written in groups, reported together; finished rows are left alone."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from prefect_seedance.core.events import watching
from prefect_seedance.engine.step_runner import StepRunner
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger
from prefect_seedance.ledger.rows import lookups, planning, transitions
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import find
from prefect_seedance.runs.batch import run_batch
from prefect_seedance.runs.reconcile import GROUP
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
        limits=RunLimits(limit_patience=0),
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
