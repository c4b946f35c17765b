"""Storage in a local folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from prefect_seedance.errors import InputError
from prefect_seedance.media.storage.base import Stamp, Storage
from prefect_seedance.media.storage.digests import file_digest
from prefect_seedance.media.storage.folders import disk_trouble, ensure_folder, place, sync_folder
from prefect_seedance.media.storage.part import PARTS, refuse_links
from prefect_seedance.messages import message

__all__ = ["LocalStorage"]

_NOT_CANONICAL = re.compile(r"//|(?:^|/)\.(?:/|$)|^/|/$|^$")
"""Matches relative paths that have another, shorter spelling."""


class LocalStorage(Storage):
    """A folder on a disk. Parts are in it too, so that a finished part is moved without a copy.

    The folder that the user names may be a link. Below it nothing is written through links.
    """

    def __init__(self, folder: Path, root: Path | None = None) -> None:
        """Name it.

        Args:
            folder: The folder.
            root: The folder that the user named, where this one is below it.
        """
        self.folder = folder.expanduser().absolute()
        self._root = root or self.folder
        self.shown = str(self.folder)
        self.parts = self.folder / PARTS
        self._prefix = f"{self.shown.rstrip('/')}/"

    def child(self, name: str) -> LocalStorage:
        """The folder of this name in it."""
        return LocalStorage(self.folder / name, self._root)

    def ensure(self, need_bytes: int = 0) -> None:
        """Create the folder, and check that files can be written to it; see `ensure_folder`."""
        refuse_links(self._root, self.folder)
        ensure_folder(self.folder, need_bytes)

    def free_bytes(self) -> int | None:
        """Free space on its disk, in bytes; None where it is not known."""
        try:
            return shutil.disk_usage(self.folder).free
        except OSError:
            return None

    def address(self, name: str) -> str:
        """The absolute path of a file."""
        return str(self.folder / name)

    def name_of(self, address: str) -> str | None:
        """The name of the file at this path; None if it is not in this folder."""
        below = address.removeprefix(self._prefix)
        if len(below) < len(address) and not _NOT_CANONICAL.search(below):
            return below  # our own spelling; pathlib takes ten times as long, and this runs for each row
        try:
            return Path(address).relative_to(self.folder).as_posix()
        except ValueError:
            return None

    def stamp(self, name: str) -> Stamp | None:
        """Size and modification time of one file; None if there is none."""
        try:
            found = os.stat(f"{self.shown}{os.sep}{name}")  # noqa: PTH116 - called for each row of a batch
        except OSError:
            return None
        return Stamp(found.st_size, found.st_mtime_ns)

    def untouched(self, name: str, size: int | None, modified_ns: int | None) -> bool:
        """Whether a file has this size and modification time; called for each row of a batch."""
        try:
            found = os.stat(f"{self.shown}{os.sep}{name}")  # noqa: PTH116
        except OSError:
            return False
        return found.st_mtime_ns == modified_ns and found.st_size == size

    def stamps(self) -> Mapping[str, Stamp]:
        """Size and modification time of all files, by name."""
        found = {}
        for root, _, names in os.walk(self.folder):
            for name in names:
                relative = (Path(root) / name).relative_to(self.folder).as_posix()
                if (stamp := self.stamp(relative)) is not None:
                    found[relative] = stamp
        return found

    def digest(self, name: str) -> str | None:
        """The SHA-256 of a file; None if there is none."""
        try:
            return file_digest(self.folder / name, "sha256")
        except OSError:
            return None

    def place(self, part: Path, name: str) -> Stamp:
        """Move a verified part to its name; see `folders.place`."""
        target = self._target(name)
        with self._disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        place(part, target)
        with self._disk_errors(target):
            found = target.stat()
        return Stamp(found.st_size, found.st_mtime_ns)

    def move(self, name: str, other: str) -> None:
        """Rename a file; the new name must be free."""
        source, target = self._target(name), self._target(other)
        with self._disk_errors(target):
            source.rename(target)

    def read(self, name: str) -> bytes | None:
        """A small file's bytes; None if there is none."""
        with self._disk_errors(self.folder / name):
            try:
                return (self.folder / name).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a small file atomically; a file of that name is replaced."""
        target = self._target(name)
        with self._disk_errors(target), self._temporary(target, data) as temporary:
            os.replace(temporary, target)  # noqa: PTH105 - says what it does

    def record(self, name: str, data: bytes) -> None:
        """Write a small file atomically and through to the disk; a file of that name is replaced."""
        target = self._target(name)
        with self._disk_errors(target), self._temporary(target, data) as temporary:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)  # noqa: PTH105 - says what it does
            sync_folder(target.parent)

    def read_all(self, folder: str) -> Mapping[str, bytes]:
        """The small files directly in a folder, by their names without it."""
        where = self.folder / folder
        found = {}
        with self._disk_errors(where):
            for path in where.iterdir() if where.exists() else ():
                # Another run may just have removed it.
                with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                    found[path.name] = path.read_bytes()
        return found

    def remove(self, name: str) -> None:
        """Delete a small file, if it exists."""
        target = self._target(name)
        with self._disk_errors(target):
            target.unlink(missing_ok=True)

    def stream(self, name: str, write: Callable[[BinaryIO], object]) -> None:
        """Write a file with a function that writes it in pieces; a file of that name is replaced atomically."""
        target = self._target(name)
        with self._disk_errors(target), self._temporary(target) as temporary:
            with temporary.open("wb") as file:
                write(file)
            os.replace(temporary, target)  # noqa: PTH105 - says what it does

    def create(self, name: str, data: bytes) -> bool:
        """Write a small file unless there is one of that name."""
        target = self._target(name)
        with self._disk_errors(target), self._temporary(target, data) as temporary:
            try:
                os.link(temporary, target)
            except FileExistsError:
                return False
            except OSError:
                # A file system without links: created only if it does not exist, but not atomically.
                try:
                    with target.open("xb") as file:
                        file.write(data)
                except FileExistsError:
                    return False
        return True

    def _target(self, name: str) -> Path:
        """The path of a file that is to be written. It replaces a link of its own name, and follows none on the way."""
        target = self.folder / name
        refuse_links(self._root, target.parent)
        return target

    @contextlib.contextmanager
    def _temporary(self, target: Path, data: bytes = b"") -> Iterator[Path]:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{uuid.uuid4().hex}")
        try:
            temporary.write_bytes(data)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _disk_errors(self, path: Path) -> Iterator[None]:
        try:
            yield
        except (FileExistsError, NotADirectoryError):
            raise InputError(message("storage.path_blocked", path=str(path)), code="name_taken") from None
        except OSError as error:
            raise disk_trouble(error, path) from error
