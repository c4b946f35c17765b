"""Whether the files of finished rows are still there, as they were."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import Mark, RowRecord
from prefect_seedance.media import Shelf, Stamp, open_shelf
from prefect_seedance.media.storage.local import LocalShelf

__all__ = ["home_of", "missing_files"]

Stored = RowRecord | Mark
"""A stored row, as far as its file is concerned."""


async def missing_files(records: Iterable[Stored], shelf: Shelf, parts: Path | None = None) -> set[int]:
    """The ids of those rows whose files are gone, or are not what they were.

    A folder on a disk is asked for each file; a store is asked once for the list of all of them.

    Args:
        records: Stored rows.
        shelf: Where this run's files stand; those of earlier runs may stand elsewhere.
        parts: See `open_shelf`.
    """
    by_shelf: defaultdict[Shelf, list[tuple[Stored, str]]] = defaultdict(list)
    opened: dict[str, Shelf] = {}
    missing = set()
    for record in records:
        name = shelf.name_of(record.path or "")
        if name is not None:
            by_shelf[shelf].append((record, name))
            continue
        try:
            home, name = _elsewhere(record, opened, parts)
        except InputError:
            missing.add(record.id)
            continue
        by_shelf[home].append((record, name))
    for home, found in by_shelf.items():
        missing |= await asyncio.to_thread(_missing, home, found)
    return missing


def home_of(record: RowRecord, shelf: Shelf, parts: Path | None = None) -> tuple[Shelf, str]:
    """The shelf on which a proven row's file stands or is to stand, and its name there.

    That is where the ledger says, if it is there; else on `shelf`: an output folder may have been moved since. It
    blocks, and may read whole files: a name alone proves nothing.

    Args:
        record: A row whose file was proven by this or an earlier run.
        shelf: Where this run's files stand.
        parts: See `open_shelf`.
    """
    address = record.path or ""
    name = shelf.name_of(address)
    if name is not None:
        return shelf, name
    folder, last = _split(address)
    try:
        home = open_shelf(folder, parts)
        if home.holds(last, record.bytes, record.sha256):
            return home, last
    except SeedanceError:
        pass  # a store that this machine does not know, or cannot reach
    # The row's name says in which folder below the batch's it belongs.
    return shelf, str(PurePosixPath(record.file_name).with_name(last))


def _elsewhere(record: Stored, opened: dict[str, Shelf], parts: Path | None) -> tuple[Shelf, str]:
    """The same for a row of an earlier run with another output; each folder is opened once."""
    address = record.path or ""
    folder, last = _split(address)
    if record.folder and address.startswith(record.folder):
        folder = record.folder
    if folder not in opened:
        opened[folder] = open_shelf(folder, parts)
    return opened[folder], opened[folder].name_of(address) or last


def _split(address: str) -> tuple[str, str]:
    folder, _, last = address.replace("\\", "/").rpartition("/")
    return folder or ".", last


def _missing(shelf: Shelf, found: list[tuple[Stored, str]]) -> set[int]:
    if isinstance(shelf, LocalShelf):
        touched = [
            (record, name) for record, name in found if not shelf.untouched(name, record.bytes, record.modified_ns)
        ]
        return {record.id for record, name in touched if not _unchanged(record, shelf.stamp(name), shelf, name)}
    stamps: Mapping[str, Stamp] = shelf.stamps()
    return {record.id for record, name in found if not _unchanged(record, stamps.get(name), shelf, name)}


def _unchanged(record: Stored, stamp: Stamp | None, shelf: Shelf, name: str) -> bool:
    if stamp is None or stamp.bytes != record.bytes:
        return False
    if stamp.etag is not None and record.etag is not None:
        same = stamp.etag == record.etag
    elif stamp.modified_ns is not None and record.modified_ns is not None:
        same = stamp.modified_ns == record.modified_ns
    else:
        return True  # the store tells no more than the size
    # The hash is only computed where the file was touched since.
    return same or shelf.digest(name) == record.sha256
