"""Spending limits under any order of the moves of several batches, over days, and with a person's word in between."""

from __future__ import annotations

import asyncio
import itertools
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.errors import LedgerError, OverBudget, Refused
from prefect_seedance.ledger import Charge, Ledger, MaterialKey, Outcome, RowRecord, Run, Settlement, State
from prefect_seedance.ledger.rows import assets, lookups, maintenance, materials, planning, spending, transitions
from prefect_seedance.ledger.rows.spending import Held, Payer
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit
from tests.ledger.conftest import Bench, a_plan, an_intent
from tests.noon import noon_zone
from tests.patience import patience

NUMBERS = itertools.count()
PENNY = Decimal("0.0000000000000000000000000000000001")
EVENING = datetime(2026, 3, 28, 20, tzinfo=UTC)
"""Three hours before a day of 23 hours begins in Berlin."""


def cny(value: Any) -> Amount:
    return Amount(Decimal(value), "CNY")


LIMITS = (
    SpendingLimit(cny(8), "day"),
    SpendingLimit(cny(7), "day", "Europe/Berlin"),
    SpendingLimit(cny(15), "month", "Asia/Shanghai"),
)


@dataclass
class Clock:
    """The clock of the ledger's purchases, put forward by the test."""

    moment: datetime = EVENING

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (transitions, assets):
        monkeypatch.setattr(module, "now", clock)
    return clock


