"""What a task in a user's own flow asks of the engine: one row of a batch, on one route."""

from __future__ import annotations

from pathlib import Path

from prefect.runtime import flow_run

from prefect_seedance.engine.run_spec import RunContext, RunSpec
from prefect_seedance.ledger import ledger_url
from prefect_seedance.media import MediaAccess
from prefect_seedance.providers import RouteSettings
from prefect_seedance.tasks.home import parts_home, prefect_home
from prefect_seedance.tasks.media_places import media_roots

__all__ = ["context_of", "spec_of"]


def spec_of(batch: str, take: str, output: str | Path | None, patience: float = 0) -> RunSpec:
    """What is asked: a row of this take of the batch.

    Args:
        batch: The batch.
        take: The take.
        output: The folder, or a URL, in which videos are kept; None takes the one that the ledger has for the row.
        patience: Seconds that its turn to be sent, or its job, is waited for.
    """
    return RunSpec(batch=batch, take=str(take), output=None if output is None else str(output), patience=patience)


def context_of(
    settings: RouteSettings, ledger: str | Path | None, *, media_root: str | Path | None = None
) -> RunContext:
    """What this process has for it.

    Args:
        settings: The row's route.
        ledger: The ledger's URL, or the path of a SQLite file; None as for `generate_videos`.
        media_root: The folder below which local media may be read.

    Raises:
        InputError: The deployment's environment does not open the folder.
    """
    return RunContext(
        routes=(settings,),
        ledger_url=ledger_url(ledger, prefect_home()),
        media_access=MediaAccess(roots=media_roots(media_root), loopback=settings.account.on_loopback),
        parts=parts_home(),
        flow_run_id=flow_run.id,
    )
