"""What a row does when its patience ends while it waits for its route."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
from prefect_seedance.engine.route_fallback import RouteFallback
from prefect_seedance.engine.steps.create import create
from prefect_seedance.errors import MovedToNextRoute, RateLimited
from prefect_seedance.ledger import State
from prefect_seedance.planning.plan import prepare
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import find
from prefect_seedance.tables.reader import read_table
from tests.patience import patience, skip


class Closed:
    """A limiter that is never ready, as after a long Retry-After."""

    async def ready(self, *_: Any) -> None:
        await asyncio.Event().wait()


async def test_a_row_whose_patience_ends_goes_on_to_its_next_route() -> None:
    """It was refused for now, and waits. Nothing is sent meanwhile: the session has no ledger at all."""
    account = Account(provider="jimmy", label="default", base_url="http://127.0.0.1:9", api_key=SecretStr("sk_none"))
    routes = tuple(
        RouteSettings(account, find(name), block=name) for name in ("seedance2.0-mini", "seedance2.0-mini-sp")
    )
    table = read_table([{"prompt": "a kite", "route": " > ".join(route.block or "" for route in routes)}])
    (planned,) = prepare(table, routes).rows
    refusal = RateLimited("slowly")
    fallback = RouteFallback(planned.candidates)
    fallback.limited = asyncio.get_running_loop().time(), refusal
    row: Any = SimpleNamespace(
        key="a",
        state=State.PLANNED,
        slot=None,
        settings=planned.settings,
        fallback=fallback,
        circuit_breaker=CircuitBreaker(),
        account_client=SimpleNamespace(limiter=Closed()),
        session=SimpleNamespace(is_over=lambda: False, limits=RunLimits(limit_patience=30)),
    )
    waiting = asyncio.create_task(create(row))
    await asyncio.sleep(0)
    skip(29)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    skip(2)
    async with asyncio.timeout(patience()):
        with pytest.raises(MovedToNextRoute, match=r"goes on to its next route\. slowly"):
            await waiting
    assert fallback.moving
    assert fallback.limited is None
    assert fallback.refusals == {0: refusal}
    assert row.state is State.PLANNED
    # The rows behind it that have another route do not wait as long.
    closed = row.circuit_breaker.reason(planned.settings.route.model)
    assert closed is not None
    assert closed.message == refusal.message
    assert row.circuit_breaker.reason_for_all() is None
