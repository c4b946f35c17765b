"""A shelf: the folder that a batch's files stand in, whether it is on a disk or in an object store."""

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
    """What a shelf tells of a file without its bytes being read.

    Attributes:
        bytes: Its length.
        modified_ns: When it was written last, in nanoseconds since 1970; None where the shelf does not tell.
        etag: The store's mark of its content; None where there is none.
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
        """Make the folder, and prove that files can be written to it.

        Raises:
            InputError: It cannot be made or written to, or lacks space.
        """

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Free space; None where there is no such bound."""

    @abstractmethod
    def address(self, name: str) -> str:
        """The absolute path or the URL of a file."""

    @abstractmethod
    def name_of(self, address: str) -> str | None:
        """The name of the file of this address; None if it does not stand here."""

    @abstractmethod
    def stamp(self, name: str) -> Stamp | None:
        """What is told of one file; None if there is none."""

    @abstractmethod
    def stamps(self) -> Mapping[str, Stamp]:
        """What is told of all files, by name."""

    @abstractmethod
    def digest(self, name: str) -> str | None:
        """The SHA-256 of a file, in hexadecimal; None if there is none. Reads it all."""

    @abstractmethod
    def place(self, part: Path, name: str) -> Stamp:
        """Move a proven part to its name, so that it is either wholly there or not at all.

        A file of the same content may be there already; any other is left as it is.

        Raises:
            InputError: Another file has that name, or the shelf refuses.
            Unreachable: The store cannot be reached now; the part is kept.
        """

    @abstractmethod
    def move(self, name: str, other: str) -> None:
        """Give a file another name, which is free."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A small file's bytes; None if there is none."""

    @abstractmethod
    def write(self, name: str, data: bytes) -> None:
        """Write a small file, at one stroke; one of that name is replaced.

        Raises:
            InputError: The shelf refuses.
            Unreachable: The store cannot be reached now.
        """

    def stream(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Write a file by a function that does it piece by piece; one of that name is replaced at one stroke."""
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
        """Whether a file of just this content stands here."""
        stamp = self.stamp(name)
        return stamp is not None and stamp.bytes == size and self.digest(name) == sha256

    def __str__(self) -> str:
        return self.shown
