"""Where media may be read from: the parameters, within what the deployment allows."""

from __future__ import annotations

import os
from pathlib import Path

from prefect.runtime import deployment

from prefect_seedance.errors import InputError
from prefect_seedance.media.inputs.access import ROOT_VARIABLE
from prefect_seedance.messages import message

__all__ = ["HOSTS_VARIABLE", "media_hosts", "media_roots"]

HOSTS_VARIABLE = "PREFECT_SEEDANCE_MEDIA_HOSTS"
"""Hosts at private addresses that media may be read from, separated by commas."""


def media_roots(wanted: str | Path | None) -> tuple[Path, ...]:
    """The folders below which local media may be read, in addition to the table's own.

    In a run of a deployment only its environment can open a folder: any person who starts the run can change a
    parameter in the form, and could read any file of the worker.

    Raises:
        InputError: A parameter asks for more than the deployment's environment opens.
    """
    opened = tuple(
        Path(part).expanduser().absolute() for part in os.environ.get(ROOT_VARIABLE, "").split(os.pathsep) if part
    )
    if wanted is None:
        return opened
    folder = Path(wanted).expanduser().absolute()
    if deployment.id and not any(folder.resolve().is_relative_to(root.resolve()) for root in opened):
        raise InputError(message("run.media_root_closed", folder=str(wanted), variable=ROOT_VARIABLE))
    return (folder, *opened)


def media_hosts(wanted: str | tuple[str, ...] | list[str] = ()) -> frozenset[str]:
    """The hosts at private addresses that media may be read from.

    Raises:
        InputError: A parameter asks for more than the deployment's environment allows.
    """
    opened = {name.strip().lower() for name in os.environ.get(HOSTS_VARIABLE, "").split(",") if name.strip()}
    asked = {name.strip().lower() for name in ([wanted] if isinstance(wanted, str) else wanted)}
    if deployment.id and not asked <= opened:
        raise InputError(message("run.media_hosts_closed", hosts=sorted(asked - opened), variable=HOSTS_VARIABLE))
    return frozenset(asked | opened)
