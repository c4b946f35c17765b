"""Which task runs the rows of a run get."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from prefect_seedance.engine.step_runner import PLAIN, StepRunner
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.runs.batch import StepsFor
from prefect_seedance.tasks.chunk import carry_rows
from prefect_seedance.tasks.steps import PER_STEP, review_medium, upload_medium

__all__ = ["MANY", "PER_CHUNK", "PER_STEP", "TaskRuns", "steps_for"]

TaskRuns = Literal["auto", "per_step", "per_chunk"]

MANY = 500
"""Rows above which `auto` uses chunks: a person does not look through more than 1,500 task runs."""

PER_CHUNK = replace(PLAIN, upload=upload_medium, review=review_medium, chunk=carry_rows)
"""Some hundreds of rows as one task run. A medium, which many rows share, has its own task run."""


def steps_for(task_runs: TaskRuns | str = "auto") -> StepsFor:
    """How steps are carried out, by the number of rows, for a setting of `task_runs`.

    Raises:
        InputError: The setting is unknown.
    """
    if task_runs not in get_args(TaskRuns):
        raise InputError(message("run.bad_task_runs", value=task_runs, known=get_args(TaskRuns)))

    def chosen(rows: int) -> StepRunner:
        return PER_CHUNK if task_runs == "per_chunk" or (task_runs == "auto" and rows > MANY) else PER_STEP

    return chosen
