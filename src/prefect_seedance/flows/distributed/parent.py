"""Prepares a run in several processes: Prefect workers, a Dask cluster, or Ray, chosen by one parameter."""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.errors import InputError
from prefect_seedance.flows.distributed.target import SpreadPlan, SpreadTarget
from prefect_seedance.ledger import ledger_url, shown_url
from prefect_seedance.ledger.db.url import ENVIRONMENT, parsed
from prefect_seedance.messages import message
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.providers import RouteSettings
from prefect_seedance.runs.batch import Distribution
from prefect_seedance.runs.distributed.coordinator import Launcher, check_fit, distribute

__all__ = ["spread_over"]


async def spread_over(
    spread: str, spec: RunSpec, context: RunContext, plan: BatchPlan, *, per_step: bool
) -> tuple[Distribution, list[str]]:
    """Prepare the distribution of a run to other processes.

    Args:
        spread: The `spread` parameter, as the user wrote it.
        spec: What the run is asked to do.
        context: What it has in this process.
        plan: The checked table.
        per_step: Whether each step of each row is a task run.

    Returns:
        The function that leaves the run's rows to shards, and warnings for the user.

    Raises:
        InputError: Something cannot be passed to another process. Nothing was spent.
    """
    target = SpreadTarget.parse(spread)
    names = await _names(context.routes)
    address, warnings = _ledger(context.ledger_url, target)
    _check_output(spec, target)
    check_fit(plan)
    _check_media(plan, target)
    launch = await _launcher(target)(SpreadPlan(target, names, address, per_step), spec, context)
    return functools.partial(distribute, launcher=launch), warnings


def _launcher(target: SpreadTarget) -> Callable[[SpreadPlan, RunSpec, RunContext], Awaitable[Launcher]]:
    if target.kind == "workers":
        from prefect_seedance.flows.distributed.over_workers import over_workers  # noqa: PLC0415 - only where it is wanted

        return over_workers
    from prefect_seedance.flows.distributed.over_tasks import over_tasks  # noqa: PLC0415 - its packages are extras

    return over_tasks


async def _names(routes: Sequence[RouteSettings]) -> tuple[str, ...]:
    """The names of the routes' saved blocks: another process gets nothing else of them."""
    unsaved = [settings.label for settings in routes if settings.block is None]
    if unsaved:
        raise InputError(message("spread.unsaved_blocks", routes=unsaved))
    names = tuple(settings.block for settings in routes if settings.block is not None)
    for settings, saved in zip(routes, await load_routes(names), strict=False):
        if settings != saved:
            raise InputError(message("spread.changed_block", block=settings.block))
    return names


def _ledger(url: str, target: SpreadTarget) -> tuple[str | None, list[str]]:
    """The ledger's URL as other processes get it, None where their own environment must name it; and warnings."""
    found = parsed(url)
    if found is not None and found.get_backend_name() == "sqlite":
        if target.remote:
            raise InputError(message("spread.local_ledger", spread=target, ledger=shown_url(url), variable=ENVIRONMENT))
        return url, [str(message("spread.file_ledger", ledger=shown_url(url)))]
    if found is not None and found.password is None and not found.query:
        return url, []
    if os.environ.get(ENVIRONMENT) and ledger_url(None, Path()) == url:
        return None, []
    raise InputError(message("spread.ledger_password", ledger=shown_url(url), variable=ENVIRONMENT))


def _check_output(spec: RunSpec, target: SpreadTarget) -> None:
    if target.remote and "://" not in str(spec.output):
        raise InputError(message("spread.local_output", spread=target, output=spec.output))


def _check_media(plan: BatchPlan, target: SpreadTarget) -> None:
    from prefect_seedance.media.inputs.access import ROOT_VARIABLE  # noqa: PLC0415
    from prefect_seedance.routes.address import scheme_of  # noqa: PLC0415
    from prefect_seedance.routes.media_fields import addresses  # noqa: PLC0415

    local = next(
        (
            (row, address)
            for row in plan.rows
            for _, address in addresses(row.request)
            if scheme_of(address) in {None, "file"}
        ),
        None,
    )
    if local is None or (target.kind != "workers" and not target.remote) or os.environ.get(ROOT_VARIABLE):
        return
    row, address = local
    raise InputError(
        message(
            "spread.local_media",
            line=row.line,
            key=row.key,
            address=address,
            spread=target,
            variable=ROOT_VARIABLE,
        )
    )
