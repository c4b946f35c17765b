"""Spending limits over several batches of a ledger, as a nightly template makes them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from prefect_seedance.engine.step_runner import PLAIN
from prefect_seedance.errors import InvalidRows
from prefect_seedance.ledger import State
from prefect_seedance.planning.plan import BatchPlan, prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.reports.results.result import build_result
from prefect_seedance.reports.spending import quote_lines
from prefect_seedance.reports.summary import summary
from prefect_seedance.routes import Prices, VideoRequest, find
from prefect_seedance.routes.pricing.spending_limit import Per, SpendingLimit
from prefect_seedance.runs.batch import RunOutcome, run_batch
from prefect_seedance.runs.spending import spending_before
from prefect_seedance.sandbox import SandboxServer
from prefect_seedance.tables.reader import Table, read_table
from tests.engine.asked import asked
from tests.noon import noon_zone

PRICES = {"seedance2.0-mini-720p": "0.05"}


def route(sandbox: SandboxServer, prices: dict[str, str] = PRICES, **limits: str) -> RouteSettings:
    texts: dict[Per, str] = {"day": limits.get("day", ""), "month": limits.get("month", "")}
    parsed = [SpendingLimit.parse(text, per, noon_zone()) for per, text in texts.items()]
    account = Account(
        "jimmy",
        "studio",
        sandbox.url,
        SecretStr("sk_sandbox"),
        spending_limits=tuple(limit for limit in parsed if limit is not None),
    )
    return RouteSettings(
        account,
        find("seedance2.0-mini"),
        defaults=VideoRequest(duration=5),  # 0.25 CNY a row
        prices=Prices.parse("CNY", prices) if prices else None,
        poll_seconds=0.05,
        max_in_flight=2,
    )


def table(rows: int = 4) -> Table:
    return read_table([{"id": f"r{number}", "prompt": f"a lantern {number}"} for number in range(rows)])


async def night(
    tmp_path: Path, batch: str, used: RouteSettings, limits: RunLimits | None = None
) -> tuple[BatchPlan, RunOutcome]:
    limits = limits or RunLimits()
    plan = prepare(table(), [used], limits=limits)
    spec, context = asked(plan, [used], batch=batch, output=tmp_path / "v", ledger_url=url(tmp_path), limits=limits)
    return plan, await run_batch(spec, context, lambda _: PLAIN)


def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/ledger.db"


def states(outcome: RunOutcome) -> Counter[State]:
    return Counter(row.state for row in outcome.summaries)


async def test_a_limit_holds_over_all_batches_of_a_ledger(sandbox: SandboxServer, tmp_path: Path) -> None:
    limited = route(sandbox, day="1.5 CNY", month="300 CNY")
    rows = prepare(table(), [limited]).rows
    day, month = quote_lines(await spending_before(url(tmp_path), [limited]), rows)
    assert "0.00 of 1.50 CNY are used today, so about 4 of these 4 rows fit" in day
    assert "0.00 of 300.00 CNY are used this month" in month
    assert not (tmp_path / "ledger.db").exists()

    sandbox.faults.queue("create", "cut_after")  # made and paid, and nobody knows
    _, first = await night(tmp_path, "night 1", limited)
    assert states(first) == {State.STORED: 3, State.UNKNOWN: 1}
    (line, _) = quote_lines(await spending_before(url(tmp_path), [limited]), rows)
    assert "1.00 of 1.50 CNY are used today, so about 2 of these 4 rows fit" in line

    plan, second = await night(tmp_path, "night 2", limited)
    assert states(second) == {State.STORED: 2, State.OVER_BUDGET: 2}
    assert sum((line.cost for line in sandbox.state.bill()), Decimal(0)) == Decimal("1.50")
    left = next(row for row in second.summaries if row.state is State.OVER_BUDGET)
    assert "The worst case of 0.25 CNY does not fit into the spending limit of jimmy/studio, 1.5 CNY a day" in (
        left.error_message or ""
    )
    result = build_result(table(), plan, second, batch="night 2", take="1")
    assert result.spending[0] in summary(result)
    assert "jimmy/studio: 1.50 of 1.50 CNY are used today" in result.spending[0]

    # A block without limits, or with a higher one, is a decision of the person who saved it.
    _, third = await night(tmp_path, "night 2", route(sandbox, day="1.75 CNY"))
    assert states(third) == {State.STORED: 3, State.OVER_BUDGET: 1}


async def test_a_row_without_a_bound_is_refused_before_anything_is_sent(sandbox: SandboxServer, tmp_path: Path) -> None:
    unpriced = route(sandbox, {}, day="1.5 CNY")
    with pytest.raises(InvalidRows, match=r"the spending limit of its account, 1\.5 CNY a day, cannot hold it"):
        await night(tmp_path, "night", unpriced)
    with pytest.raises(InvalidRows, match=r"priced in CNY, which the spending limit .*1.5 USD a day.* never converted"):
        await night(tmp_path, "night", route(sandbox, day="1.5 USD"))
    assert sandbox.state.bill() == []
    bounded = RunLimits.parse(max_charge="0.5 CNY")
    _, outcome = await night(tmp_path, "night", unpriced, bounded)
    assert states(outcome) == {State.STORED: 3, State.OVER_BUDGET: 1}
