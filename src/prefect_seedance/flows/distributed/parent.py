"""Carrying a batch in several processes: over Prefect workers, a Dask cluster, or Ray. The choice is one parameter."""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.errors import InputError
from prefect_seedance.flows.distributed.target import SpreadPlan, SpreadTarget
from prefect_seedance.ledger import ledger_url, shown_url
from prefect_seedance.ledger.db.url import ENVIRONMENT, parsed
from prefect_seedance.messages import message
from prefect_seedance.providers import RouteSettings
from prefect_seedance.runs.batch import Distribution, RunSpec
from prefect_seedance.runs.distributed.coordinator import Launcher, check_fit, distribute

__all__ = ["spread_over"]


async def spread_over(spread: str, order: RunSpec, *, per_step: bool) -> tuple[Distribution, list[str]]:
    """How an order is carried in other processes.

    Args:
        spread: What the user wrote.
        order: The order.
        per_step: Whether each step of each row is a task run.

    Returns:
        What leaves its rows to shards, and what the user should know.

    Raises:
        InputError: Something cannot cross to another process. Nothing was spent.
    """
    meant = SpreadTarget.parse(spread)
    names = await _names(order.routes)
    address, warnings = _ledger(order.ledger_url, meant)
    _check_output(order, meant)
    check_fit(order.plan)
    _check_media(order, meant)
    spreading = SpreadPlan(meant, names, address, per_step)
    launch = await _launcher(meant)(spreading, order)
    return functools.partial(distribute, launcher=launch), warnings


def _launcher(meant: SpreadTarget) -> Callable[[SpreadPlan, RunSpec], Awaitable[Launcher]]:
    if meant.kind == "workers":
        from prefect_seedance.flows.distributed.over_workers import over_workers  # noqa: PLC0415 - only where it is wanted

        return over_workers
    from prefect_seedance.flows.distributed.over_tasks import over_tasks  # noqa: PLC0415 - its packages are extras

    return over_tasks


async def _names(routes: Sequence[RouteSettings]) -> tuple[str, ...]:
    """The names of the routes' blocks, as they are saved: another process knows nothing else of them."""
    unsaved = [settings.label for settings in routes if settings.block is None]
    if unsaved:
        raise InputError(message("spread.unsaved_blocks", routes=unsaved))
    names = tuple(settings.block for settings in routes if settings.block is not None)
    for settings, saved in zip(routes, await load_routes(names), strict=False):
        if settings != saved:
            raise InputError(message("spread.changed_block", block=settings.block))
    return names


def _ledger(url: str, meant: SpreadTarget) -> tuple[str | None, list[str]]:
    """The ledger as other processes are told of it: None where their own environment has to name it."""
    found = parsed(url)
    if found is not None and found.get_backend_name() == "sqlite":
        if meant.remote:
            raise InputError(message("spread.local_ledger", spread=meant, ledger=shown_url(url), variable=ENVIRONMENT))
        return url, [str(message("spread.file_ledger", ledger=shown_url(url)))]
    if found is not None and found.password is None and not found.query:
        return url, []
    if os.environ.get(ENVIRONMENT) and ledger_url(None, Path()) == url:
        return None, []
    raise InputError(message("spread.ledger_password", ledger=shown_url(url), variable=ENVIRONMENT))


def _check_output(order: RunSpec, meant: SpreadTarget) -> None:
    if meant.remote and "://" not in str(order.output):
        raise InputError(message("spread.local_output", spread=meant, output=order.output))


def _check_media(order: RunSpec, meant: SpreadTarget) -> None:
    from prefect_seedance.media.inputs.access import ROOT_VARIABLE  # noqa: PLC0415
    from prefect_seedance.routes.address import scheme_of  # noqa: PLC0415
    from prefect_seedance.routes.media_fields import addresses  # noqa: PLC0415

    local = next(
        (
            (row, address)
            for row in order.plan.rows
            for _, address in addresses(row.request)
            if scheme_of(address) in {None, "file"}
        ),
        None,
    )
    if local is None or (meant.kind != "workers" and not meant.remote) or os.environ.get(ROOT_VARIABLE):
        return
    row, address = local
    raise InputError(
        message(
            "spread.local_media",
            line=row.line,
            key=row.key,
            address=address,
            spread=meant,
            variable=ROOT_VARIABLE,
        )
    )
