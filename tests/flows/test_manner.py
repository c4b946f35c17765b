"""Row by row or chunk by chunk: the same videos and the same books, in far fewer task runs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prefect_seedance import generate_videos
from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials
from prefect_seedance.core.portal import call_core
from prefect_seedance.engine import dispatcher
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.sandbox import SandboxServer, SandboxSettings
from prefect_seedance.tasks.step_runner import PER_CHUNK, PER_STEP, steps_for
from tests.lifetimes import end_of_life
from tests.patience import eventually

STORM = {
    "rate_limited": 0.2,
    "retry_after": 0.1,
    "error_before": 0.08,
    "broken_after": 0.08,
    "cut_before": 0.05,
    "cut_after": 0.05,
    "failed": 0.08,
    "expired_link": 0.05,
    "stale_link": 0.1,
    "no_ranges": 0.2,
    "download_cut": 0.3,
}
MODELS = ("seedance2.0-mini", "seedance-2.0-mini")


def books(url: str) -> dict[str, object]:
    """All that a ledger says of a batch but ids and times."""

    async def read() -> dict[str, object]:
        ledger = await Ledger.open(url)
        rows, attempts = await ledger.read(lookups.rows_of, "spring"), await ledger.read(lookups.attempts_of, "spring")
        await ledger.close()
        return {
            row.key: (
                row.state, row.model, row.fingerprint, row.file_name, row.seconds, row.error_kind,
                row.error_code,
                [
                    (each.outcome, each.settlement, each.units, each.charge, each.unit_price, each.http_status,
                     each.job_id is None)
                    for each in attempts if each.row_id == row.id
                ],
            )
            for row in rows
        }  # fmt: skip

    return call_core(read)


@pytest.mark.slow
def test_under_the_same_faults_both_ways_leave_the_same_ledger(prefect_server, route_to, tmp_path, api, monkeypatch):
    monkeypatch.setattr(dispatcher, "CHUNK", 4)
    end_of_life(monkeypatch)
    table = [{"id": f"r{n}", "prompt": f"a lantern {n} 🏮", "model": MODELS[n % 2]} for n in range(22)]
    kept, bills, runs = [], [], []
    for way in ("per_step", "per_chunk"):
        with SandboxServer(SandboxSettings(seed=7, job_seconds=(0.2, 1.0))) as sandbox:
            sandbox.state.faults.update(**STORM)
            accounts = (
                JimmyCredentials(api_key="sk_sandbox", base_url=sandbox.url),
                AnyfastCredentials(api_key="sk-sandbox", base_url=sandbox.url),
            )
            generate_videos(
                table,
                route=[
                    route_to(model, credentials=account, max_in_flight=3, duration=4, ratio="16:9")
                    for model, account in zip(MODELS, accounts, strict=True)
                ],
                batch="spring",
                output=tmp_path / way,
                ledger=f"sqlite+aiosqlite:///{tmp_path / way}.db",
                task_runs=way,
            )
            bills.append(sorted((line.prompt, line.cost) for line in sandbox.state.bill()))
        kept.append(books(f"sqlite+aiosqlite:///{tmp_path / way}.db"))
        runs.append(names_of_task_runs(api, 46 if way == "per_step" else 6))
    assert kept[0] == kept[1]
    assert bills[0] == bills[1]
    assert {"stored", "unknown", "failed"} <= {state for state, *_ in kept[0].values()}
    assert len(runs[0]) > 3 * 15
    assert len(runs[1]) == 6
    assert "seedance2.0-mini, rows 1 to 4" in runs[1]


def names_of_task_runs(api, number: int) -> list[str]:
    """The names of the last flow run's task runs, once the server has heard of so many, and of no more for a moment."""
    last = api.post("/flow_runs/filter", json={"sort": "START_TIME_DESC", "limit": 1}).json()[0]["id"]
    names: list[str] = []

    def all_of_them() -> list[str]:
        nonlocal names
        before, found = names, api.post("/task_runs/filter", json={"flow_runs": {"id": {"any_": [last]}}}).json()
        names = [run["name"] for run in found]
        return names if len(names) == len(before) >= number else []

    return eventually(all_of_them, f"{number} task runs", every=0.25)


@pytest.mark.slow
def test_a_slow_row_holds_up_nobody(make, route_to, sandbox, monkeypatch):
    """Of two places one is taken to the end by a job of the first chunk; all other chunks pass it by."""
    # The last question comes after the patience, when all jobs but the endless one ended long ago.
    monkeypatch.setattr(dispatcher, "CHUNK", 2)
    sandbox.faults.queue("create", "never_ending")
    result = make(
        [{"id": f"r{n}", "prompt": f"a lantern {n}"} for n in range(7)],
        route=route_to(max_in_flight=2),
        task_runs="per_chunk",
        patience=3,
    )
    assert result.counts == {"stored": 6, "created": 1}
    assert result.cost() == {"CNY": 6 * Decimal("0.25")}


def test_the_way_is_chosen_by_the_number_of_rows():
    assert steps_for()(500) is steps_for("per_step")(100_000) is PER_STEP
    assert steps_for()(501) is steps_for("per_chunk")(1) is PER_CHUNK
    with pytest.raises(InputError, match=r"task_runs=\"per_row\".*auto, per_step, per_chunk.*Nothing was spent"):
        steps_for("per_row")
