"""A watched folder or prefix: the tables in it, whether they are complete, and the names of their batches."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from prefect_seedance.errors import InputError, TableError
from prefect_seedance.flows.forms.places import durable_path, is_url, unlisted
from prefect_seedance.messages import message
from prefect_seedance.tables.errors import shown
from prefect_seedance.tables.source import fetch

__all__ = ["DroppedTable", "FolderScan", "WatchedFolder"]

ENDINGS = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".xlsx", ".xlsm"})
"""Endings of tables. Hidden files and spreadsheets' lock files (`~$…`) are not tables."""

_MARKS = ("mtime", "LastModified", "last_modified", "updated", "created", "etag", "ETag", "md5Hash")
_STEM = 60


@dataclass(frozen=True, slots=True)
class DroppedTable:
    """A table that is no longer being written.

    Attributes:
        place: Its path or URL.
        name: The file's name.
        batch: The batch of the file with its present content.
    """

    place: str
    name: str
    batch: str

    def is_other(self, batch: str) -> bool:
        """Whether a batch is of this file with another content."""
        return batch != self.batch and re.fullmatch(re.escape(_stem(self.name)) + "-[0-9a-f]{10}", batch) is not None

    def unchanged(self) -> bool:
        """Whether the file still has the content that its batch is named by."""
        try:
            return _batch(self.name, fetch(self.place).data) == self.batch
        except TableError:
            return False


@dataclass(slots=True)
class FolderScan:
    """What a scan found: complete tables, and the names of those that are still being written."""

    tables: list[DroppedTable] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


class WatchedFolder:
    """A folder on this machine, or a prefix of an object store."""

    def __init__(self, folder: str) -> None:
        self._folder = folder.strip()
        self._list: Callable[[], Mapping[str, tuple[Any, ...]]] = (
            self._in_store if is_url(self._folder) else self._on_disk
        )

    def look(self, settle: float) -> FolderScan:
        """List the folder twice, `settle` seconds apart: what has changed is still being written. Blocks.

        Raises:
            InputError: There is no such folder, or it cannot be listed.
        """
        before = self._list()
        if before:
            time.sleep(settle)
        after = self._list()
        found = FolderScan()
        for place, marks in sorted(after.items()):
            name = PurePosixPath(place).name
            content = self._content(place) if before.get(place) == marks else None
            if content is None or (marks[0] is not None and len(content) != marks[0]):
                found.unfinished.append(name)
            else:
                found.tables.append(DroppedTable(place, name, _batch(name, content)))
        return found

    @staticmethod
    def _content(place: str) -> bytes | None:
        try:
            return fetch(place).data
        except TableError:
            return None  # removed, or not readable yet

    def _on_disk(self) -> dict[str, tuple[Any, ...]]:
        folder = Path(durable_path(self._folder, message("form.the_folder")))
        try:
            files = [path for path in folder.iterdir() if _is_table(path.name) and path.is_file()]
            stats = {str(path): path.stat() for path in files}
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(message("form.unlisted_folder", folder=shown(folder), reason=reason)) from None
        return {place: (stat.st_size, stat.st_mtime_ns) for place, stat in stats.items()}

    def _in_store(self) -> dict[str, tuple[Any, ...]]:
        import fsspec  # noqa: PLC0415 - slow to import, and few folders need it

        try:
            files, path = fsspec.core.url_to_fs(self._folder)
            files.invalidate_cache()
            return {
                str(files.unstrip_protocol(entry["name"])): (
                    entry.get("size"),
                    *(str(entry[mark]) for mark in _MARKS if mark in entry),
                )
                for entry in files.ls(path, detail=True)
                if entry.get("type") == "file" and _is_table(PurePosixPath(entry["name"]).name)
            }
        except ImportError as error:
            raise InputError(message("form.no_driver", place=shown(self._folder), reason=str(error))) from None
        except Exception as error:  # noqa: BLE001 - each driver has errors of its own
            raise InputError(unlisted(self._folder, error)) from None


def _is_table(name: str) -> bool:
    return Path(name).suffix.lower() in ENDINGS and not name.startswith((".", "~$"))


def _stem(name: str) -> str:
    return re.sub(r"[{}\s]+", "-", name)[-_STEM:].strip("-")


def _batch(name: str, content: bytes) -> str:
    return f"{_stem(name)}-{hashlib.sha256(content).hexdigest()[:10]}"