@dataclass
class Shop:
    """Two batches of one account in one ledger."""

    ledger: Ledger
    clock: Clock
    payer: Payer = field(default_factory=lambda: Payer("jimmy", f"studio {next(NUMBERS)}"))
    runs: list[Any] = field(default_factory=list)
    rows: list[dict[str, int]] = field(default_factory=list)
    left: list[tuple[int, int, Any]] = field(default_factory=list)
    """Attempts whose run is over: row, attempt, run. Their answers may still come."""

    async def open(self) -> None:
        for name in ("spring", "summer"):
            self.runs.append(await self.ledger.begin_run(f"{name} {self.payer.account}"))
            plans = [a_plan(key, account=self.payer.account) for key in "abc"]
            self.rows.append(await self.ledger.write(planning.plan, self.runs[-1], "1", plans))
            await self.ledger.write(planning.claim, self.runs[-1], list(self.rows[-1].values()))

    async def renew(self, place: int) -> None:
        batch = self.runs[place].batch
        self.runs[place] = await self.ledger.begin_run(batch)
        retry = frozenset({State.FAILED, State.REFUSED})
        await self.ledger.write(planning.claim, self.runs[place], list(self.rows[place].values()), retry)

    async def end(self, place: int) -> None:
        for row in self.rows[place].values():
            record = await self.ledger.row(row)
            if record.state is State.SENT and record.attempt is not None:
                self.left.append((row, record.attempt.id, self.runs[place]))
        await self.ledger.end_run(self.runs[place])

    async def step(self, place: int, key: str, how: str, units: int) -> None:
        """One lawful move of this kind, if there is one."""
        row = self.rows[place][key]
        record = await self.ledger.row(row)
        match how:
            case "late":
                await self.late()
            case "die":
                await self.end(place)
                await self.renew(place)
            case "resolve" | "lost" if record.state is State.UNKNOWN:
                await self.end(place)
                verdict: Any = "not_made" if how == "resolve" else "lost"
                await self.ledger.resolve(record.batch, "1", key, verdict, charge=None)
                await self.renew(place)
            case "bound":
                await self.ledger.set_worst_case(self.runs[place], cny(units))
            case "asset":
                await self.ask(self.runs[place], units)
            case _:
                await self.carry(self.runs[place], record, how, units)

    async def late(self) -> None:
        if self.left:
            row, attempt, run = self.left.pop()
            with pytest.raises(LedgerError):  # its run does not hold the row any more; the answer is kept
                await self.ledger.created(run, row, attempt, job_id=f"j{attempt}", http_status=200, request_id=None)

    async def carry(self, run: Run, record: RowRecord, how: str, units: int) -> None:
        ledger, row = self.ledger, record.id
        attempt = record.attempt.id if record.attempt else 0
        match record.state:
            case State.PLANNED | State.DEFERRED | State.OVER_BUDGET:
                await self.intend(run, row, how, units)
            case State.SENT if how in {"unknown", "refuse"}:
                to = State.UNKNOWN if how == "unknown" else State.DEFERRED
                await ledger.refuse(run, row, attempt, Refused("?"), to)
            case State.SENT:
                await ledger.created(run, row, attempt, job_id=f"j{attempt}", http_status=200, request_id=None)
            case State.CREATED if how in {"unknown", "refuse"}:
                settlement = Settlement.REFUNDED if how == "refuse" else Settlement.UNDOCUMENTED
                await ledger.write(transitions.fail, run, row, Charge(settlement), Refused("no"))
            case State.CREATED:
                amount = {"unpriced": None, "dear": units + PENNY}.get(how, PENNY)
                charge = Charge(Settlement.CHARGED, amount=amount)
                await ledger.write(transitions.succeed, run, row, charge, link_expires_at=None)

    async def intend(self, run: Any, row: int, how: str, units: int) -> None:
        # Another process may use the account under a block without limits, without a price, and in another currency.
        reserve = {"unpriced": None, "dollars": Amount(Decimal(units), "USD")}.get(how, cny(units + PENNY))
        currency = {"unpriced": None, "dollars": "USD"}.get(how, "CNY")
        intent = an_intent(row, account=self.payer.account, currency=currency, reserve=reserve)
        limits = () if how in {"unpriced", "dollars", "free"} else LIMITS
        attempt = await self.ledger.intend(run, intent, limits=limits)
        if limits and attempt is not None:
            await self.check_limits()

    async def ask(self, run: Any, units: int) -> None:
        key = MaterialKey(*self.payer, "asset", "image", f"{next(NUMBERS)}")
        later = datetime(2026, 1, 1, tzinfo=UTC)
        material = await self.ledger.write(materials.take, run, key, "a.png", needed_until=later)
        price = None if units == 1 else cny(units)
        try:
            request = await self.ledger.ask_for_asset(
                run, material.id, billing_model="asset", unit_price=price, budget=None, limits=LIMITS if price else ()
            )
        except OverBudget:
            return
        if price:
            await self.check_limits()
        outcome = {2: Outcome.REFUSED, 3: Outcome.UNKNOWN}.get(units, Outcome.CREATED)
        await self.ledger.write(assets.answer, run, request, outcome, asset_id=None)

    async def check_limits(self) -> None:
        """Nothing is sent beyond a limit, nor beside a request that has no bound."""
        for limit in LIMITS:
            found = await self.ledger.read(spending.used, self.payer, limit, self.clock.moment)
            assert (found.used <= limit.amount.value, found.unbounded) == (True, 0)


async def lines(ledger: Ledger, payer: Payer) -> list[tuple[Held, Held]]:
    """Each kept line, and the same counted from scratch."""

    def both(connection: Any) -> list[tuple[Held, Held]]:
        kept = [each for each in connection.execute(spending.spending.select()) if each.account == payer.account]
        return [
            (
                Held(line.committed, line.unbounded),
                spending.recount(connection, payer, line.currency, line.starts_at, line.ends_at),
            )
            for line in kept
        ]

    return await ledger.read(both)


MOVES = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from("abc"),
        st.sampled_from(
            ["go on"] * 6
            + ["dear", "unknown", "refuse", "unpriced", "free", "dollars", "die", "late", "resolve", "lost"]
            + ["asset", "bound"]
        ),
        st.integers(1, 4),
        st.sampled_from([0, 0, 0, 1, 5]),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=MOVES)
