"""Media in the ledger, and the billed requests for them: the laws of creates hold for these as well."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from prefect_seedance.errors import InputError, LedgerError, OverBudget
from prefect_seedance.ledger import MaterialKey, MaterialRecord, MaterialState, Outcome, Run
from prefect_seedance.ledger.rows import assets, budget, leases, lookups, maintenance, materials
from prefect_seedance.routes.pricing.amount import Amount
from tests.ledger.conftest import Bench

CLIP = MaterialKey("anyfast", "default", "asset", "video", "ab" * 32)
GROUP = MaterialKey("anyfast", "default", "group", "", "")
PRICE = Amount(Decimal(1), "CNY")
LONG_AGO, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=1)


async def taken(bench: Bench, key: MaterialKey = CLIP, run: Run | None = None) -> MaterialRecord:
    return await bench.ledger.write(materials.take, run or bench.run, key, "dance.mp4", needed_until=LONG_AGO)


async def asked(bench: Bench, material: MaterialRecord, run: Run | None = None, **limits: Any) -> int:
    given = {"billing_model": "volc-asset-video", "unit_price": PRICE, "budget": None, **limits}
    return await bench.ledger.ask_for_asset(run or bench.run, material.id, **given)


async def lost(bench: Bench, key: MaterialKey = CLIP) -> int:
    """A request whose answer was lost; the run is over."""
    request = await asked(bench, await taken(bench, key))
    assert request is not None
    await bench.ledger.write(assets.answer, bench.run, request, Outcome.UNKNOWN, reason="cut")
    await bench.ledger.end_run(bench.run)
    return request


async def committed(bench: Bench) -> Decimal:
    """What the batch has committed, which must be what a new count gives."""
    kept = await bench.ledger.read(budget.committed, bench.run, "CNY")
    counted = await bench.ledger._database.read(lambda c: budget.recount(c, bench.run.batch_id))
    assert counted.get("CNY", 0) == kept
    return kept


async def test_a_request_of_unknown_outcome_forbids_another_in_every_run_until_it_is_found(bench: Bench) -> None:
    request = await lost(bench)
    summer = await bench.ledger.begin_run("summer")
    clip = await taken(bench, run=summer)
    with pytest.raises(LedgerError, match="not sent again"):
        await asked(bench, clip, summer)
    waiting = await bench.ledger.read(assets.waiting, clip.id)
    assert waiting is not None
    assert (waiting.id, waiting.batch, waiting.outcome) == (request, "spring", Outcome.UNKNOWN)

    await bench.ledger.write(assets.found, summer, clip.id, "asset-1")
    assert await bench.ledger.read(assets.waiting, clip.id) is None
    (settled,) = await bench.ledger.asset_requests_of("spring")
    assert (settled.outcome, settled.asset_id, settled.message) == (Outcome.CREATED, "asset-1", "cut")
    assert await committed(bench) == 1
    clip = await taken(bench, run=summer)
    assert (clip.state, clip.asset_id) == (MaterialState.REVIEWING, "asset-1")


@pytest.mark.parametrize(("key", "state"), [(CLIP, MaterialState.REVIEWING), (GROUP, MaterialState.READY)])
async def test_the_answer_and_the_medium_are_one_step(bench: Bench, key: MaterialKey, state: MaterialState) -> None:
    """A process that dies right after the answer was written leaves nobody to ask for the asset again."""
    request = await asked(bench, await taken(bench, key))
    assert request is not None
    await bench.ledger.write(assets.answer, bench.run, request, Outcome.CREATED, asset_id="made-1")
    await bench.ledger.end_run(bench.run)
    record = await taken(bench, key, await bench.ledger.begin_run("spring"))
    assert (record.state, record.asset_id) == (state, "made-1")


@pytest.mark.parametrize("verdict", ["not_made", "lost", "job"])
async def test_a_person_settles_what_was_never_found(bench: Bench, verdict: Any) -> None:
    request = await lost(bench)
    with pytest.raises(InputError, match="no asset request"):
        await bench.ledger.write(assets.resolve, "summer", request, verdict)
    with pytest.raises(InputError, match="the provider's id"):
        await bench.ledger.write(assets.resolve, "spring", request, verdict, asset_id=None if verdict == "job" else "a")
    asset_id = "asset://asset-7" if verdict == "job" else None
    await bench.ledger.write(assets.resolve, "spring", request, verdict, asset_id=asset_id)
    (settled,) = await bench.ledger.asset_requests_of("spring")
    words = {"job": "asset asset-7"}
    assert (settled.resolution, settled.message) == (words.get(verdict, verdict), "cut")
    assert await committed(bench) == (0 if verdict == "not_made" else 1)
    with pytest.raises(InputError, match="nothing to resolve"):
        await bench.ledger.write(assets.resolve, "spring", request, verdict, asset_id=asset_id)

    run = await bench.ledger.begin_run("spring")
    clip = await taken(bench, run=run)
    # A lost asset keeps its name at the provider: the next one needs another.
    assert clip.attempt == (2 if verdict == "lost" else 1)
    if verdict == "job":
        assert (clip.state, clip.asset_id) == (MaterialState.REVIEWING, "asset-7")
    else:
        assert await asked(bench, clip, run) is not None


async def test_a_request_on_the_wire_of_a_run_that_died_is_unknown_and_keeps_its_price(bench: Bench) -> None:
    """It may have been billed: as withdrawn, it would be asked for and paid again."""
    request = await asked(bench, await taken(bench))
    heard = datetime(2026, 1, 1, tzinfo=UTC).isoformat(timespec="microseconds")
    bench.query("UPDATE seedance_runs SET host = 'elsewhere', heartbeat_at = ?", heard)
    later = await bench.ledger.begin_run("spring")
    assert await bench.ledger.write(leases.has_live_run, later.batch_id)
    (found,) = await bench.ledger.asset_requests_of("spring")
    assert (found.id, found.outcome, found.answered_at) == (request, Outcome.UNKNOWN, None)
    assert "died or was stopped" in (found.message or "")
    assert await committed(bench) == 1
    with pytest.raises(LedgerError, match="not sent again"):
        await asked(bench, await taken(bench, run=later), later)


async def test_nobody_settles_what_a_run_works_on(bench: Bench) -> None:
    request = await asked(bench, await taken(bench))
    assert request is not None
    with pytest.raises(LedgerError, match="A run works on the medium"):
        await bench.ledger.write(assets.resolve, "spring", request, "not_made")


@pytest.mark.parametrize(("room", "fits"), [("9", True), ("9.01", False)])
async def test_an_asset_is_paid_only_where_the_row_fits_beside_it(bench: Bench, room: str, fits: bool) -> None:
    limits = {"budget": Amount(Decimal(10), "CNY"), "room": Decimal(room)}
    with contextlib.nullcontext() if fits else pytest.raises(OverBudget, match="budget of 10 CNY"):
        await asked(bench, await taken(bench), **limits)
    assert await committed(bench) == (1 if fits else 0)


async def test_an_asset_without_a_price_needs_the_users_word_before_a_budget_can_hold(bench: Bench) -> None:
    request = await asked(bench, await taken(bench), unit_price=None)
    refused = await asked(bench, await taken(bench, GROUP), unit_price=None)
    assert request is not None
    assert refused is not None
    await bench.ledger.write(assets.answer, bench.run, request, Outcome.CREATED, asset_id="asset-1")
    await bench.ledger.write(assets.answer, bench.run, refused, Outcome.REFUSED)
    assert await bench.ledger.set_worst_case(bench.run, None) == 1
    assert await bench.ledger.set_worst_case(bench.run, Amount(Decimal(3), "CNY")) == 0
    assert await committed(bench) == 3


async def test_a_batch_with_an_unsettled_asset_is_not_pruned(bench: Bench) -> None:
    (row,) = await bench.rows("a")
    await bench.stored(row)
    request = await lost(bench)
    await bench.ledger.end_run(bench.run)
    assert await bench.ledger.write(maintenance.prune, LATER) == []
    await bench.ledger.write(assets.resolve, "spring", request, "not_made")
    assert await bench.ledger.write(maintenance.prune, LATER) == ["spring"]


async def test_a_batch_that_a_run_works_on_is_not_pruned(bench: Bench) -> None:
    (row,) = await bench.rows("a")
    await bench.stored(row)
    before = await bench.ledger.read(lookups.rows_of, "spring")
    with pytest.raises(
        InputError, match=rf"A run works on batch 'spring': run {bench.run.id}, process {os.getpid()} on"
    ):
        await bench.ledger.write(maintenance.prune, LATER)
    assert await bench.ledger.read(lookups.rows_of, "spring") == before
    await bench.ledger.end_run(bench.run)
    assert await bench.ledger.write(maintenance.prune, LATER) == ["spring"]
