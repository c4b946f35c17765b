"""Storage of immutable records, in memory or in a file that outlives restarts."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Bytes by kind and id."""

    def put(self, kind: str, name: str, body: bytes) -> None:
        """Store a record, replacing one of the same kind and id."""

    def get(self, kind: str, name: str) -> bytes | None:
        """Return a record; None for an unknown one."""

    def all(self, kind: str) -> list[bytes]:
        """Return all records of a kind, oldest first."""

    def clear(self) -> None:
        """Delete all records."""

    def close(self) -> None:
        """Close; may be called twice."""


class MemoryStore:
    """A store in memory."""

    def __init__(self) -> None:
        self._things: dict[str, dict[str, bytes]] = {}

    def put(self, kind: str, name: str, body: bytes) -> None:
        """Store a record."""
        self._things.setdefault(kind, {})[name] = body

    def get(self, kind: str, name: str) -> bytes | None:
        """Return a record; None for an unknown one."""
        return self._things.get(kind, {}).get(name)

    def all(self, kind: str) -> list[bytes]:
        """Return all records of a kind."""
        return list(self._things.get(kind, {}).values())

    def clear(self) -> None:
        """Delete all records."""
        self._things.clear()

    def close(self) -> None:
        """Do nothing."""


class FileStore:
    """A store in one SQLite table.

    Args:
        path: The file; it is created when missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # The last second may be lost in a power cut, but not when the process crashes.
        self._database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE IF NOT EXISTS things (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id));"
        )

    def put(self, kind: str, name: str, body: bytes) -> None:
        """Store a record."""
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", (kind, name, body))

    def get(self, kind: str, name: str) -> bytes | None:
        """Return a record; None for an unknown one."""
        with self._lock:
            row = self._database.execute("SELECT body FROM things WHERE kind = ? AND id = ?", (kind, name)).fetchone()
        return None if row is None else bytes(row[0])

    def all(self, kind: str) -> list[bytes]:
        """Return all records of a kind."""
        with self._lock:
            rows = self._database.execute("SELECT body FROM things WHERE kind = ? ORDER BY rowid", (kind,)).fetchall()
        return [bytes(row[0]) for row in rows]

    def clear(self) -> None:
        """Delete all records."""
        with self._lock:
            self._database.execute("DELETE FROM things")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
