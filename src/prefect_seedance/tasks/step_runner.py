"""Which task runs the rows of a run get."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from prefect_seedance.engine.dispatcher import PLAIN_STEPS, StepRunner, Steps
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.tasks.chunk import carry_rows
from prefect_seedance.tasks.create import create_video
from prefect_seedance.tasks.download import download_video
from prefect_seedance.tasks.media import review_media, upload_media
from prefect_seedance.tasks.poll import poll_video

__all__ = ["MANY", "TaskRuns", "plain_step_runner", "step_runner_for"]

TaskRuns = Literal["auto", "per_step", "per_chunk"]

MANY = 500
"""Rows above which `auto` uses chunks: a person does not look through more than 1,500 task runs."""

PER_STEP = Steps(
    create=create_video, poll=poll_video, download=download_video, upload=upload_media, review=review_media
)
"""Each step of each row as a Prefect task run."""

PER_CHUNK = replace(PLAIN_STEPS, upload=upload_media, review=review_media, chunk=carry_rows)
"""Some hundreds of rows as one task run. A medium, which many rows share, has its own task run."""


def step_runner_for(task_runs: TaskRuns | str = "auto") -> StepRunner:
    """The step runner for a setting of `task_runs`.

    Raises:
        InputError: The setting is unknown.
    """
    if task_runs not in get_args(TaskRuns):
        raise InputError(message("run.bad_task_runs", value=task_runs, known=get_args(TaskRuns)))

    def steps(rows: int) -> Steps:
        return PER_CHUNK if task_runs == "per_chunk" or (task_runs == "auto" and rows > MANY) else PER_STEP

    return steps


def plain_step_runner(_: int) -> Steps:
    """The steps without task runs: for a shard, which is one task run already."""
    return PLAIN_STEPS
