"""The retry rules of the jobs, in Prefect's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from prefect_seedance.engine.steps.retry import RetryRule

__all__ = ["Retries", "retries"]


class Retries(TypedDict):
    """The arguments of `@task` that carry a retry rule."""

    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Callable[[Task[..., Any], TaskRun, State[Any]], bool]


def retries(rule: RetryRule) -> Retries:
    """The arguments for `@task` that make Prefect follow `rule`.

    Prefect logs a traceback when the last retry is used up, and none when the condition says no. So the condition
    counts, and Prefect is told of one retry more than will ever be made: a refused row is no crash.
    """

    def worth_it(_task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
        return isinstance(state.data, BaseException) and rule.again(state.data, max(1, task_run.run_count))

    return Retries(
        retries=rule.attempts,
        retry_delay_seconds=[float(delay) for delay in rule.delays],
        retry_condition_fn=worth_it,
    )
