"""What the forms that spend money share: they run one table, or several one after the other."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.concurrency.asyncio import concurrency
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from prefect_seedance.errors import NothingStored, SeedanceError
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.messages import Message, message
from prefect_seedance.reports.next_steps import one_of_several
from prefect_seedance.reports.results.result import GenerateResult
from prefect_seedance.reports.summary import cell, markdown_table
from prefect_seedance.tables.reader import TableLike

__all__ = ["LIMIT", "TableOutcome", "TableRun", "final_of_all", "make_all", "make_one"]

Run = Callable[..., Coroutine[Any, Any, GenerateResult | State[Any]]]
"""`generate_videos` with the settings of a form: it still needs a table and a batch."""

LIMIT = "seedance-generate"
"""The global concurrency limit of runs that spend money. Where it does not exist, nothing is limited."""


@dataclass(frozen=True, slots=True)
class TableRun:
    """A table and its batch. `only` has the keys of the rows to make; None: all that the form asks for."""

    table: TableLike
    name: str
    batch: str
    only: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class TableOutcome:
    """The outcome of one table of several."""

    name: str
    batch: str
    state: str
    message: str
    bad: bool = False


@contextlib.asynccontextmanager
async def _limited() -> AsyncIterator[None]:
    """Wait for a slot of the global concurrency limit, where an administrator has set it up."""
    async with concurrency(LIMIT, occupy=1, strict=False):
        yield


async def make_one(run: Run, table: TableLike, batch: str) -> GenerateResult | State[Any]:
    """Run one table. Returns the run's final state or its result."""
    async with _limited():
        return await run(table, batch=batch)


async def make_all(run: Run, wanted: Sequence[TableRun]) -> list[TableOutcome]:
    """Run several tables, one after the other. A bad one is reported and does not stop the rest."""
    ended = []
    async with _limited():
        for each in wanted:
            ended.append(await _outcome(run, each))  # noqa: PERF401 - one at a time
    return ended


async def _outcome(run: Run, wanted: TableRun) -> TableOutcome:
    logger = get_run_logger()
    if wanted.only is not None:
        run = functools.partial(run, only=list(wanted.only))
    answer: GenerateResult | State[Any]
    try:
        with one_of_several(table=wanted.table):
            answer = await run(wanted.table, batch=wanted.batch)
    except SeedanceError as error:  # raised only to make Prefect retry the flow, which one table of many does not
        answer = failed(error, "None stored" if isinstance(error, NothingStored) else "Stopped")
    if isinstance(answer, State):
        name, what, bad = answer.name or "", answer.message or "", answer.is_failed()
    else:
        name, what, bad = answer.name, str(message("tables.made", videos=answer.made)), False
    (logger.warning if bad else logger.info)("%s (batch %s): %s: %s", wanted.name, wanted.batch, name, what)
    return TableOutcome(wanted.name, wanted.batch, name, what, bad)


async def final_of_all(ended: Sequence[TableOutcome], key: str, title: Message) -> State[Any]:
    """Publish the artifact of a run over several tables. Returns its final state."""
    bad = [each for each in ended if each.bad]
    headline = message("tables.completed", completed=len(ended) - len(bad), tables=len(ended))
    lines = [(each.name, each.state, each.batch, each.message) for each in sorted(ended, key=lambda each: not each.bad)]
    await acreate_markdown_artifact(
        markdown=f"# {message('tables.title', title=cell(title), headline=headline)}\n\n"
        + markdown_table(("table", "state", "batch", "what happened"), lines),
        key=key,
        description=str(headline),
    )
    failures = [message("tables.failed", name=each.name, reason=each.message) for each in bad[:20]]
    if failures:
        text = message("tables.ended", headline=headline, failures=failures)
    else:
        text = message("tables.all_completed", headline=headline)
    data = [each.batch for each in ended]
    if bad and len(bad) == len(ended):
        return Failed(name="None stored", message=str(text).rstrip(), data=SeedanceError(text))
    unknown = any(each.state == "Some unknown" for each in ended)
    name = "Some unknown" if unknown else "Some failed" if bad else "All completed"
    return Completed(name=name, message=str(text).rstrip(), data=data)
