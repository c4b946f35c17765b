"""Reads the deployments of `deployments/prefect.yaml`, for users who do not run `prefect deploy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import yaml
from prefect import Flow
from prefect.blocks.core import Block
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron, Schedule
from prefect.types.entrypoint import EntrypointType

__all__ = ["deployments_file", "read_deployments"]

_COPIED = ("description", "tags")


def deployments_file() -> Path:
    """The file in the repository, or the copy that is installed with the package."""
    checkout = Path(__file__).parents[3] / "deployments" / "prefect.yaml"
    return checkout if checkout.exists() else Path(str(files("prefect_seedance.cli") / "prefect.yaml"))


def read_deployments(
    path: Path | None = None, *, pool: str | None = None, route: str | None = None
) -> list[RunnerDeployment]:
    """The deployments, ready to be applied or served.

    Args:
        path: The file; None: the one that comes with the package.
        pool: The work pool; None for `serve()`, which needs none.
        route: The name of the saved route block in their forms; None: the one that the file names.
    """
    listed = yaml.safe_load((path or deployments_file()).read_text(encoding="utf-8"))["deployments"]
    return [_deployment(each, pool, route) for each in listed]


def _deployment(given: Mapping[str, Any], pool: str | None, route: str | None) -> RunnerDeployment:
    module, _, name = str(given["entrypoint"]).rpartition(".")
    flow = cast("Flow[..., Any]", getattr(import_module(module), name))
    limit = given.get("concurrency_limit")
    return cast(
        "RunnerDeployment",
        flow.to_deployment(  # type: ignore[call-arg]
            name=given["name"],
            **{name: given[name] for name in _COPIED if name in given},
            parameters=_parameters(given.get("parameters") or {}, route),
            schedules=[_schedule(each) for each in given.get("schedules", ())] or None,
            concurrency_limit=ConcurrencyLimitConfig(**limit) if isinstance(limit, dict) else limit,
            work_pool_name=pool,
            job_variables=given.get("work_pool", {}).get("job_variables") if pool else None,
            entrypoint_type=EntrypointType.MODULE_PATH,
            _sync=True,
        ),
    )


def _parameters(given: Mapping[str, Any], route: str | None) -> dict[str, Any]:
    """The parameters, with the route's block by its id, since the form's picker shows no block that is named otherwise.

    A block that does not exist is left out, so that the form asks for one.
    """
    found = dict(given)
    reference = found.pop("route", None)
    if reference is None:
        return found
    slug = str(reference["$ref"]["block_document_slug"])
    kind, _, name = slug.partition("/")
    try:
        block = cast("Block", Block.load(f"{kind}/{route or name}", _sync=True))  # type: ignore[call-arg]
    except ValueError:
        return found
    return {**found, "route": {"$ref": {"block_document_id": str(block._block_document_id)}}}  # noqa: SLF001 - the attribute has no public name


def _schedule(given: Mapping[str, Any]) -> Schedule:
    return Cron(given["cron"], timezone=given.get("timezone", "UTC"), active=bool(given.get("active", True)))


def names_of(deployments: Sequence[RunnerDeployment]) -> list[str]:
    """The names as Prefect shows them: `flow/deployment`."""
    return [f"{each.flow_name}/{each.name}" for each in deployments]
