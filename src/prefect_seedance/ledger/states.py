"""The states of rows, attempts and media, and the allowed transitions of a row."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["IN_FLIGHT", "RETRYABLE", "TAKEABLE", "TRANSITIONS", "MaterialState", "Outcome", "Settlement", "State"]


class State(StrEnum):
    """The state of a row.

    `deferred` means "not now": a rate limit, insufficient funds, or an unreachable provider.
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


TRANSITIONS: dict[State, frozenset[State]] = {
    # From a state in which nothing is under way, `created` only by a late answer that names the row's job, or by a job
    # that an earlier answer had named; `unknown` only where that job is another row's too. So also below.
    # Refused before it was sent: one of its media did not pass the provider's review. Succeeded without being sent: the
    # user lets it have a copy of a stored video of the same request.
    State.PLANNED: frozenset(
        {
            *(State.SENT, State.DEFERRED, State.OVER_BUDGET, State.REFUSED),
            *(State.CREATED, State.UNKNOWN, State.SUCCEEDED),
        }
    ),
    State.OVER_BUDGET: frozenset(
        {
            *(State.SENT, State.DEFERRED, State.OVER_BUDGET, State.REFUSED),
            *(State.CREATED, State.UNKNOWN, State.SUCCEEDED),
        }
    ),
    State.DEFERRED: frozenset(
        {
            *(State.SENT, State.DEFERRED, State.OVER_BUDGET, State.REFUSED),
            *(State.CREATED, State.UNKNOWN, State.SUCCEEDED),
        }
    ),
    # Back to `planned` only where it is certain that the request never left.
    State.SENT: frozenset({State.CREATED, State.REFUSED, State.DEFERRED, State.UNKNOWN, State.PLANNED}),
    # By a late answer to its own attempt, which proves the job or the refusal; else only by a person's resolution: its
    # job is known, it was never made, or it was made and is lost.
    State.UNKNOWN: frozenset({State.CREATED, State.PLANNED, State.FAILED, State.DEFERRED, State.REFUSED}),
    # To `unknown` only by an alarm: another row has the same job, and a person has to say whose it is.
    State.CREATED: frozenset({State.SUCCEEDED, State.FAILED, State.EXPIRED, State.UNKNOWN}),
    State.SUCCEEDED: frozenset({State.STORED, State.EXPIRED, State.UNKNOWN}),
    # A stored file that is gone or changed is fetched again, never made again. A late answer is evidence only.
    State.STORED: frozenset({State.SUCCEEDED}),
    # To `planned` only at the user's request: a new attempt. To `created` by a late answer: a person took the job for
    # lost, or another job of the row has failed, was refused, or has expired.
    State.REFUSED: frozenset({State.PLANNED, State.CREATED, State.UNKNOWN}),
    # Or to the right job, where a person has named a wrong one that failed.
    State.FAILED: frozenset({State.PLANNED, State.CREATED, State.UNKNOWN}),
    # Or where its job was asked about first, for free, and the provider has it after all.
    State.EXPIRED: frozenset({State.PLANNED, State.CREATED, State.UNKNOWN}),
}
"""The states that may follow each state. Every other transition is an error."""

TAKEABLE = frozenset({State.PLANNED, State.OVER_BUDGET, State.DEFERRED})
"""States from which a create may be sent."""

IN_FLIGHT = (State.SENT, State.CREATED)
"""States in which a job may be running at the provider."""

RETRYABLE = frozenset({State.REFUSED, State.FAILED, State.EXPIRED})
"""States that are retried only at the user's request (`retry=[...]`). `unknown` is not one: a person resolves it."""


class Outcome(StrEnum):
    """What is known of one attempt, i.e. of one create request."""

    SENT = "sent"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CREATED = "created"


class Settlement(StrEnum):
    """Whether one attempt is charged.

    `undocumented`: the job failed, and the provider's documents do not say whether failed jobs are charged.
    `charged` without an amount: the price or the units are not known, which does not mean zero.
    """

    NOTHING = "nothing"
    OPEN = "open"
    CHARGED = "charged"
    REFUNDED = "refunded"
    UNDOCUMENTED = "undocumented"
    UNKNOWN = "unknown"


class MaterialState(StrEnum):
    """The state of a medium at a provider."""

    OPEN = "open"
    REVIEWING = "reviewing"
    READY = "ready"
    FAILED = "failed"
