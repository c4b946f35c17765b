"""The chunk task: one task run for some hundreds of rows."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State as PrefectState
from prefect.states import Completed

from prefect_seedance.core.portal import on_core
from prefect_seedance.engine.chunks import Chunk
from prefect_seedance.ledger import State
from prefect_seedance.messages import listing, message

__all__ = ["carry_rows"]

_DONE = frozenset({State.STORED.value})


@task(name="carry rows", task_run_name="{chunk.name}", cache_policy=NO_CACHE, persist_result=False)
async def carry_rows(chunk: Chunk) -> PrefectState[Any]:
    """Carry each row of a chunk as far as possible, by the same steps as single task runs, each independently.

    The task completes however its rows end; the result of each row is in the ledger and the run's report.
    """
    await on_core(chunk.carry)
    counts = chunk.counts
    each = [message("rows.count", rows=number, state=state) for state, number in sorted(counts.items())]
    return Completed(name="Stored" if set(counts) <= _DONE else "Some left", message=listing(each))
