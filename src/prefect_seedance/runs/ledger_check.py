"""Before anything is spent: is the ledger in use the output folder's own, and does it know what was sent from there?"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from prefect_seedance.engine.run_counter import RunCounter
from prefect_seedance.engine.session import Session
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger, RunFile, check_manifest, read_run_files
from prefect_seedance.ledger.rows import known_runs
from prefect_seedance.media import Storage
from prefect_seedance.media.storage.local import LocalStorage
from prefect_seedance.messages import Message, message

__all__ = ["check_identity", "check_ledger", "compare", "missing_runs"]

SHOWN = 5
"""Runs that one error names."""


async def check_ledger(session: Session, root: Storage) -> None:
    """Check the session's ledger against the output folder, and have the session's creates counted there (law 15).

    Raises:
        InputError: As `compare`. Nothing was spent.
        Unreachable: The folder's store cannot be reached now.
    """
    ledger = session.ledger
    known = await compare(ledger, root)
    mine = RunFile(run=session.run.id, ledger=ledger.identity, batch=session.run.batch, attempts=0)
    session.counter = RunCounter(root, mine, [run for run, each in known.items() if each.ended])


async def compare(ledger: Ledger, root: Storage) -> dict[str, known_runs.KnownRun]:
    """Check a ledger against an output folder; returns the runs that the folder counts.

    Raises:
        InputError: The folder belongs to another ledger, or the ledger is an older copy: it does not know all that was
            sent from this folder, and would pay for it again. Nothing was spent.
        Unreachable: The folder's store cannot be reached now.
    """
    await check_identity(ledger, root)
    # First the files, then the ledger: what live runs record meanwhile is in the ledger before it is in a file.
    files = await asyncio.to_thread(read_run_files, root)
    known = await ledger.read(known_runs.known_runs, [file.run for file in files])
    if missing := known_runs.missing_from(known, files):
        raise InputError(_older(ledger, root, missing))
    return known


async def check_identity(ledger: Ledger, root: Storage) -> None:
    """Check that the output folder belongs to this ledger; a new folder belongs to it from now on.

    Raises:
        InputError: It belongs to another one.
    """
    place: Path | Storage = root.folder if isinstance(root, LocalStorage) else root
    await asyncio.to_thread(check_manifest, place, ledger.identity, ledger.shown_url)


async def missing_runs(ledger: Ledger, root: Storage) -> Mapping[RunFile, int]:
    """The runs of which the folder counts more attempts than the ledger knows, with the number that it knows."""
    files = await asyncio.to_thread(read_run_files, root)
    return known_runs.missing_from(await ledger.read(known_runs.known_runs, [file.run for file in files]), files)


def _older(ledger: Ledger, root: Storage, missing: Mapping[RunFile, int]) -> Message:
    lines = [
        message("ledger.missing_run", run=file.run, batch=file.batch, attempts=file.attempts, known=known)
        for file, known in list(missing.items())[:SHOWN]
    ]
    if len(missing) > SHOWN:
        lines.append(message("rows.and_more", more=len(missing) - SHOWN))
    return message("ledger.older", ledger=ledger.shown_url, folder=root.shown, runs=lines)
