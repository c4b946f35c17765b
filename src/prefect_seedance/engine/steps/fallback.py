"""The fallback: the rule by which a row moves from one of its routes to the next (law 2).

| after | the row |
| --- | --- |
| insufficient funds, a refused key | moves on; the account is remembered as closed |
| the route is unavailable: in maintenance, or not offered to this key | moves on; the route is remembered as closed |
| not supported, or refused by any other rule of the provider | moves on |
| a rate limit, or no connection, for longer than `limit_patience` | moves on; remembered for as long |
| moderation, of the request or of its media | moves on only where the user says so |
| an answer that proves nothing, a job that was made, an exhausted budget | stays |
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

__all__ = ["choose_route", "may_move", "moves_on", "out_of_patience", "refused_by_route", "skip", "state_after"]

FOR_NOW = (RateLimited, Unreachable, InsufficientFunds, AuthenticationError, RouteUnavailable)
"""Temporary refusals: the next run may be accepted."""


def state_after(error: SeedanceError) -> State:
    """The state of a row without another route after a create that ended in `error`."""
    if isinstance(error, FOR_NOW):
        return State.DEFERRED
    # Whatever is not proven to be a refusal may have been paid.
    return State.REFUSED if isinstance(error, Refused) else State.UNKNOWN


def may_move(error: SeedanceError, limits: RunLimits) -> bool:
    """Whether a row may move to another route after this error: only where it is proven that nothing was made."""
    if isinstance(error, ContentRejected):
        return limits.fall_back_on_moderation
    return isinstance(error, Refused | Unreachable)


def out_of_patience(row: Row, error: SeedanceError) -> bool:
    """Whether a row stops asking its route: at once, or for a temporary refusal after `limit_patience`."""
    if not isinstance(error, RateLimited | Unreachable):
        return True
    now = asyncio.get_running_loop().time()
    first = now if row.limited is None else row.limited[0]
    row.limited = first, error
    if row.is_probe or row.session.circuit_breaker.reason(row.settings) is not None:
        return True
    wait = (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0
    return now + wait - first >= row.session.limits.limit_patience


def refused_by_route(row: Row, error: SeedanceError) -> None:
    """Remember that the row's present route refuses it, and let the circuit breaker decide about the other rows."""
    session = row.session
    session.circuit_breaker.close(row.settings, error, session.limits.limit_patience)
    row.refusals[row.at] = error
    row.probe, row.limited, row.moving = None, None, True


def skip(row: Row) -> bool:
    """Whether a row with other routes leaves its present one without asking, since it closed while the row waited."""
    reason = row.session.circuit_breaker.reason(row.settings) if row.has_alternatives and not row.is_probe else None
    if reason is None:
        return False
    row.skipped[row.at] = reason
    row.limited, row.moving = None, True
    return True


def moves_on(row: Row) -> bool:
    """Whether a row moves to another queue, after its step has ended."""
    error = row.trouble
    if (
        not row.moving
        and row.has_alternatives
        and row.state in TAKEABLE
        and isinstance(error, RateLimited | Unreachable)
    ):
        refused_by_route(row, error)
    return row.moving


async def choose_route(row: Row) -> bool:
    """Whether a row is at the route to use. If not, it is switched to that route, or it is deferred or refused.

    The route to use is the first that has not refused it and is not known to be closed.
    """
    row.moving = False
    if not row.has_alternatives or row.state not in TAKEABLE:
        return True
    circuit_breaker = row.session.circuit_breaker
    for index, candidate in enumerate(row.candidates):
        if index in row.refusals:
            continue
        reason = None if index == row.probe else circuit_breaker.reason(candidate.settings)
        if reason is not None and not circuit_breaker.claim(candidate.settings):
            row.skipped[index] = reason
            continue
        row.skipped.pop(index, None)
        if reason is not None:
            row.probe = index
        if index == row.at:
            return True
        row.use_candidate(index)
        row.moving = True
        return False
    await _no_route_left(row)
    return False


async def _no_route_left(row: Row) -> None:
    """No route is left: the row is deferred to a later run, unless all routes have refused it permanently."""
    session = row.session
    reasons = [row.refusals.get(index) or row.skipped[index] for index in range(len(row.candidates))]
    waits = next((reason for reason in reasons if state_after(reason) is State.DEFERRED), None)
    error = copy.copy(waits or reasons[0])
    error.row = row.key
    error.reword(message("row.no_route_left", routes=len(reasons), reasons=row.earlier_refusals(len(row.candidates))))
    if waits is None:
        await session.ledger.reject(session.run, row.id, error)
        row.set_state(State.REFUSED, error.message)
    else:
        await session.ledger.put_off(session.run, row.id, error)
        row.set_state(State.DEFERRED, error.message)
    row.trouble = error
