"""The next steps for a person, as links into the Prefect UI: each opens a deployment's form, filled in.

A link starts nothing: the person checks the form, and runs it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.utilities.urls import url_for

from prefect_seedance.ledger import State
from prefect_seedance.messages import Message, message
from prefect_seedance.reports.results.result import GenerateResult
from prefect_seedance.reports.summary import cell

__all__ = ["RESOLVE", "next_steps", "one_of_several"]

RESOLVE = "Resolve an unknown row/resolve"
"""The deployment in which a person settles an unknown row."""

LONGEST = 6000
"""Characters of a link. Browsers and proxies cut longer ones (from many typed rows), so those are not offered."""

SHOWN = 10

_UNFINISHED = frozenset({State.PLANNED, State.OVER_BUDGET, State.DEFERRED, State.SENT, State.CREATED, State.SUCCEEDED})

_table: ContextVar[Mapping[str, Any] | None] = ContextVar("seedance_table_of_several", default=None)


@contextlib.contextmanager
def one_of_several(**parameters: Any) -> Iterator[None]:
    """While the block runs: the form parameters that select this one table of several."""
    token = _table.set(parameters)
    try:
        yield
    finally:
        _table.reset(token)


async def next_steps(result: GenerateResult) -> str:
    """The next steps after a run that was started from a deployment, in Markdown; empty where there are none."""
    counts = result.counts
    steps = []
    resolve = await _deployment(RESOLVE) if counts.get(State.UNKNOWN) else None
    unknown = result.chosen.of({State.UNKNOWN}).keys if resolve else []
    for row in unknown[:SHOWN]:
        link = _link(resolve, {"batch": result.batch, "row": row, "take": result.take})
        steps.append(_step(message("next_step.resolve", row=row), link, message("next_step.resolve_note")))
    same = {"batch": result.batch, **(_table.get() or {})}
    for state in (State.FAILED, State.REFUSED, State.EXPIRED):
        if number := counts.get(state, 0):
            words, note = _made_again(state, number)
            steps.append(_step(words, _again({**same, "retry": [state.value]}), note))
    if number := sum(counts.get(state, 0) for state in _UNFINISHED):
        words, note = message("next_step.continue", rows=number), message("next_step.continue_note")
        steps.append(_step(words, _again({**same, "retry": []}), note))
    offered = [step for step in steps if step]
    return f"## {message('next_step.title')}\n\n" + "\n".join(offered) if offered else ""


def _made_again(state: State, rows: int) -> tuple[Message, Message]:
    """The words for making rows of a state again, and a note on what that costs."""
    if state is State.FAILED:
        return message("next_step.failed", rows=rows), message("next_step.failed_note")
    if state is State.REFUSED:
        return message("next_step.refused", rows=rows), message("next_step.refused_note")
    return message("next_step.expired", rows=rows), message("next_step.expired_note")


def _step(words: Message, link: str | None, note: Message) -> str:
    return f"- **[{cell(words)}]({link})**: {note}" if link else ""


def _again(changes: Mapping[str, Any]) -> str | None:
    """A link to the form of this run's deployment, with the run's parameters except for `changes`."""
    context = FlowRunContext.get()
    if context is None or context.flow is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return None
    if not changes.keys() <= context.flow.parameters.properties.keys():
        return None
    # A ledger's URL may hold a password.
    given = {name: value for name, value in context.flow_run.parameters.items() if name != "ledger"}
    return _link(context.flow_run.deployment_id, {**given, **changes})


def _link(deployment: UUID | None, parameters: Mapping[str, Any]) -> str | None:
    page = url_for("deployment", obj_id=deployment) if deployment else None
    if page is None:
        return None
    link = f"{page}/run?parameters={quote(json.dumps(parameters, ensure_ascii=False, default=str), safe='')}"
    return link if len(link) <= LONGEST else None


async def _deployment(name: str) -> UUID | None:
    try:
        async with get_client() as client:
            return (await client.read_deployment_by_name(name)).id
    except ObjectNotFound:
        return None
