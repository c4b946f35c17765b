"""The output folder: it is created, checked before anything is spent, and filled with complete files only."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from prefect_seedance.errors import InputError
from prefect_seedance.media.storage.part import open_part, refuse_linked_parts, sidecar
from prefect_seedance.messages import message

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
_NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def ensure_folder(path: Path, need_bytes: int = 0) -> None:
    """Create a folder, and check that files can be written to it.

    Blocks: call it in a thread.

    Args:
        path: The folder; parents are created too.
        need_bytes: The required free space, in bytes.

    Raises:
        InputError: If it cannot be created or written to, or lacks space.
    """
    make_folder(path)
    try:
        # A permission check is not enough: quotas, read-only mounts and shares fail only on a write.
        with tempfile.NamedTemporaryFile(dir=path, prefix=".seedance-") as file:
            file.write(b"\0")
            file.flush()
        free = shutil.disk_usage(path).free
    except OSError as error:
        raise disk_trouble(error, path) from error
    if free < need_bytes:
        raise InputError(message("storage.low_space", folder=str(path), free=free / 1e6, needed=need_bytes / 1e6))


def make_folder(path: Path) -> None:
    """Create a folder, and its parents. A folder for unfinished downloads must not lie behind a link.

    Raises:
        InputError: It cannot be created; the message says why and what to do.
    """
    refuse_linked_parts(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(message("storage.folder_blocked", folder=str(path))) from None
    except OSError as error:
        raise disk_trouble(error, path) from error


def temporary_folder(prefix: str) -> tempfile.TemporaryDirectory[str]:
    """A new folder for temporary files, as a context manager that deletes it.

    Raises:
        InputError: This machine has none that can be written to.
    """
    try:
        return tempfile.TemporaryDirectory(prefix=prefix)
    except OSError as error:
        raise InputError(message("storage.no_temporary_folder", reason=error.strerror or str(error))) from error


def place(part: Path, final: Path) -> None:
    """Move a finished download to its final name, atomically.

    The bytes are synced to the disk before the name is created. Blocks: call it in a thread.

    Args:
        part: The finished download; its resume note is removed with it.
        final: The final name, in the same file system. A file with the same content may already exist there.

    Raises:
        InputError: If another file has that name, or the disk reports an error.
    """
    try:
        with open_part(part, "r+b") as file:
            os.fsync(file.fileno())
        _rename(part, final)
        sidecar(part).unlink(missing_ok=True)
        sync_folder(final.parent)
    except OSError as error:
        raise disk_trouble(error, final) from error


def disk_trouble(error: OSError, path: Path) -> InputError:
    """Return the error that explains to a user why the disk operation failed."""
    if error.errno in _NO_SPACE:
        return InputError(message("storage.disk_full", path=str(path)), code="disk_full")
    if error.errno in _NO_PERMISSION:
        text = message("storage.no_permission", path=str(path), reason=error.strerror)
        return InputError(text, code="no_permission")
    text = message("storage.disk_error", path=str(path), reason=error.strerror or str(error))
    return InputError(text, code="disk_error")


def _rename(part: Path, final: Path) -> None:
    # A hard link fails atomically where the name exists; a rename would overwrite a file that another run just placed.
    try:
        os.link(part, final)
    except FileExistsError:
        _refuse_other(part, final)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(final):
            _refuse_other(part, final)
        os.replace(part, final)  # noqa: PTH105 - says what it does
        return
    part.unlink()


def _refuse_other(part: Path, final: Path) -> None:
    if not final.is_file() or _digest(part) != _digest(final):
        raise InputError(message("storage.file_exists", path=str(final), part=part.name), code="file_exists")


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    # Windows cannot open folders, and makes names durable itself.
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
