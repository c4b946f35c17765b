"""Storage in an object store, or anywhere else that fsspec can write to.

Credentials and settings of a store are never in its URL: its driver has its own sources for them. For S3 these are the
environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_PROFILE`, `AWS_DEFAULT_REGION`), `~/.aws`, or the
machine's role; `AWS_ENDPOINT_URL=https://minio.example:9000` selects MinIO or another server with the S3 API. For every
driver, fsspec's own settings apply too: `FSSPEC_S3_ENDPOINT_URL=…`, or a file in `~/.config/fsspec/`.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect_seedance.errors import InputError, SeedanceError, Unreachable
from prefect_seedance.media.storage.base import Stamp, Storage
from prefect_seedance.media.storage.digests import file_digest
from prefect_seedance.media.storage.folders import disk_trouble, make_folder
from prefect_seedance.media.storage.part import discard
from prefect_seedance.messages import message

__all__ = ["ObjectStorage"]

# These stores show an upload only when it is complete. In others a file is written under another name and renamed.
_ATOMIC_UPLOADS = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "cos", "oci", "r2", "memory"})
_PROBE = ".seedance-probe"
_LONGEST = 300


class ObjectStorage(Storage):
    """A folder below a URL. Parts are on this machine's disk until they are verified."""

    def __init__(self, url: str, parts: Path, files: Any) -> None:
        """Create it; `open_storage` does so from a URL alone.

        Args:
            url: The folder's URL, without a trailing slash.
            parts: The local folder for unfinished downloads.
            files: The fsspec file system.
        """
        self.shown = url
        self.parts = parts
        self._files = files
        self._root = str(files._strip_protocol(url)).rstrip("/")  # noqa: SLF001 - as fsspec itself does
        names = files.protocol if isinstance(files.protocol, tuple | list) else (files.protocol,)
        self._atomic = not _ATOMIC_UPLOADS.isdisjoint(names)
        # Drivers that are not asynchronous internally may not be thread-safe.
        self._lock: Any = contextlib.nullcontext() if files.async_impl else threading.RLock()

    def child(self, name: str) -> ObjectStorage:
        """The folder of this name in it."""
        url = f"{self.shown}/{name}"
        mark = hashlib.sha256(url.encode()).hexdigest()[:8]
        return ObjectStorage(url, self.parts / f"{name}-{mark}", self._files)

    def ensure(self, need_bytes: int = 0) -> None:
        """Check that files can be written, by writing a small one and deleting it."""
        try:
            with self._store_errors(_PROBE):
                self._put_bytes(_PROBE, b"\0")
        except SeedanceError as error:
            raise InputError(message("storage.store_unusable", problem=error.text), code=error.code) from error
        # Permission to write is enough to store videos; permission to delete is not needed.
        with contextlib.suppress(Exception), self._lock:
            self._files.rm_file(self._path(_PROBE))
        make_folder(self.parts)
        try:
            free = shutil.disk_usage(self.parts).free
        except OSError as error:
            raise disk_trouble(error, self.parts) from error
        if free < need_bytes:
            raise InputError(
                message(
                    "storage.low_space_for_parts",
                    output=self.shown,
                    folder=str(self.parts),
                    free=free / 1e6,
                    needed=need_bytes / 1e6,
                )
            )

    def free_bytes(self) -> int | None:
        """Return None: a store has no known limit."""
        return None

    def address(self, name: str) -> str:
        """The URL of a file."""
        return f"{self.shown}/{name}"

    def name_of(self, address: str) -> str | None:
        """The name of the file at this URL; None if it is not in this folder."""
        return address.removeprefix(f"{self.shown}/") if address.startswith(f"{self.shown}/") else None

    def stamp(self, name: str) -> Stamp | None:
        """Size, modification time and ETag of one file; None if there is none."""
        with self._store_errors(name):
            try:
                info = self._files.info(self._path(name))
            except FileNotFoundError:
                return None
        return _stamp(info) if info.get("type") == "file" else None

    def stamps(self) -> Mapping[str, Stamp]:
        """Size, modification time and ETag of all files, by name. One listing for any number of rows."""
        with self._store_errors(""):
            try:
                found = self._files.find(self._root, detail=True)
            except FileNotFoundError:
                return {}
        return {str(path).removeprefix(f"{self._root}/"): _stamp(info) for path, info in found.items()}

    def digest(self, name: str) -> str | None:
        """The SHA-256 of a file; None if there is none. Downloads the whole file."""
        digest = hashlib.sha256()
        with self._store_errors(name):
            try:
                with self._files.open(self._path(name), "rb") as file:
                    while data := file.read(8 << 20):
                        digest.update(data)
            except FileNotFoundError:
                return None
        return digest.hexdigest()

    def place(self, part: Path, name: str) -> Stamp:
        """Upload a verified part under its name, atomically."""
        size = part.stat().st_size
        with self._store_errors(name):
            if not self._put_new(part, name) and not self.holds(name, size, file_digest(part, "sha256")):
                text = message("storage.file_exists", path=self.address(name), part=str(part))
                raise InputError(text, code="file_exists")
        stamp = self.stamp(name)
        if stamp is None or stamp.bytes != size:
            where = self.address(name)
            if stamp is None:
                text = message("storage.not_stored", path=where, bytes=size)
            else:
                text = message("storage.other_size", path=where, bytes=size, found=stamp.bytes)
            raise Unreachable(text, code="store_disagrees")
        discard(part)
        return stamp

    def move(self, name: str, other: str) -> None:
        """Rename a file; the new name must be free."""
        with self._store_errors(other):
            self._files.mv(self._path(name), self._path(other))

    def read(self, name: str) -> bytes | None:
        """A small file's bytes; None if there is none."""
        with self._store_errors(name):
            try:
                return bytes(self._files.cat_file(self._path(name)))
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a small file atomically; a file of that name is replaced."""
        with self._store_errors(name):
            self._put_bytes(name, data)

    def record(self, name: str, data: bytes) -> None:
        """Write a small file atomically: what a store has answered for is durable."""
        self.write(name, data)

    def read_all(self, folder: str) -> Mapping[str, bytes]:
        """The small files directly in a folder, by their names without it; they are read at the same time."""
        with self._store_errors(folder):
            try:
                found = self._files.ls(self._path(folder), detail=True)
            except FileNotFoundError:
                return {}
            paths = [str(each["name"]) for each in found if each.get("type") == "file"]
            # One file that another run has just removed must not hide the others.
            contents = self._files.cat(paths, on_error="return") if paths else {}
            for content in contents.values():
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
        return {
            path.rpartition("/")[2]: bytes(content)
            for path, content in contents.items()
            if not isinstance(content, Exception)
        }

    def remove(self, name: str) -> None:
        """Delete a small file, if it exists."""
        with self._store_errors(name), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def create(self, name: str, data: bytes) -> bool:
        """Write a small file unless there is one of that name."""
        path = self._path(name)
        with self._store_errors(name):
            if self._files.exists(path):
                return False
            if not self._conditional("pipe_file"):
                self._put_bytes(name, data)
                return True
            try:
                self._files.pipe_file(path, data, mode="create")
            except FileExistsError:
                return False
            except (NotImplementedError, OSError) as error:
                _raise_unless_unsupported(error)
                self._put_bytes(name, data)
        return True

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _put_new(self, part: Path, name: str) -> bool:
        """Upload a file unless there is one of that name, and return whether it was uploaded."""
        path = self._path(name)
        if self._files.exists(path):
            return False
        if not self._atomic:
            with self._renamed(path) as temporary:
                self._files.put_file(str(part), temporary)
            return True
        if self._conditional("put_file"):
            try:
                self._files.put_file(str(part), path, mode="create")
            except FileExistsError:
                return False
            except (NotImplementedError, OSError) as error:
                _raise_unless_unsupported(error)
            else:
                return True
        self._files.put_file(str(part), path)
        return True

    def _put_bytes(self, name: str, data: bytes) -> None:
        if self._atomic:
            self._files.pipe_file(self._path(name), data)
            return
        with self._renamed(self._path(name)) as temporary:
            self._files.pipe_file(temporary, data)

    @contextlib.contextmanager
    def _renamed(self, path: str) -> Iterator[str]:
        folder, _, last = path.rpartition("/")
        self._files.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{last}.{uuid.uuid4().hex}"
        yield temporary
        self._files.mv(temporary, path)

    def _conditional(self, method: str) -> bool:
        """Whether the driver can write only if the file does not exist: then two writers cannot both succeed."""
        found = getattr(self._files, f"_{method}" if self._files.async_impl else method)
        return "mode" in inspect.signature(found).parameters

    @contextlib.contextmanager
    def _store_errors(self, name: str) -> Iterator[None]:
        """Translate errors of the store into errors that explain to a user why it failed."""
        where = self.address(name) if name else self.shown
        try:
            with self._lock:
                yield
        except SeedanceError:
            raise
        except PermissionError as error:
            text = message("storage.store_denies", path=where, reason=_text(error))
            raise InputError(text, code="no_permission") from error
        except FileNotFoundError as error:
            text = message("storage.no_such_store", path=where, reason=_text(error))
            raise InputError(text, code="no_such_store") from error
        except Exception as error:
            if "Credential" in type(error).__name__ or "ParamValidation" in type(error).__name__:
                text = message("storage.no_credentials", path=where, reason=_text(error))
                raise InputError(text, code="no_credentials") from error
            # The errors of drivers are undocumented. A lost connection is the most likely cause, and a retry is free.
            text = message("storage.store_unreachable", path=where, reason=_text(error))
            raise Unreachable(text, code="store_unreachable") from error


def _raise_unless_unsupported(error: Exception) -> None:
    """Raise the error again, unless the server does not support conditional writes, as some S3 servers do not."""
    if not isinstance(error, NotImplementedError) and "not implemented" not in str(error).lower():
        raise error


def _text(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _stamp(info: Mapping[str, Any]) -> Stamp:
    etag = info.get("ETag") or info.get("etag")
    return Stamp(int(info.get("size") or 0), _modified(info), str(etag).strip('"') if etag else None)


def _modified(info: Mapping[str, Any]) -> int | None:
    for name in ("LastModified", "last_modified", "mtime", "updated", "created"):
        found = info.get(name)
        with contextlib.suppress(ValueError):
            if isinstance(found, str):
                found = datetime.fromisoformat(found)
        if isinstance(found, datetime):
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            return int(found.timestamp() * 1_000_000) * 1000
        if isinstance(found, int | float):
            return int(found * 1_000_000) * 1000
    return None
