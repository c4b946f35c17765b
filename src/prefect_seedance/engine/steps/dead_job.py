"""A job that runs far beyond what its kind ever took: some relays report expired jobs as running for ever."""

from __future__ import annotations

from datetime import timedelta

from prefect_seedance.core.clock import now
from prefect_seedance.engine.row import Row
from prefect_seedance.ledger.rows import lookups
from prefect_seedance.messages import Message, message

__all__ = ["ASKED", "probably_dead"]

SHORTEST = timedelta(hours=1)
"""No job is called dead before this age."""

TIMES = 3
"""How many times as long as the longest job of its model in the ledger."""

UNMEASURED = timedelta(days=1)
"""The age where the ledger knows no finished job of the model."""

ASKED = 30.0
"""Seconds for which a run asks about a job that is probably dead."""


async def probably_dead(row: Row) -> Message | None:
    """What to say of a row whose job is probably dead; None where its age says nothing."""
    record = await row.record()
    if record.attempt is None:
        return None
    age = now() - (record.attempt.answered_at or record.attempt.sent_at)
    if age < SHORTEST:
        return None
    longest = await row.session.ledger.read(lookups.longest_job, record.provider, record.model)
    if age < (UNMEASURED if longest is None else max(SHORTEST, TIMES * longest)):
        return None
    hours = age.total_seconds() / 3600
    return message("job.probably_dead", job=record.job_id, hours=hours, batch=record.batch, row=record.key)
