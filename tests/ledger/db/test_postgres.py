"""What only PostgreSQL can get wrong: there writers do not queue by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from prefect_seedance.errors import LedgerError
from prefect_seedance.ledger import Ledger, State
from prefect_seedance.ledger.rows import maintenance, planning, transitions
from prefect_seedance.routes.pricing.amount import Amount
from tests.ledger.conftest import a_plan, an_intent
from tests.postgres import PostgresServer


@pytest.fixture
async def machines(postgres_server: PostgresServer) -> AsyncIterator[list[Ledger]]:
    """Four machines that open a new ledger at the same moment."""
    name = postgres_server.empty_database()
    ledgers = await asyncio.gather(*(Ledger.open(postgres_server.url(name)) for _ in range(4)))
    yield ledgers
    for ledger in ledgers:
        await ledger.close()
    postgres_server.drop(name)


async def test_newcomers_make_one_ledger_and_share_no_row(machines: list[Ledger]) -> None:
    assert len({ledger.identity for ledger in machines}) == 1

    async def start(ledger: Ledger) -> set[int]:
        run = await ledger.begin_run("spring")
        ids = await ledger.write(planning.plan, run, "1", [a_plan(f"k{number}") for number in range(50)])
        return await ledger.write(planning.claim, run, ids.values())

    takings = await asyncio.gather(*map(start, machines * 2))
    assert sum(map(len, takings)) == len(set.union(*takings)) == 50


async def test_no_two_machines_spend_the_same_money(machines: list[Ledger]) -> None:
    limit = Amount(Decimal(17), "CNY")

    async def work(number: int, ledger: Ledger) -> list[int | None]:
        run = await ledger.begin_run("spring")
        ids = await ledger.write(planning.plan, run, "1", [a_plan(f"{number}-{row}") for row in range(10)])
        await ledger.write(planning.claim, run, ids.values())
        intents = [an_intent(row, reserve=Amount(Decimal(1), "CNY")) for row in ids.values()]
        return await asyncio.gather(*(ledger.intend(run, intent, limit) for intent in intents))

    attempts = await asyncio.gather(*(work(number, ledger) for number, ledger in enumerate(machines)))
    assert sum(attempt is not None for mine in attempts for attempt in mine) == 17


async def test_what_no_text_column_keeps_costs_no_record(machines: list[Ledger]) -> None:
    ledger = machines[0]
    run = await ledger.begin_run("spring")
    (row,) = (await ledger.write(planning.plan, run, "1", [a_plan("a")])).values()
    await ledger.write(planning.claim, run, [row])
    attempt = await ledger.intend(run, an_intent(row))
    assert attempt is not None
    await ledger.refuse(run, row, attempt, LedgerError("half \ud83d\0"), State.UNKNOWN)
    assert (await ledger.row(row)).state is State.UNKNOWN
    with pytest.raises(LedgerError, match="cannot go from"):
        await ledger.write(transitions.refetch, run, row)
    assert await ledger.read(maintenance.unfinished_batches) == []
