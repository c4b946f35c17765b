"""The form of the sweep."""

# Annotations are no strings here: Prefect reads them to make the form.

from typing import Annotated, Any

from pydantic import Field

from prefect_seedance.blocks import RouteDefaults
from prefect_seedance.flows.forms.fields import titled
from prefect_seedance.flows.sweep import sweep_videos
from prefect_seedance.flows.table_flow import table_flow
from prefect_seedance.flows.twins import core_of, of_form

__all__ = ["fetch_left_behind"]


@table_flow(name="Fetch what was left behind", flow_run_name="sweep")
@of_form
async def fetch_left_behind(
    route: RouteDefaults = titled("Route"),
    batch: str = titled("Only this batch", ""),
    patience: Annotated[int, Field(ge=0)] = titled("Minutes to wait for videos", 10),
    more_routes: list[RouteDefaults] = titled("Further routes", []),
) -> Any:
    """Fetch paid videos whose run died before it stored them. Nothing is created and nothing is paid.

    Args:
        route: A saved block whose account paid for the videos. One is enough for all models of an account.
        batch: Empty: all batches.
        patience: How long to wait for videos that are still being made; the next sweep continues.
        more_routes: One block for each further account.

    Returns:
        What was found, what was saved, and what is left.
    """
    return await core_of(sweep_videos)([route, *more_routes], batch=batch.strip() or None, patience=patience * 60)
