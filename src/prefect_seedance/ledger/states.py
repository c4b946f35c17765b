"""The states of a row, the moves between them, and how an attempt's money stands (DESIGN, section 4)."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["IN_FLIGHT", "MOVES", "RETRYABLE", "TAKEABLE", "MaterialState", "Outcome", "Settlement", "State"]


class State(StrEnum):
    """Where a row stands.

    `deferred` is "refused for now": by a rate limit, for want of funds, or because nothing could be reached.
    """

    PLANNED = "planned"
    OVER_BUDGET = "over_budget"
    DEFERRED = "deferred"
    SENT = "sent"
    UNKNOWN = "unknown"
    CREATED = "created"
    SUCCEEDED = "succeeded"
    STORED = "stored"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"


MOVES: dict[State, frozenset[State]] = {
    # Refused before it was ever sent: one of its media did not pass the provider's review.
    State.PLANNED: frozenset({State.SENT, State.DEFERRED, State.OVER_BUDGET, State.REFUSED}),
    State.OVER_BUDGET: frozenset({State.SENT, State.DEFERRED, State.OVER_BUDGET, State.REFUSED}),
    State.DEFERRED: frozenset({State.SENT, State.DEFERRED, State.OVER_BUDGET, State.REFUSED}),
    # Back to `planned` only where it is certain that the request never left.
    State.SENT: frozenset({State.CREATED, State.REFUSED, State.DEFERRED, State.UNKNOWN, State.PLANNED}),
    # By a late answer of its own attempt, which proves the job or the refusal; else by a person's word only: its job is
    # known, it was never made, or it was made and is lost.
    State.UNKNOWN: frozenset({State.CREATED, State.PLANNED, State.FAILED, State.DEFERRED, State.REFUSED}),
    State.CREATED: frozenset({State.SUCCEEDED, State.FAILED, State.EXPIRED}),
    State.SUCCEEDED: frozenset({State.STORED, State.EXPIRED}),
    # A stored file that is gone or changed is fetched again, never made again.
    State.STORED: frozenset({State.SUCCEEDED}),
    # Only when asked for: a new attempt.
    State.REFUSED: frozenset({State.PLANNED}),
    State.FAILED: frozenset({State.PLANNED}),
    State.EXPIRED: frozenset({State.PLANNED}),
}
"""Which state may follow which. Every other move is an error, whatever asks for it."""

TAKEABLE = frozenset({State.PLANNED, State.OVER_BUDGET, State.DEFERRED})
"""A create may be sent from these."""

IN_FLIGHT = (State.SENT, State.CREATED)
"""A job may be at work at the provider."""

RETRYABLE = frozenset({State.REFUSED, State.FAILED, State.EXPIRED})
"""Left alone unless the user asks (`retry=[...]`). `unknown` is not among them: a person resolves it."""


class Outcome(StrEnum):
    """What is known of one attempt, i.e. of one create request."""

    SENT = "sent"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CREATED = "created"


class Settlement(StrEnum):
    """How the money of one attempt stands.

    `undocumented` is a job that failed at a provider whose documents do not say whether it is charged.
    `charged` with no amount is a job whose price or units are not known: unknown is not zero.
    """

    NOTHING = "nothing"
    OPEN = "open"
    CHARGED = "charged"
    REFUNDED = "refunded"
    UNDOCUMENTED = "undocumented"
    UNKNOWN = "unknown"


class MaterialState(StrEnum):
    """Where a medium stands on its way into the form that a provider takes."""

    OPEN = "open"
    REVIEWING = "reviewing"
    READY = "ready"
    FAILED = "failed"
