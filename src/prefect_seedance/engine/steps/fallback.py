"""The fallback: how a row moves from one of its routes to the next; `policy` says after which errors (law 2)."""

from __future__ import annotations

import asyncio
import copy

from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.policy import close, decide
from prefect_seedance.errors import RateLimited, SeedanceError
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.messages import message

__all__ = ["account_closed", "choose_route", "moves_on", "out_of_patience", "refused_by_route", "skip"]


def out_of_patience(row: Row, error: SeedanceError) -> bool:
    """Whether a row stops asking its route: at once, or for a temporary refusal after `limit_patience`."""
    if not decide(error).again:
        return True
    now = asyncio.get_running_loop().time()
    first = now if row.limited is None else row.limited[0]
    row.limited = first, error
    if row.is_probe or row.circuit_breaker.reason(row.settings.route.model) is not None:
        return True
    wait = (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0
    return now + wait - first >= row.session.limits.limit_patience


def refused_by_route(row: Row, error: SeedanceError) -> None:
    """Remember that the row's present route refuses it, and let the circuit breaker decide about the other rows."""
    close(row.circuit_breaker, row.settings.route.model, error, row.session.limits.limit_patience)
    row.refusals[row.at] = error
    row.probe, row.limited, row.moving = None, None, True


def skip(row: Row) -> bool:
    """Whether a row with other routes leaves its present one without asking, since it closed while the row waited."""
    if not row.has_alternatives or row.is_probe:
        return False
    reason = row.circuit_breaker.reason(row.settings.route.model)
    if reason is None:
        return False
    row.skipped[row.at] = reason
    row.limited, row.moving = None, True
    return True


def account_closed(row: Row) -> SeedanceError | None:
    """Why a row is not sent: its account refuses them all. After a while, one row without another route probes it."""
    reason = None if row.is_probe else row.circuit_breaker.reason_for_all()
    if reason is not None and not row.has_alternatives and row.circuit_breaker.claim(row.settings.route.model):
        row.probe = row.at
        return None
    return reason


def moves_on(row: Row) -> bool:
    """Whether a row moves to another queue, after its step has ended."""
    error = row.trouble
    waits = not row.moving and row.has_alternatives and row.state in TAKEABLE
    if waits and error is not None and decide(error).again:
        refused_by_route(row, error)
    return row.moving


async def choose_route(row: Row) -> bool:
    """Whether a row is at the route to use. If not, it is switched to that route, or it is deferred or refused.

    The route to use is the first that has not refused it and is not known to be closed.
    """
    row.moving = False
    if not row.has_alternatives or row.state not in TAKEABLE:
        return True
    for index, candidate in enumerate(row.candidates):
        if index in row.refusals:
            continue
        model = candidate.settings.route.model
        circuit_breaker = row.session.account_clients[candidate.settings.account].circuit_breaker
        reason = None if index == row.probe else circuit_breaker.reason(model)
        if reason is not None and not circuit_breaker.claim(model):
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
    waits = next((reason for reason in reasons if decide(reason).state is State.DEFERRED), None)
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
