"""The names of task runs: what is done, and to which row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prefect_seedance.jobs.by_hand import VideoJob
from prefect_seedance.jobs.row import Row

__all__ = ["named"]

LONGEST = 60


def named(verb: str) -> Callable[..., str]:
    """A namer for `@task(task_run_name=…)`: `create spring-07`."""

    def name(parameters: Mapping[str, Any]) -> str:
        return f"{verb} {_row(parameters)}"

    return name


def _row(parameters: Mapping[str, Any]) -> str:
    subject = parameters.get("job", parameters.get("request"))
    if isinstance(subject, Row):
        return subject.key
    if isinstance(subject, VideoJob):
        return subject.row
    told = parameters.get("row") or getattr(subject, "prompt", None) or subject
    text = " ".join(str(told.get("prompt", "") if isinstance(told, Mapping) else told).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
