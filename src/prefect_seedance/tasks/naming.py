"""The names of task runs: what is done, and to which row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prefect_seedance.core.redaction import bare
from prefect_seedance.runs.single import JobTicket

__all__ = ["named"]

LONGEST = 60


def named(verb: str) -> Callable[..., str]:
    """A function for `@task(task_run_name=…)` that gives names such as `create spring-07`."""

    def name(parameters: Mapping[str, Any]) -> str:
        return f"{verb} {_row(parameters)}"

    return name


def _medium(medium: Any) -> str:
    address = bare(str(medium))
    return "inline media" if address.startswith("data:") else address.rpartition("/")[2][:LONGEST]


def _row(parameters: Mapping[str, Any]) -> str:
    if "medium" in parameters:
        return _medium(parameters["medium"])
    subject = parameters.get("job", parameters.get("request"))
    if isinstance(subject, JobTicket):
        return subject.row
    label = parameters.get("row") or getattr(subject, "prompt", None) or subject
    text = " ".join(bare(str(label.get("prompt", "") if isinstance(label, Mapping) else label)).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
