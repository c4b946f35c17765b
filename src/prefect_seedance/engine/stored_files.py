"""Whether the files of finished rows are still there, as they were."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import Mark, RowRecord
from prefect_seedance.media import Stamp, Storage, open_storage
from prefect_seedance.media.storage.local import LocalStorage

__all__ = ["home_of", "missing_files"]

Stored = RowRecord | Mark
"""A stored row, as far as its file is concerned."""


async def missing_files(records: Iterable[Stored], storage: Storage, parts: Path | None = None) -> set[int]:
    """The ids of those rows whose files are gone, or are not what they were.

    A folder on a disk is asked for each file; a store is asked once for the list of all of them.

    Args:
        records: Stored rows.
        storage: Where this run's files stand; those of earlier runs may stand elsewhere.
        parts: See `open_storage`.
    """
    by_shelf: defaultdict[Storage, list[tuple[Stored, str]]] = defaultdict(list)
    opened: dict[str, Storage] = {}
    missing = set()
    for record in records:
        name = storage.name_of(record.path or "")
        if name is not None:
            by_shelf[storage].append((record, name))
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


def home_of(record: RowRecord, storage: Storage, parts: Path | None = None) -> tuple[Storage, str]:
    """The shelf on which a proven row's file stands or is to stand, and its name there.

    That is where the ledger says, if it is there; else on `storage`: an output folder may have been moved since. It
    blocks, and may read whole files: a name alone proves nothing.

    Args:
        record: A row whose file was proven by this or an earlier run.
        storage: Where this run's files stand.
        parts: See `open_storage`.
    """
    address = record.path or ""
    name = storage.name_of(address)
    if name is not None:
        return storage, name
    folder, last = _split(address)
    try:
        home = open_storage(folder, parts)
        if home.holds(last, record.bytes, record.sha256):
            return home, last
    except SeedanceError:
        pass  # a store that this machine does not know, or cannot reach
    # The row's name says in which folder below the batch's it belongs.
    return storage, str(PurePosixPath(record.file_name).with_name(last))


def _elsewhere(record: Stored, opened: dict[str, Storage], parts: Path | None) -> tuple[Storage, str]:
    """The same for a row of an earlier run with another output; each folder is opened once."""
    address = record.path or ""
    folder, last = _split(address)
    if record.folder and address.startswith(record.folder):
        folder = record.folder
    if folder not in opened:
        opened[folder] = open_storage(folder, parts)
    return opened[folder], opened[folder].name_of(address) or last


def _split(address: str) -> tuple[str, str]:
    folder, _, last = address.replace("\\", "/").rpartition("/")
    return folder or ".", last


def _missing(storage: Storage, found: list[tuple[Stored, str]]) -> set[int]:
    if isinstance(storage, LocalStorage):
        touched = [
            (record, name) for record, name in found if not storage.untouched(name, record.bytes, record.modified_ns)
        ]
        return {record.id for record, name in touched if not _unchanged(record, storage.stamp(name), storage, name)}
    stamps: Mapping[str, Stamp] = storage.stamps()
    return {record.id for record, name in found if not _unchanged(record, stamps.get(name), storage, name)}


def _unchanged(record: Stored, stamp: Stamp | None, storage: Storage, name: str) -> bool:
    if stamp is None or stamp.bytes != record.bytes:
        return False
    if stamp.etag is not None and record.etag is not None:
        same = stamp.etag == record.etag
    elif stamp.modified_ns is not None and record.modified_ns is not None:
        same = stamp.modified_ns == record.modified_ns
    else:
        return True  # the store tells no more than the size
    # The hash is only computed where the file was touched since.
    return same or storage.digest(name) == record.sha256
