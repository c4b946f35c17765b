"""Recovery: a flow for a schedule, which fetches the videos of runs that died."""

# Annotations are no strings here: Prefect may load this file by its path, and could not resolve them then.

from pathlib import Path
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.context import AsyncClientContext
from prefect.logging import get_run_logger
from prefect.states import Completed

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.engine.run_spec import RunContext
from prefect_seedance.errors import SeedanceError
from prefect_seedance.flows.events import emit_swept
from prefect_seedance.flows.naming import flow_run_id
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import blocking
from prefect_seedance.ledger import ledger_url
from prefect_seedance.reports.sweeps import sweep_line, sweep_summary
from prefect_seedance.runs.sweep import SweepOutcome, sweep
from prefect_seedance.tasks.home import parts_home, prefect_home
from prefect_seedance.tasks.step_runner import steps_for

__all__ = ["sweep_videos"]


@table_flow(name="sweep videos", flow_run_name="sweep")
@blocking
async def sweep_videos(
    route: Any, *, batch: str | None = None, ledger: str | Path | None = None, patience: float = 600
) -> SweepOutcome | State[Any]:
    """Find jobs whose run died, wait for them, and fetch their videos. Nothing is created and nothing is paid.

    Videos whose links expire first are fetched first. No video is given up while the provider has it. Run this on a
    schedule, for instance hourly.

    Args:
        route: A RouteDefaults block, the name of a saved one, or several: one for each account.
        batch: Only this batch; empty: all batches of the ledger.
        ledger: The ledger's URL, or the path of a SQLite file. Default: PREFECT_SEEDANCE_LEDGER, else one under
            PREFECT_HOME.
        patience: Seconds to wait for jobs that still run; the next sweep goes on.

    Returns:
        What was found, what was saved, and what is left.

    Raises:
        SeedanceError: A route cannot be used, or the ledger or the output cannot be written.
    """
    try:
        context = RunContext(
            routes=await load_routes(route),
            ledger_url=ledger_url(ledger, prefect_home()),
            parts=parts_home(),
            flow_run_id=flow_run_id(),
        )
        async with AsyncClientContext.get_or_create():  # one for all task runs
            outcome = await sweep(context, steps_for(), batch=batch, patience=patience)
    except SeedanceError as error:
        return failed(error, "Stopped")
    emit_swept(outcome)
    line = sweep_line(outcome)
    get_run_logger().info(line)
    await acreate_markdown_artifact(markdown=sweep_summary(outcome), key="seedance-sweep", description=line)
    name = "Some unknown" if outcome.unknown else "Some left" if outcome.left else "Swept"
    return Completed(name=name, message=line, data=outcome)
