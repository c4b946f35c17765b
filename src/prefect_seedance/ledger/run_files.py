"""The files of runs in an output folder: how many creates each run has sent from there (law 15).

A ledger that knows fewer is an older copy: what it does not know would be paid for again. Each run has a file of its
own, so that several processes and object stores need neither a lock nor an append.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.messages import message

__all__ = ["RUN_FILES", "RunFile", "RunFolder", "read_run_files", "remove_run_file", "write_run_file"]

RUN_FILES = ".seedance-runs"
"""The folder of these files, beside the manifest. Its name begins with a dot: it is not for people."""

_SUFFIX = ".json"


class RunFolder(Protocol):
    """An output folder, as far as these files need it. All methods block."""

    shown: str

    def record(self, name: str, data: bytes) -> None:
        """Write a file atomically and durably."""

    def read_all(self, folder: str) -> Mapping[str, bytes]:
        """The files directly in a folder, by their names."""

    def remove(self, name: str) -> None:
        """Delete a file, if it exists."""


class RunFile(BaseModel):
    """What an output folder knows of one run.

    Attributes:
        run: The run's id.
        ledger: The identity of its ledger.
        batch: The batch that it works on.
        attempts: How many creates and billed asset requests it has sent, at least.
    """

    model_config = ConfigDict(frozen=True)

    run: str = Field(pattern=r"^[0-9A-Za-z-]+$")
    ledger: str
    batch: str
    attempts: int = Field(ge=0)


def read_run_files(folder: RunFolder) -> list[RunFile]:
    """All files of runs in an output folder, in the order of their names.

    Raises:
        InputError: One cannot be read: what its run has paid for is not known.
        Unreachable: The store cannot be reached now.
    """
    found = []
    for name, data in sorted(folder.read_all(RUN_FILES).items()):
        if not name.endswith(_SUFFIX):
            continue  # a file that is just being written
        try:
            found.append(RunFile.model_validate_json(data))
        except ValidationError:
            path = f"{folder.shown}/{RUN_FILES}/{name}"
            raise InputError(message("ledger.run_file_unreadable", path=path)) from None
    return found


def write_run_file(folder: RunFolder, file: RunFile) -> None:
    """Write the file of a run; it is durable when this returns.

    Raises:
        InputError: The folder does not take it.
        Unreachable: The store cannot be reached now.
    """
    text = json.dumps({"what": str(message("ledger.manifest_note")), **file.model_dump()}, ensure_ascii=False, indent=2)
    try:
        folder.record(_name(file.run), f"{text}\n".encode())
    except SeedanceError as error:
        path = f"{folder.shown}/{_name(file.run)}"
        error.reword(message("ledger.run_file_unwritable", path=path, reason=error.text))
        raise


def remove_run_file(folder: RunFolder, run: str) -> None:
    """Delete the file of a run that has ended; see `engine.run_counter` for when this is safe."""
    folder.remove(_name(run))


def _name(run: str) -> str:
    return f"{RUN_FILES}/{run}{_SUFFIX}"
