"""Moving on: the one rule by which a row goes from one of its routes to the next (law 2).

| after | the row |
| --- | --- |
| out of funds, a key that is not accepted | goes on; the account is remembered as closed |
| the route is closed: in maintenance, or not on sale for this key | goes on; the route is remembered as closed |
| not supported, or refused by any other rule of the provider | goes on |
| a rate limit, or no connection, for longer than `limit_patience` | goes on; remembered for as long |
| moderation, of the request or of its media | goes on only where the user says so |
| an answer that proves nothing, a job that was made, a budget that holds no more | stays |
"""

from __future__ import annotations

import asyncio
import copy

from prefect_seedance.engine.row import Row
from prefect_seedance.errors import (
    AuthenticationError,
    ContentRejected,
    InsufficientFunds,
    RateLimited,
    Refused,
    RouteUnavailable,
    SeedanceError,
    Unreachable,
)
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.messages import message
from prefect_seedance.planning.run_limits import RunLimits

__all__ = ["given_up", "may_move", "out_of_patience", "refused_by_route", "skip", "state_after", "turn"]

FOR_NOW = (RateLimited, Unreachable, InsufficientFunds, AuthenticationError, RouteUnavailable)
"""Refusals that may have passed when the next run asks."""


def state_after(error: SeedanceError) -> State:
    """Where a create that ended in `error` leaves its row, where there is no other route."""
    if isinstance(error, FOR_NOW):
        return State.DEFERRED
    # Whatever is not proven to be a refusal may have been paid.
    return State.REFUSED if isinstance(error, Refused) else State.UNKNOWN


def may_move(error: SeedanceError, limits: RunLimits) -> bool:
    """Whether a row may be sent to another route after this: only where it is proven that nothing was made."""
    if isinstance(error, ContentRejected):
        return limits.fall_back_on_moderation
    return isinstance(error, Refused | Unreachable)


def out_of_patience(row: Row, error: SeedanceError) -> bool:
    """Whether a row need not ask its route again: of a refusal that passes, it bears some."""
    if not isinstance(error, RateLimited | Unreachable):
        return True
    now = asyncio.get_running_loop().time()
    first = now if row.limited is None else row.limited[0]
    row.limited = first, error
    if row.probes or row.session.circuit_breaker.reason(row.settings) is not None:
        return True
    wait = (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0
    return now + wait - first >= row.session.limits.limit_patience


def refused_by_route(row: Row, error: SeedanceError) -> None:
    """The row's present route does not take it: remember that, for this row and, where it holds for all, for them."""
    session = row.session
    session.circuit_breaker.close(row.settings, error, session.limits.limit_patience)
    row.refusals[row.at] = error
    row.probe, row.limited, row.moving = None, None, True


def skip(row: Row) -> bool:
    """Whether a row with other routes leaves its present one without asking: it has closed while the row waited."""
    reason = row.session.circuit_breaker.reason(row.settings) if row.others and not row.probes else None
    if reason is None:
        return False
    row.skipped[row.at] = reason
    row.limited, row.moving = None, True
    return True


def given_up(row: Row) -> bool:
    """After a row's step has ended: whether the row belongs into another queue."""
    error = row.trouble
    if not row.moving and row.others and row.state in TAKEABLE and isinstance(error, RateLimited | Unreachable):
        refused_by_route(row, error)
    return row.moving


async def turn(row: Row) -> bool:
    """Whether a row whose turn it is stands at the right route. If not, it is set to that one, or it is put off.

    The right one is the first that has not refused it, and is not known to be closed.
    """
    row.moving = False
    if not row.others or row.state not in TAKEABLE:
        return True
    circuit_breaker = row.session.circuit_breaker
    for place, candidate in enumerate(row.candidates):
        if place in row.refusals:
            continue
        reason = None if place == row.probe else circuit_breaker.reason(candidate.settings)
        if reason is not None and not circuit_breaker.claim(candidate.settings):
            row.skipped[place] = reason
            continue
        row.skipped.pop(place, None)
        if reason is not None:
            row.probe = place
        if place == row.at:
            return True
        row.go_to(place)
        row.moving = True
        return False
    await _nowhere(row)
    return False


async def _nowhere(row: Row) -> None:
    """No route is left: the row waits for a later run, unless all of them have refused it for good."""
    session = row.session
    reasons = [row.refusals.get(place) or row.skipped[place] for place in range(len(row.candidates))]
    waits = next((reason for reason in reasons if state_after(reason) is State.DEFERRED), None)
    error = copy.copy(waits or reasons[0])
    error.row = row.key
    error.reword(message("row.no_route_left", routes=len(reasons), reasons=row.passed(len(row.candidates))))
    if waits is None:
        await session.ledger.reject(session.run, row.id, error)
        row.moved(State.REFUSED, error.message)
    else:
        await session.ledger.put_off(session.run, row.id, error)
        row.moved(State.DEFERRED, error.message)
    row.trouble = error
