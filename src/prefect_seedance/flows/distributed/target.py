"""Where a run is spread, and the parameters of its shards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, Self

from prefect_seedance.engine.run_spec import Parent, RunContext, RunSpec
from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["SHARD", "SpreadPlan", "SpreadTarget"]

SHARD = "seedance shard/shard"
"""The deployment of the shards: `prefect-seedance setup --deploy` makes it."""

MOST = 1000
"""Shards of a run at most."""

_KNOWN = re.compile(r"(?P<kind>workers|dask|ray)(?::(?P<number>\d+))?(?:\s+(?P<where>\S.*))?")


@dataclass(frozen=True, slots=True)
class SpreadTarget:
    """Where a run is spread.

    Attributes:
        kind: Prefect workers, Dask or Ray.
        number: Shards; None: as many as the cluster has workers.
        where: The cluster's address, or for workers the deployment's name; None: this machine, or our own deployment.
    """

    kind: Literal["workers", "dask", "ray"]
    number: int | None = None
    where: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a user writes: `workers:3`, `dask:2`, `dask tcp://scheduler:8786`, `ray:2`.

        Raises:
            InputError: It is none of these.
        """
        found = _KNOWN.fullmatch(str(text).strip())
        number = int(found["number"]) if found is not None and found["number"] else None
        where = found["where"] if found is not None else None
        if found is None or (number is None and (where is None or found["kind"] == "workers")):
            raise InputError(message("spread.unreadable", spread=text, expected=message("spread.expected")))
        if number is not None and not 1 <= number <= MOST:
            raise InputError(message("spread.shards", spread=text, most=MOST))
        kind: Any = found["kind"]
        if kind == "workers" and where is not None and where.count("/") != 1:
            raise InputError(message("spread.deployment_name", spread=text))
        if kind != "workers" and where is not None and "://" not in where and where != "auto":
            expected = message("spread.expected")
            raise InputError(message("spread.bad_address", spread=text, address=where, expected=expected))
        return cls(kind, number, where)

    @property
    def remote(self) -> bool:
        """Whether the shards certainly run on other machines."""
        return self.kind != "workers" and self.where is not None and not _HERE.search(self.where)

    def __str__(self) -> str:
        number = "" if self.number is None else f":{self.number}"
        return f"{self.kind}{number}" + (f" {self.where}" if self.where else "")


_HERE = re.compile(r"auto|//(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:|$)")


@dataclass(frozen=True, slots=True)
class SpreadPlan:
    """A spread that was checked: only names and plain numbers go to other processes.

    Attributes:
        spread: Where the run is spread.
        names: The names of the routes' saved blocks.
        ledger: The ledger's URL; None: the other processes take it from their environment.
        per_step: Whether each step of each row is a task run.
    """

    spread: SpreadTarget
    names: tuple[str, ...]
    ledger: str | None
    per_step: bool

    def shard_spec(self, spec: RunSpec, context: RunContext, parent: Parent) -> RunSpec:
        """What each shard is asked to do."""
        access = context.media_access
        # In a deployment only the environment allows folders and hosts: its parameters can be changed by hand.
        local = self.spread.kind != "workers"
        return spec.model_copy(
            update={
                "routes": self.names,
                "ledger": self.ledger,
                "media_folders": tuple(each for each in (access.folder, *access.roots) if each) if local else (),
                "media_hosts": access.hosts if local else frozenset(),
                "per_step": self.per_step,
                "parent": parent,
            }
        )
