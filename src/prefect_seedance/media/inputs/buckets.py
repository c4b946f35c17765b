"""Reads from object stores (`s3://`, `gs://` …) through fsspec. Its drivers are separate packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from prefect_seedance.errors import InputError, Unreachable
from prefect_seedance.media.inputs.sources import Blocks
from prefect_seedance.messages import message
from prefect_seedance.routes.address import shown

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

# Only these: other schemes of fsspec read this machine's disk (local://, git://, zip://) or any host (sftp://).
STORES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "oss": "ossfs",
    "oci": "ocifs",
    "tos": "tosfs",
    "memory": "fsspec",
}


def bucket_source(address: str) -> Blocks:
    """Open a file in a store for probing. Blocks.

    Raises:
        InputError: If there is no such file, no permission to read it, or no driver for the store.
        Unreachable: If the store does not answer.
    """
    with _store_errors(address):
        system, path = _open_store(address)
        size = _size(system, path, address)
        return Blocks(size, lambda start, count: _part(system, path, address, start, count))


@contextmanager
def bucket_file(address: str) -> Iterator[BucketFile]:
    """Open a file in a store for reading from its first byte. Opening and reading block.

    Raises:
        InputError: As for `bucket_source`.
        Unreachable: If the store does not answer.
    """
    with _store_errors(address):
        system, path = _open_store(address)
        _size(system, path, address)
        file = cast("BinaryIO", system.open(path, "rb"))
    with file:
        yield BucketFile(file, address)


class BucketFile:
    """A file in a store. Its errors are those of this package."""

    def __init__(self, file: BinaryIO, address: str) -> None:
        self._file = file
        self._address = address

    def read(self, count: int) -> bytes:
        """Return the next bytes; none at the end."""
        with _store_errors(self._address):
            return self._file.read(count)


def _open_store(address: str) -> tuple[AbstractFileSystem, str]:
    from fsspec.core import url_to_fs  # noqa: PLC0415 - slow, and few tables need it

    scheme = address.partition("://")[0]
    if scheme not in STORES or "::" in address:
        raise InputError(
            message("media.unknown_store", address=shown(address), scheme=scheme, stores=list(STORES)),
            code="unknown_store",
        )
    try:
        system, path = url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise InputError(
            message("media.no_driver", address=shown(address), scheme=scheme, package=STORES[scheme]),
            code="no_driver",
        ) from error
    return system, path


def _size(system: AbstractFileSystem, path: str, address: str) -> int | None:
    info = system.info(path)
    if info.get("type") == "directory":
        raise InputError(message("media.is_folder", address=shown(address)), code="no_file")
    size = info.get("size")
    return size if isinstance(size, int) else None


def _part(system: AbstractFileSystem, path: str, address: str, start: int, count: int) -> bytes:
    with _store_errors(address):
        return bytes(system.cat_file(path, start, start + count))


@contextmanager
def _store_errors(address: str) -> Iterator[None]:
    """Translate the errors of the driver."""
    try:
        yield
    except (InputError, Unreachable):
        raise
    except (FileNotFoundError, IsADirectoryError) as error:
        raise InputError(message("media.no_such_object", address=shown(address)), code="no_such_file") from error
    except PermissionError as error:
        raise InputError(message("media.store_denies", address=shown(address)), code="unreadable_file") from error
    except Exception as error:  # each driver has errors of its own, and their texts may hold signatures
        text = message("media.store_trouble", address=shown(address), error=type(error).__name__)
        raise Unreachable(text) from error
