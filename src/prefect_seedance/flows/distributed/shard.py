"""The flow of the shards' deployment: each flow run is a process that works on a batch which another run started."""

# Annotations are no strings here: Prefect may load this file by its path, and could not resolve them then.

import functools
from collections.abc import Mapping
from typing import Any

from prefect import flow
from prefect.logging import get_run_logger
from prefect.states import Completed

from prefect_seedance.core.events import listening
from prefect_seedance.core.portal import call_core
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.distributed.shard_task import run_shard
from prefect_seedance.flows.naming import flow_run_id
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.messages import listing, message

__all__ = ["shard"]


def _name() -> str:
    from prefect.context import FlowRunContext  # noqa: PLC0415 - as in `naming`

    context = FlowRunContext.get()
    given = ((context.parameters if context else None) or {}).get("call") or {}
    number = ((context.parameters if context else None) or {}).get("number", 1)
    return f"shard {number} of {str(given.get('batch', ''))[:80]}"


@flow(name="seedance shard", flow_run_name=_name, persist_result=False)
def shard(call: dict[str, Any], number: int = 1) -> Any:  # noqa: ARG001 - it names the run
    """Work on rows of a batch for a run with `spread="workers:…"`. That run starts it; do not start it by hand.

    One more shard with the same parameters joins the work at once.

    Args:
        call: The parameters of the shards, from the run that started the batch.
        number: The number of this shard, from 1.
    """
    return call_core(functools.partial(_shard, call))


async def _shard(call: Mapping[str, Any]) -> Any:
    try:
        with listening(get_run_logger().warning):
            outcome = await run_shard(call, flow_run_id())
    except SeedanceError as error:
        return failed(error, "Failed")
    counted = [message("spread.shard_count", rows=rows, state=state) for state, rows in sorted(outcome.counts.items())]
    counts = listing(counted) if counted else message("spread.no_rows_left")
    done = message("spread.shard_done", counts=counts, claims=outcome.claims)
    return Completed(name="Completed", message=str(done))
