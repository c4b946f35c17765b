"""What an account refuses to everybody: who still asks, who probes, and what opens it again."""

from __future__ import annotations

import copy
import math

from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
from prefect_seedance.errors import InsufficientFunds, RateLimited, RouteUnavailable

FUNDS, LIMIT, CLOSED = InsufficientFunds("no funds"), RateLimited("too many"), RouteUnavailable("maintenance")


async def test_an_account_is_closed_for_all_its_routes_and_rows() -> None:
    breaker = CircuitBreaker()
    assert breaker.reason("fast") is None
    breaker.close(None, FUNDS, for_all=True)
    for reason in (breaker.reason("fast"), breaker.reason("mini"), breaker.reason_for_all()):
        assert str(reason) == str(FUNDS)
    breaker.opened("mini")
    assert breaker.reason("fast") is breaker.reason_for_all() is None


async def test_a_route_is_closed_alone_and_only_for_rows_that_have_another() -> None:
    breaker = CircuitBreaker()
    breaker.close("fast", CLOSED, for_all=False)
    assert str(breaker.reason("fast")) == str(CLOSED)
    assert breaker.reason("mini") is breaker.reason_for_all() is None
    breaker.opened("mini")
    assert str(breaker.reason("fast")) == str(CLOSED), "another route says nothing about this one"


async def test_a_rate_limit_does_not_hide_that_the_funds_are_used_up() -> None:
    breaker = CircuitBreaker()
    breaker.close(None, FUNDS, for_all=True)
    breaker.close(None, LIMIT, for_all=False, pause=0)
    assert str(breaker.reason_for_all()) == str(FUNDS)
    assert not breaker.claim("fast"), "nor is it probed any earlier"


async def test_one_row_at_a_time_probes_and_only_after_the_pause() -> None:
    breaker = CircuitBreaker()
    assert not breaker.claim("fast"), "nothing is closed"
    breaker.close(None, FUNDS, for_all=True, pause=math.inf)
    assert not breaker.claim("fast")
    breaker.opened("fast")
    breaker.close(None, FUNDS, for_all=True)
    breaker.close("fast", CLOSED, for_all=False, pause=0)
    assert not breaker.claim("fast"), "the route may be probed, and its account not yet"
    breaker.opened("mini")
    assert breaker.claim("fast")
    assert str(breaker.reason("fast")) == str(CLOSED), "all others still leave it out"


async def test_its_own_reason_that_comes_back_from_a_row_starts_no_new_pause() -> None:
    """A row that was put off unasked reports the reason again; only a provider's answer counts."""
    breaker = CircuitBreaker()
    breaker.close(None, FUNDS, for_all=True, pause=0)
    reason = breaker.reason_for_all()
    assert reason is not None
    breaker.close(None, copy.copy(reason), for_all=True)
    assert breaker.claim("mini"), "the pause of 0 seconds holds"
    breaker.close(None, InsufficientFunds("still no funds"), for_all=True)
    assert not breaker.claim("mini")
