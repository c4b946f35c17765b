"""The interface of storage: the folder of a batch's files, on a disk or in an object store."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["Stamp", "Storage"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is known about a stored file without reading it.

    Attributes:
        bytes: Its length in bytes.
        modified_ns: Its modification time in nanoseconds since 1970; None where it is not known.
        etag: The store's ETag of its content; None where there is none.
    """

    bytes: int
    modified_ns: int | None = None
    etag: str | None = None


class Storage(ABC):
    """A folder for outputs. Names are relative to it, with `/` between folders, and safe (see `names`).

    All methods but `child`, `address` and `name_of` block: call them in a thread.

    Attributes:
        shown: The folder's path or URL. It holds no secret.
        parts: The local folder for unfinished downloads.
    """

    shown: str
    parts: Path

    @abstractmethod
    def child(self, name: str) -> Storage:
        """The folder of this name in it."""

    @abstractmethod
    def ensure(self, need_bytes: int = 0) -> None:
        """Create the folder, and check that files can be written to it.

        Raises:
            InputError: It cannot be created or written to, or lacks space.
        """

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Free space in bytes; None where there is no known limit."""

    @abstractmethod
    def address(self, name: str) -> str:
        """The absolute path or the URL of a file."""

    @abstractmethod
    def name_of(self, address: str) -> str | None:
        """The name of the file at this address; None if it is not in this folder."""

    @abstractmethod
    def stamp(self, name: str) -> Stamp | None:
        """The stamp of one file; None if there is none."""

    @abstractmethod
    def stamps(self) -> Mapping[str, Stamp]:
        """The stamps of all files, by name."""

    @abstractmethod
    def digest(self, name: str) -> str | None:
        """The SHA-256 of a file, in hexadecimal; None if there is none. Reads the whole file."""

    @abstractmethod
    def place(self, part: Path, name: str) -> Stamp:
        """Move a verified part to its name, atomically.

        A file with the same content may already exist; any other file is not changed.

        Raises:
            InputError: Another file has that name, or the storage reports an error.
            Unreachable: The store cannot be reached now; the part is kept.
        """

    @abstractmethod
    def move(self, name: str, other: str) -> None:
        """Rename a file; the new name must be free."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A small file's bytes; None if there is none."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write a small file atomically; a file of that name is replaced.

        Raises:
            InputError: The storage reports an error.
            Unreachable: The store cannot be reached now.
        """

    @abstractmethod
    def record(self, name: str, data: bytes) -> None:
        """The same, and the file is on the disk when this returns: it survives a loss of power.

        Raises:
            InputError: The storage reports an error.
            Unreachable: The store cannot be reached now.
        """

    @abstractmethod
    def read_all(self, folder: str) -> Mapping[str, bytes]:
        """The small files directly in a folder, by their names without it; none where there is no such folder.

        Raises:
            InputError: One of them cannot be read.
            Unreachable: The store cannot be reached now.
        """

    @abstractmethod
    def remove(self, name: str) -> None:
        """Delete a small file, if it exists.

        Raises:
            InputError: The storage reports an error.
            Unreachable: The store cannot be reached now.
        """

    def stream(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Write a file with a function that writes it in pieces; a file of that name is replaced atomically."""
        content = io.BytesIO()
        write(content)
        self.write(name, content.getvalue())

    @abstractmethod
    def create(self, name: str, data: bytes) -> bool:
        """Write a small file unless there is one of that name.

        Returns:
            Whether it was written.
        """

    def holds(self, name: str, size: int | None, sha256: str | None) -> bool:
        """Whether there is a file with exactly this content."""
        stamp = self.stamp(name)
        return stamp is not None and stamp.bytes == size and self.digest(name) == sha256

    def __str__(self) -> str:
        return self.shown
