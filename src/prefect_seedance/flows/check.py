"""The check of routes, ledger and output from code or by a deployment. Free; nothing is created."""

# Annotations are no strings here: Prefect may load this file by its path, and could not resolve them then.

from pathlib import Path
from typing import Any

from prefect.client.schemas.objects import State
from prefect.logging import get_run_logger
from prefect.states import Completed

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.flows.outcomes import failed
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import blocking
from prefect_seedance.ledger import ledger_url
from prefect_seedance.messages import message
from prefect_seedance.runs.check import Finding, check
from prefect_seedance.tasks.home import prefect_home

__all__ = ["check_routes"]


@table_flow(name="check routes", flow_run_name="check")
@blocking
async def check_routes(
    route: Any, *, output: str | Path = "videos", ledger: str | Path | None = None
) -> list[Finding] | State[Any]:
    """Check whether routes can be used: host, key, balance, ledger and output. Free: nothing is created or spent.

    Args:
        route: A RouteDefaults block, the name of a saved one, or several.
        output: The folder for videos and results, or a URL; it is created if it is missing.
        ledger: The ledger's URL, or the path of a SQLite file. Default: PREFECT_SEEDANCE_LEDGER, else one under
            PREFECT_HOME.

    Returns:
        What was found about each subject.

    Raises:
        InputError: Something failed; the message has all of it.
    """
    logger = get_run_logger()
    try:
        routes = await load_routes(route)
        url = ledger_url(ledger, prefect_home())
    except SeedanceError as error:
        return failed(error)
    found = await check(routes, ledger_url=url, output=str(output))
    for finding in found:
        level = logger.error if finding.verdict == "failed" else logger.info
        level("%s: %s: %s. %s", finding.about, finding.subject, finding.verdict, finding.text)
    bad = [message("check.line", about=each.about, text=each.text) for each in found if each.verdict == "failed"]
    if bad:
        return failed(InputError(message("check.failed", failures=bad)), "Not usable")
    return Completed(name="Usable", message=str(message("check.all_ok")), data=found)
