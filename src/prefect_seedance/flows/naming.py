"""Names of batches and flow runs. A template gives a retried run the same batch name."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from prefect.context import FlowRunContext

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["batch_name", "flow_run_id", "is_template", "names_elsewhere", "needs_zone", "scheduled_time", "time_zone"]

_FIELD = re.compile(r"\{scheduled(?:@(?P<zone>[^{}:]*))?(?::(?P<format>[^{}]*))?\}")

LONGEST = 100
"""Characters of a batch name."""

OFFSETS = [timezone(timedelta(minutes=15 * quarters)) for quarters in range(-12 * 4, 14 * 4 + 1)]
"""Every offset from UTC that clocks of today have."""


def batch_name(template: str | None, scheduled: datetime, zone: tzinfo = UTC) -> str:
    """The batch's name: `{scheduled}` and `{scheduled:%Y-%m-%d}` become the time for which the run was scheduled.

    Args:
        template: The name, which may hold the field. `{scheduled@Asia/Shanghai:%Y-%m-%d}` names a time zone.
        scheduled: The time.
        zone: The time zone of fields that name none.

    Raises:
        InputError: The name is empty or too long, or holds another field or an unknown time zone.
    """
    if template is None or not template.strip():
        raise InputError(message("batch.no_name"))

    def filled(field: re.Match[str]) -> str:
        local = zone if field["zone"] is None else time_zone(field["zone"])
        return _written(scheduled.astimezone(local), field["format"] or "%Y-%m-%dT%H-%M-%S")

    name = _FIELD.sub(filled, template).strip()
    if "{" in name or "}" in name:
        raise InputError(message("batch.unknown_field", name=template))
    if len(name) > LONGEST:
        raise InputError(message("batch.long_name", name=name[:40], limit=LONGEST))
    return name


def is_template(name: str | None) -> bool:
    """Whether the name depends on the time."""
    return _FIELD.search(name or "") is not None


def needs_zone(template: str | None) -> bool:
    """Whether the name depends on the schedule's time zone: one of its fields names none."""
    return any(field["zone"] is None for field in _FIELD.finditer(template or ""))


def names_elsewhere(template: str, scheduled: datetime) -> list[str]:
    """The names that the time has anywhere on earth, whatever zone the template names; UTC's comes first."""
    anywhere = _FIELD.sub(lambda field: f"{{scheduled:{field['format'] or ''}}}", template)
    return list(dict.fromkeys(batch_name(anywhere, scheduled, zone) for zone in [UTC, *OFFSETS]))


def time_zone(name: str) -> ZoneInfo:
    """The time zone of this name, as the IANA's database has it.

    Raises:
        InputError: There is none.
    """
    try:
        return ZoneInfo(name.strip())
    except (KeyError, ValueError, OSError):  # the two latter for what is no name of a file, or that of a folder
        raise InputError(message("batch.no_such_zone", zone=name)) from None


def _written(local: datetime, style: str) -> str:
    """The time in words. An hour that clocks go through twice in autumn has its offset added the second time."""
    text = local.strftime(style)
    repeated = local.fold and text != local.replace(hour=(local.hour + 1) % 24).strftime(style)
    return text + local.strftime("%z") if repeated else text


def scheduled_time() -> datetime:
    """The time for which the current flow run was scheduled, in UTC. Retries do not change it."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.expected_start_time is None:
        return now()
    return context.flow_run.expected_start_time


def flow_run_id() -> str | None:
    """The current flow run's id; None outside of a flow run."""
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else None