async def test_no_order_of_moves_breaks_a_limit_or_loses_an_amount(
    bench: Bench, clock: Clock, moves: list[Any]
) -> None:
    clock.moment = EVENING
    shop = Shop(bench.ledger, clock)
    await shop.open()
    for place, key, how, units, hours in moves:
        clock.moment += timedelta(hours=hours)
        await shop.step(place, key, how, units)
        for kept, counted in await lines(bench.ledger, shop.payer):
            assert kept == counted


async def shops(bench: Bench, url: str, clock: Clock) -> tuple[Shop, Shop]:
    """Two processes with a batch each, which share the account."""
    first = Shop(bench.ledger, clock)
    second = replace(first, ledger=await Ledger.open(url), runs=[], rows=[], left=[])
    for place, shop in enumerate((first, second)):
        run = await shop.ledger.begin_run(f"night {place}")
        plans = [a_plan(f"{number}", account=shop.payer.account) for number in range(10)]
        shop.runs.append(run)
        shop.rows.append(await shop.ledger.write(planning.plan, run, "1", plans))
        await shop.ledger.write(planning.claim, run, list(shop.rows[0].values()))
    return first, second


async def test_two_processes_share_the_rest_of_a_limit(bench: Bench, url: str, clock: Clock) -> None:
    both = await shops(bench, url, clock)
    intents = [
        shop.ledger.intend(
            shop.runs[0], an_intent(row, account=shop.payer.account, reserve=cny(1)), limits=(LIMITS[0],)
        )
        for pair in zip(*(shop.rows[0].values() for shop in both), strict=True)
        for shop, row in zip(both, pair, strict=True)
    ]
    sent = [attempt for attempt in await asyncio.gather(*intents) if attempt is not None]
    assert len(sent) == 8
    left = [row for place in (0, 1) for row in await bench.ledger.read(lookups.rows_of, f"night {place}")]
    texts = {row.error_message for row in left if row.state is State.OVER_BUDGET}
    limited = f"the spending limit of {'/'.join(both[0].payer)}, 8 CNY a day: 8 CNY are used today"
    (text,) = texts
    assert limited in (text or "")
    assert "It renews at 2026-03-29 00:00 UTC; run the same batch again then. Nothing was sent." in (text or "")
    # The next day the rest is sent.
    clock.moment += timedelta(hours=4)
    (row,) = [row.id for row in left if row.state is State.OVER_BUDGET and row.batch == "night 1"][:1]
    intent = an_intent(row, account=both[0].payer.account, reserve=cny(8))
    assert await both[1].ledger.intend(both[1].runs[0], intent, limits=(LIMITS[0],)) is not None
    await both[1].ledger.close()


async def test_a_new_line_counts_what_another_process_is_just_sending(bench: Bench, url: str, clock: Clock) -> None:
    first, second = await shops(bench, url, clock)
    free = [
        first.ledger.intend(first.runs[0], an_intent(row, account=first.payer.account, reserve=cny(1)))
        for row in first.rows[0].values()
    ]
    limited = [
        second.ledger.intend(
            second.runs[0],
            an_intent(row, account=first.payer.account, reserve=cny(1)),
            limits=(SpendingLimit(cny(99), "day", zone),),
        )
        for row, zone in zip(
            second.rows[0].values(),
            ["UTC", "Asia/Tokyo", "Asia/Kolkata", "Europe/Paris", "America/New_York", *["Africa/Cairo"] * 5],
            strict=True,
        )
    ]
    await asyncio.gather(*(each for pair in zip(free, limited, strict=True) for each in pair))
    kept = await lines(bench.ledger, first.payer)
    assert len(kept) == 6
    assert {held for pair in kept for held in pair} == {Held(Decimal(20), 0)}
    await second.ledger.close()


