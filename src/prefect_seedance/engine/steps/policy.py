"""What an error means for its row, for the rows behind it, and for another try: one table for all steps.

| error | the row, after its create | closes | next route | again |
| --- | --- | --- | --- | --- |
| `AuthenticationError` | deferred | the account, while this process uses the key | yes | no |
| `InsufficientFunds` | deferred | the account | yes | no |
| `RouteUnavailable` | deferred | the route | yes | no |
| `RoutePaused` | deferred | nothing: the gate remembers it | yes | no |
| `RateLimited`, `Unreachable` | deferred | the account, for rows with another route | after `limit_patience` | yes |
| `ContentRejected` | refused | nothing | where the user says so | no |
| any other `Refused` | refused | nothing | yes | no |
| `OverBudget` | over budget | nothing | no | no |
| anything else | unknown: it may have been paid | nothing | no | no |

An error behind the create leaves the row where it is: a video that is not whole (`InvalidVideo`) or could not be
verified (`UnverifiedVideo`) leaves it `succeeded`, closes nothing and stops nothing, and the next run asks again. Only
`LedgerError` and `InputError` stop the run: nothing more could be recorded or stored.

An error in front of the create, such as a medium that cannot be read, leaves no row unknown: nothing was sent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from prefect_seedance.accounts.circuit_breaker import CircuitBreaker
from prefect_seedance.errors import (
    AuthenticationError,
    ContentRejected,
    InsufficientFunds,
    OverBudget,
    RateLimited,
    Refused,
    RoutePaused,
    RouteUnavailable,
    SeedanceError,
    Unreachable,
)
from prefect_seedance.ledger import State
from prefect_seedance.planning.run_limits import RunLimits

__all__ = ["Decision", "close", "decide", "may_fall_back", "state_before_create"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an error.

    Attributes:
        state: The state of the row whose create ended so.
        close: What is closed for the rows behind it.
        fall_back: Whether the row may go on to its next route: only where it is proven that nothing was made.
        again: Whether the same route may be asked again after a pause.
    """

    state: State
    close: Literal["account", "route"] | None = None
    fall_back: bool = False
    again: bool = False


_NOT_NOW = Decision(State.DEFERRED, close="account", fall_back=True, again=True)

_DECISIONS: dict[type[BaseException], Decision] = {
    AuthenticationError: Decision(State.DEFERRED, close="account", fall_back=True),
    InsufficientFunds: Decision(State.DEFERRED, close="account", fall_back=True),
    RouteUnavailable: Decision(State.DEFERRED, close="route", fall_back=True),
    RoutePaused: Decision(State.DEFERRED, fall_back=True),
    RateLimited: _NOT_NOW,
    Unreachable: _NOT_NOW,
    ContentRejected: Decision(State.REFUSED),
    Refused: Decision(State.REFUSED, fall_back=True),
    OverBudget: Decision(State.OVER_BUDGET),
    SeedanceError: Decision(State.UNKNOWN),
}


def decide(error: SeedanceError) -> Decision:
    """The table's line for an error: that of its class, or of the nearest class above it."""
    return next(_DECISIONS[kind] for kind in type(error).__mro__ if kind in _DECISIONS)


def state_before_create(error: SeedanceError) -> State:
    """The state of a row whose error came before its create: `unknown` is not possible."""
    state = decide(error).state
    return State.DEFERRED if state is State.UNKNOWN else state


def may_fall_back(error: SeedanceError, limits: RunLimits) -> bool:
    """Whether a row may go on to its next route after this error."""
    if isinstance(error, ContentRejected):
        return limits.fall_back_on_moderation
    return decide(error).fall_back


def close(breaker: CircuitBreaker, model: str, error: SeedanceError, patience: float) -> None:
    """Have the account's circuit breaker remember an error that the rows behind would get as well.

    Args:
        breaker: That of the account.
        model: The route that answered.
        error: Its answer.
        patience: The user's `limit_patience` in seconds: so long a temporary refusal is believed.
    """
    decision = decide(error)
    if decision.close is None:
        return
    pause = max(patience, 1.0) if decision.again else None
    if isinstance(error, AuthenticationError):
        pause = math.inf  # a client never gets another key
    scope = model if decision.close == "route" else None
    breaker.close(scope, error, pause=pause, for_all=decision.close == "account" and not decision.again)
