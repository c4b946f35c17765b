"""What a run is asked to do, whoever carries it, and what of it lives in one process only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from prefect_seedance.ledger import State
from prefect_seedance.media import MediaAccess
from prefect_seedance.planning.plan import BatchPlan
from prefect_seedance.planning.run_limits import RunLimits
from prefect_seedance.providers import RouteSettings

__all__ = ["Parent", "RunContext", "RunSpec"]


class Parent(BaseModel):
    """The run that has left its rows to several processes, of which this is one.

    Attributes:
        run: Its id in the ledger: once it is over, its shards end.
        identity: The ledger's identity: with another ledger everything would be paid for again.
        failures_allowed: At so many failures, over all shards, no new rows are started; None where any number is
            allowed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    identity: str
    failures_allowed: Decimal | None = None


class RunSpec(BaseModel):
    """What a run is asked to do: plain data that may be stored, shown and sent to another process. It holds no key.

    Attributes:
        batch: The batch's name.
        take: The take: another one generates the same rows again.
        output: The folder, or the URL, that holds the folders of batches. None: where the ledger has each row's folder.
        routes: For a shard: the names of the saved blocks of its routes, by which it loads their keys. Otherwise None.
        ledger: For a shard: the ledger's URL, which has no password. None: as the environment of its process says.
        patience: Seconds that a job is waited for, and that a row waits while its provider asks for a pause.
        retry: States from which rows are sent again; otherwise a run leaves them alone.
        reuse: Whether new rows take stored videos of the same request from other batches. Shards do not look for them.
        limits: What the user allows to be spent and to fail.
        media_folders: For a shard: folders that media may be read from; relative paths start in the first one.
        media_hosts: For a shard: hosts at private addresses that media may be read from.
        per_step: For a shard: whether each step of each row is a task run.
        parent: For a shard: the run that has begun the work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch: str
    take: str = "1"
    output: str | None = None
    routes: tuple[str, ...] | None = None
    ledger: str | None = None
    patience: float
    retry: frozenset[State] = frozenset()
    reuse: bool = False
    limits: RunLimits = RunLimits()
    media_folders: tuple[Path, ...] = ()
    media_hosts: frozenset[str] = frozenset()
    per_step: bool = False
    parent: Parent | None = None

    @property
    def retry_refused(self) -> bool:
        """Whether refused rows and media are tried again."""
        return State.REFUSED in self.retry


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What a run has in this process only.

    Attributes:
        routes: The routes of the run, with their accounts' keys.
        ledger_url: The ledger, with its password.
        media_access: Which files and hosts media may be read from.
        parts: A folder on this machine for unfinished downloads before they are moved to a store; None takes the
            system's folder for temporary files.
        flow_run_id: Prefect's id of the run, for the record.
        plan: The checked table; None for a run that knows its rows from the ledger alone.
        file_names: The name of each row's file below the batch's folder, by row key; None names them by their keys.
    """

    routes: tuple[RouteSettings, ...]
    ledger_url: str = field(repr=False)
    media_access: MediaAccess = field(default_factory=MediaAccess)
    parts: Path | None = None
    flow_run_id: str | None = None
    plan: BatchPlan | None = None
    file_names: Mapping[str, str] | None = None
