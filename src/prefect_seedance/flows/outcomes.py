"""How a run ends: in one of a few named states. Errors of the input end without a traceback."""

from __future__ import annotations

from typing import Any

from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.states import Completed, Failed

from prefect_seedance.errors import NothingStored, SeedanceError
from prefect_seedance.messages import message
from prefect_seedance.reports.results.result import GenerateResult
from prefect_seedance.reports.summary import status_counts

__all__ = ["failed", "final_state"]


def final_state(result: GenerateResult) -> State[Any] | GenerateResult:
    """The flow's final state.

    `All stored`, `Nothing new`, `Some failed`, `Some unfinished` and `Some unknown` are completed; `None stored` is
    a failure.

    A successful flow retry returns the bare result, and its state is just `Completed`: for a state of ours, Prefect
    would raise the first attempt's error.
    """
    counts = status_counts(result.counts)
    if result.name != "None stored":
        if _retried():
            return result
        return Completed(name=result.name, message=counts or str(message("run.no_rows")), data=result)
    reason = next((row.error_message for row in result.chosen if row.error_message), None)
    if reason:
        text = message("run.none_stored_because", rows=len(result.chosen), counts=counts, reason=reason)
    else:
        text = message("run.none_stored", rows=len(result.chosen), counts=counts)
    return failed(NothingStored(text, result=result), "None stored")


def _retried() -> bool:
    context = FlowRunContext.get()
    return context is not None and context.flow_run is not None and context.flow_run.run_count > 1


def failed(error: SeedanceError, name: str = "Not started") -> State[Any]:
    """A failed state for a reason that a person should read: no traceback goes to the log.

    Raises:
        SeedanceError: The error itself, while Prefect has flow retries left, since only an exception makes it retry.
    """
    context = FlowRunContext.get()
    if name == "None stored" and context is not None and context.flow_run is not None and context.flow is not None:
        retries_left = (context.flow.retries or 0) - context.flow_run.run_count
        if retries_left >= 0:
            raise error
    return Failed(name=name, message=str(error), data=error)
