"""Whether the files of stored rows still exist and are unchanged."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from prefect_seedance.errors import InputError, SeedanceError
from prefect_seedance.ledger import Mark, RowRecord
from prefect_seedance.media import Stamp, Storage, open_storage
from prefect_seedance.media.storage.local import LocalStorage

__all__ = ["missing_files", "storage_of"]

Stored = RowRecord | Mark
"""A stored row, as far as its file is concerned."""


async def missing_files(records: Iterable[Stored], storage: Storage, parts: Path | None = None) -> set[int]:
    """The ids of those rows whose files are gone or changed.

    In a local folder each file is checked; a store is asked once for the list of all files.

    Args:
        records: Stored rows.
        storage: The storage of this run; files of earlier runs may be in another one.
        parts: See `open_storage`.
    """
    by_storage: defaultdict[Storage, list[tuple[Stored, str]]] = defaultdict(list)
    opened: dict[str, Storage] = {}
    missing = set()
    for record in records:
        name = storage.name_of(record.path or "")
        if name is not None:
            by_storage[storage].append((record, name))
            continue
        try:
            home, name = _other_storage(record, opened, parts)
        except InputError:
            missing.add(record.id)
            continue
        by_storage[home].append((record, name))
    for home, found in by_storage.items():
        missing |= await asyncio.to_thread(_missing, home, found)
    return missing


def storage_of(record: RowRecord, storage: Storage, parts: Path | None = None) -> tuple[Storage, str]:
    """The storage of a verified row's file, and the file's name in it.

    That is where the ledger says, if the file is there; else `storage`: an output folder may have been moved since.
    This function blocks, and may read whole files: a name alone proves nothing.

    Args:
        record: A row whose file was verified by this or an earlier run.
        storage: The storage of this run.
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
        pass  # a store that this machine cannot open or reach
    # The row's file name gives the folder below the batch's folder.
    return storage, str(PurePosixPath(record.file_name).with_name(last))


def _other_storage(record: Stored, opened: dict[str, Storage], parts: Path | None) -> tuple[Storage, str]:
    """The storage and the name of a file of an earlier run with another output; each folder is opened once."""
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
        return True  # the store reports nothing but the size
    # The hash is only computed where the file was written since.
    return same or storage.digest(name) == record.sha256