CHILD = """
import asyncio, sys
from decimal import Decimal
from prefect_seedance.ledger import Ledger
from prefect_seedance.ledger.rows import planning
from prefect_seedance.routes.pricing.amount import Amount
from prefect_seedance.routes.pricing.spending_limit import SpendingLimit
from tests.ledger.conftest import a_plan, an_intent

async def main(url, batch, zone):
    ledger = await Ledger.open(url)
    run = await ledger.begin_run(batch)
    ids = await ledger.write(planning.plan, run, "1", [a_plan(f"{n}") for n in range(20)])
    await ledger.write(planning.claim, run, list(ids.values()))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    limits = (SpendingLimit(Amount(Decimal(15), "CNY"), "month", zone),)
    sent = 0
    for row in ids.values():
        intent = an_intent(row, reserve=Amount(Decimal(1), "CNY"))
        sent += await ledger.intend(run, intent, limits=limits) is not None
    print(sent, flush=True)
    await ledger.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_that_race_for_the_rest_get_no_more_than_there_is(bench: Bench, url: str) -> None:
    pipe, zone = asyncio.subprocess.PIPE, noon_zone()
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, url, f"night {number}", zone, stdin=pipe, stdout=pipe
        )
        for number in range(2)
    ]
    async with asyncio.timeout(patience()):
        for child in children:
            assert child.stdout is not None
            assert await child.stdout.readline() == b"ready\n"
        outputs = await asyncio.gather(*(child.communicate(b"go\n") for child in children))
    sent = [int(output) for output, _ in outputs]
    assert sum(sent) == 15


@pytest.mark.parametrize(
    ("reserve", "words"),
    [(None, "has no known bound"), (Amount(Decimal(1), "USD"), "is in USD")],
    ids=["no bound", "another currency"],
)
async def test_a_limit_holds_only_what_it_can_speak_of(bench: Bench, reserve: Amount | None, words: str) -> None:
    (row,) = await bench.rows("a")
    attempt = await bench.ledger.intend(bench.run, an_intent(row, reserve=reserve), limits=(LIMITS[0],))
    record = await bench.ledger.row(row)
    assert (attempt, record.state, record.attempt) == (None, State.OVER_BUDGET, None)
    limit = "so the spending limit of jimmy/default, 8 CNY a day, cannot hold it"
    assert f"The worst case {words}, {limit}" in (record.error_message or "")


async def test_a_request_without_a_bound_closes_the_limit_until_it_has_one(bench: Bench, clock: Clock) -> None:
    clock.moment = EVENING
    unpriced, wanted = await bench.rows("a", "b")
    await bench.ledger.intend(bench.run, an_intent(unpriced, currency=None))
    intent = an_intent(wanted, reserve=cny(1))
    assert await bench.ledger.intend(bench.run, intent, limits=LIMITS) is None
    reason = (await bench.ledger.row(wanted)).error_message or ""
    assert "1 request of jimmy/default in this period may have been paid" in reason
    assert "run batch 'spring' with max_charge=" in reason
    await bench.ledger.set_worst_case(bench.run, cny(7))
    assert await bench.ledger.intend(bench.run, intent, limits=LIMITS) is None
    assert "7 CNY are used today" in ((await bench.ledger.row(wanted)).error_message or "")
    assert await bench.ledger.intend(bench.run, intent, limits=(LIMITS[0],)) is not None


async def test_the_limits_of_a_ledger_can_be_read_and_end_with_their_period(bench: Bench, clock: Clock) -> None:
    (row,) = await bench.rows("a")
    await bench.ledger.intend(bench.run, an_intent(row, reserve=cny(2)), limits=LIMITS)
    found = await bench.ledger.read(spending.present, clock.moment)
    assert [(each.used, each.most) for each in found] == [(2, 7), (2, 8), (2, 15)]
    assert found == [
        await bench.ledger.read(spending.used, Payer("jimmy", "default"), limit, clock.moment)
        for limit in sorted(LIMITS, key=lambda limit: limit.amount.value)
    ]
    later = clock.moment + timedelta(days=1)
    assert [each.most for each in await bench.ledger.read(spending.present, later)] == [15]
    await bench.ledger.write(maintenance.prune, later)
    assert [each.most for each in await bench.ledger.read(spending.present, clock.moment)] == [15]
