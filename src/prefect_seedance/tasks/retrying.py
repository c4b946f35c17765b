"""The retry rules of the steps, as arguments of Prefect's `@task`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from prefect_seedance.engine.steps.retry import RetryRule

__all__ = ["Retries", "retries"]


class Retries(TypedDict):
    """The arguments of `@task` for a retry rule."""

    retries: int
    retry_delay_seconds: list[float]
    retry_condition_fn: Callable[[Task[..., Any], TaskRun, State[Any]], bool]


def retries(rule: RetryRule) -> Retries:
    """The arguments for `@task` that make Prefect follow `rule`.

    Prefect logs a traceback when the last retry is used up, and none when the condition is false. So the condition
    counts the tries, and Prefect gets one retry more than is ever made: a refused row is not a crash.
    """

    def may_help(_task: Task[..., Any], task_run: TaskRun, state: State[Any]) -> bool:
        return isinstance(state.data, BaseException) and rule.again(state.data, max(1, task_run.run_count))

    return Retries(
        retries=rule.attempts,
        retry_delay_seconds=[float(delay) for delay in rule.delays],
        retry_condition_fn=may_help,
    )
