"""The fallback: how a row moves from one of its routes to the next; `policy` says after which errors (law 2)."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from datetime import timedelta

from prefect_seedance.core.clock import now
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.adopt import leave
from prefect_seedance.engine.steps.policy import close, decide
from prefect_seedance.errors import RateLimited, SeedanceError
from prefect_seedance.ledger import TAKEABLE, State
from prefect_seedance.messages import message

__all__ = [
    "account_closed",
    "choose_route",
    "gives_up",
    "moves_on",
    "out_of_patience",
    "paused",
    "refused_by_route",
    "refused_for_good",
    "skip",
]


def out_of_patience(row: Row, error: SeedanceError) -> bool:
    """Whether a row stops asking its route: at once, or for a temporary refusal after `limit_patience`."""
    if not decide(error).again:
        return True
    now = asyncio.get_running_loop().time()
    first = now if row.fallback.limited is None else row.fallback.limited[0]
    row.fallback.limited = first, error
    if row.fallback.is_probe or row.circuit_breaker.reason(row.settings.route.model) is not None:
        return True
    wait = (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0
    return now + wait - first >= row.session.limits.limit_patience


def refused_by_route(row: Row, error: SeedanceError) -> None:
    """Remember that the row's present route refuses it, and let the circuit breaker decide about the other rows."""
    close(row.circuit_breaker, row.settings.route.model, error, row.session.limits.limit_patience)
    row.fallback.refusals[row.fallback.at] = error
    row.fallback.probe, row.fallback.limited, row.fallback.moving = None, None, True


def refused_for_good(row: Row) -> bool:
    """Whether all routes of a row have refused it, none of them only for now."""
    refusals = row.fallback.refusals.values()
    return row.fallback.exhausted and all(decide(each).state is State.REFUSED for each in refusals)


def skip(row: Row) -> bool:
    """Whether a row with other routes leaves its present one without asking, since it closed while the row waited."""
    if not row.fallback.has_alternatives or row.fallback.is_probe:
        return False
    reason = row.circuit_breaker.reason(row.settings.route.model)
    if reason is None:
        return False
    row.fallback.skipped[row.fallback.at] = reason
    row.fallback.limited, row.fallback.moving = None, True
    return True


def account_closed(row: Row) -> SeedanceError | None:
    """Why a row is not sent: its account refuses them all. After a while, one row without another route probes it."""
    reason = None if row.fallback.is_probe else row.circuit_breaker.reason_for_all()
    if reason is not None and not row.fallback.has_alternatives and row.circuit_breaker.claim(row.settings.route.model):
        row.fallback.probe = row.fallback.at
        return None
    if reason is not None:
        reason = copy.copy(reason)  # another row has found it out, perhaps of another run
        reason.row = row.key
    return reason


def paused(row: Row) -> RateLimited | None:
    """Why a row is not sent: its provider accepts nothing for longer than the row waits."""
    wait = row.account_client.limiter.pause_beyond(_patience(row))
    if wait is None:
        return None
    text = message(
        "row.paused",
        account=row.settings.account.identity,
        until=f"{now() + timedelta(seconds=wait):%Y-%m-%d %H:%M}",
        patience=_patience(row),
    )
    error = RateLimited(text, retry_after=wait, provider=row.settings.account.provider, row=row.key)
    error.beyond_patience = True
    return error


def gives_up(row: Row) -> Callable[[], bool]:
    """Whether a row stops waiting for its turn: nothing is sent any more, or not soon enough."""
    session, limiter = row.session, row.account_client.limiter
    return lambda: session.is_over() or limiter.pause_beyond(_patience(row)) is not None


def _patience(row: Row) -> float:
    """Seconds that a row waits for its turn: where it has another route, that one is soon the better choice."""
    return row.session.limits.limit_patience if row.fallback.has_alternatives else row.session.spec.patience


def moves_on(row: Row) -> bool:
    """Whether a row moves to another queue, after its step has ended."""
    error = row.trouble
    waits = not row.fallback.moving and row.fallback.has_alternatives and row.state in TAKEABLE
    if waits and error is not None and decide(error).again:
        refused_by_route(row, error)
    return row.fallback.moving


async def choose_route(row: Row) -> bool:
    """Whether a row is at the route to use. If not, it is switched to that route, or it is deferred or refused.

    The route to use is the first that has not refused it and is not known to be closed.
    """
    row.fallback.moving = False
    if not row.fallback.has_alternatives or row.state not in TAKEABLE:
        return True
    for index, candidate in enumerate(row.fallback.candidates):
        if index in row.fallback.refusals:
            continue
        model = candidate.settings.route.model
        circuit_breaker = row.session.account_clients[candidate.settings.account].circuit_breaker
        reason = None if index == row.fallback.probe else circuit_breaker.reason(model)
        if reason is not None and not circuit_breaker.claim(model):
            row.fallback.skipped[index] = reason
            continue
        row.fallback.skipped.pop(index, None)
        if reason is not None:
            row.fallback.probe = index
        if index == row.fallback.at:
            return True
        row.use_candidate(index)
        row.fallback.moving = True
        return False
    await _no_route_left(row)
    return row.state is State.CREATED


async def _no_route_left(row: Row) -> None:
    """No route is left: the row is deferred to a later run, unless all routes have refused it permanently."""
    fallback = row.fallback
    number = len(fallback.candidates)
    reasons = [fallback.refusals.get(index) or fallback.skipped[index] for index in range(number)]
    waits = next((reason for reason in reasons if decide(reason).state is State.DEFERRED), None)
    error = copy.copy(waits or reasons[0])
    error.row = row.key
    error.reword(message("row.no_route_left", routes=number, reasons=fallback.earlier_refusals(number)))
    await leave(row, error, State.REFUSED if waits is None else State.DEFERRED)
    if row.state is not State.CREATED:
        row.trouble = error
