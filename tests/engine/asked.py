"""What a run is asked to do, for tests that start the engine without Prefect."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.media import MediaAccess
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.providers import RouteSettings


def asked(
    plan: BatchPlan,
    routes: Sequence[RouteSettings],
    *,
    batch: str,
    output: Path | str,
    ledger_url: str,
    patience: float = 600,
    media_access: MediaAccess | None = None,
    **spec: Any,
) -> tuple[RunSpec, RunContext]:
    """A spec and its context, over a plan in memory."""
    context = RunContext(
        routes=tuple(routes), ledger_url=ledger_url, media_access=media_access or MediaAccess(), plan=plan
    )
    return RunSpec(batch=batch, output=str(output), patience=patience, **spec), context
