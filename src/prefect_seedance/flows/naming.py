"""Names of batches and flow runs. A template gives a retried run the same batch name."""

from __future__ import annotations

import re
from datetime import datetime

from prefect.context import FlowRunContext

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["batch_name", "flow_run_id", "run_name", "scheduled_time"]

_FIELD = re.compile(r"\{(scheduled)(?::([^{}]*))?\}")

LONGEST = 100
"""Characters of a batch name."""


def batch_name(template: str | None, scheduled: datetime) -> str:
    """The batch's name: `{scheduled}` and `{scheduled:%Y-%m-%d}` become the time for which the run was scheduled.

    Raises:
        InputError: The name is empty or too long, or holds another field.
    """
    if template is None or not template.strip():
        raise InputError(message("batch.no_name"))
    name = _FIELD.sub(lambda found: scheduled.strftime(found[2] or "%Y-%m-%dT%H-%M-%S"), template).strip()
    if "{" in name or "}" in name:
        raise InputError(message("batch.unknown_field", name=template))
    if len(name) > LONGEST:
        raise InputError(message("batch.long_name", name=name[:40], limit=LONGEST))
    return name


def scheduled_time() -> datetime:
    """The time for which the current flow run was scheduled, in UTC. Retries do not change it."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.expected_start_time is None:
        return now()
    return context.flow_run.expected_start_time


def run_name() -> str:
    """The name of a flow run: its action and its batch."""
    context = FlowRunContext.get()
    batch = str(((context.parameters if context else None) or {}).get("batch", ""))
    try:
        return f"generate {batch_name(batch, scheduled_time())}"
    except InputError:
        return f"generate {batch[:LONGEST]}"


def flow_run_id() -> str | None:
    """The current flow run's id; None outside of a flow run."""
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else None
