"""What a sandbox remembers: things that never change after their birth, in memory or over restarts in a file."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Protocol


class Store(Protocol):
    """Bytes by kind and id."""

    def put(self, kind: str, name: str, body: bytes) -> None:
        """Keep a thing, replacing one of the same kind and id."""

    def get(self, kind: str, name: str) -> bytes | None:
        """Return one thing."""

    def all(self, kind: str) -> list[bytes]:
        """Return all things of a kind, oldest first."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Close; may be called twice."""


class MemoryStore:
    """A store that ends with the process."""

    def __init__(self) -> None:
        self._things: dict[str, dict[str, bytes]] = {}

    def put(self, kind: str, name: str, body: bytes) -> None:
        """Keep a thing."""
        self._things.setdefault(kind, {})[name] = body

    def get(self, kind: str, name: str) -> bytes | None:
        """Return one thing."""
        return self._things.get(kind, {}).get(name)

    def all(self, kind: str) -> list[bytes]:
        """Return all things of a kind."""
        return list(self._things.get(kind, {}).values())

    def clear(self) -> None:
        """Forget everything."""
        self._things.clear()

    def close(self) -> None:
        """Do nothing: memory needs no closing."""


class FileStore:
    """A store in one SQLite table.

    Args:
        path: The file, made when missing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # A sandbox may lose its last second in a power cut, but not in a crash of its own.
        self._database.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "CREATE TABLE IF NOT EXISTS things (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id));"
        )

    def put(self, kind: str, name: str, body: bytes) -> None:
        """Keep a thing."""
        with self._lock:
            self._database.execute("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", (kind, name, body))

    def get(self, kind: str, name: str) -> bytes | None:
        """Return one thing."""
        with self._lock:
            row = self._database.execute("SELECT body FROM things WHERE kind = ? AND id = ?", (kind, name)).fetchone()
        return None if row is None else bytes(row[0])

    def all(self, kind: str) -> list[bytes]:
        """Return all things of a kind."""
        with self._lock:
            rows = self._database.execute("SELECT body FROM things WHERE kind = ? ORDER BY rowid", (kind,)).fetchall()
        return [bytes(row[0]) for row in rows]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._database.execute("DELETE FROM things")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()
