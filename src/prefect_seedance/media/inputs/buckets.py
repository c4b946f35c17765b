"""Reading from object stores (`s3://`, `gs://` …) through fsspec, whose drivers are packages of their own."""

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

# Only these: others of fsspec's lead to this machine's own disk (local://, git://, zip://) or to any host (sftp://).
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
    """Open a file in a store, to be looked into. Blocks.

    Raises:
        InputError: If there is no such file or no right to read it, or the store's driver is missing.
        Unreachable: If the store does not answer.
    """
    with _told_of(address):
        system, path = _open_store(address)
        size = _size(system, path, address)
        return Blocks(size, lambda start, count: _part(system, path, address, start, count))


@contextmanager
def bucket_file(address: str) -> Iterator[BucketFile]:
    """Open a file in a store, to be read from its first byte on. Blocks, and so does reading.

    Raises:
        InputError: As for `bucket_source`.
        Unreachable: If the store does not answer.
    """
    with _told_of(address):
        system, path = _open_store(address)
        _size(system, path, address)
        file = cast("BinaryIO", system.open(path, "rb"))
    with file:
        yield BucketFile(file, address)


class BucketFile:
    """A file in a store, whose errors are told in our words."""

    def __init__(self, file: BinaryIO, address: str) -> None:
        self._file = file
        self._address = address

    def read(self, count: int) -> bytes:
        """Return the next bytes; none at the end."""
        with _told_of(self._address):
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
    text = system.info(path)
    if text.get("type") == "directory":
        raise InputError(message("media.is_folder", address=shown(address)), code="no_file")
    size = text.get("size")
    return size if isinstance(size, int) else None


def _part(system: AbstractFileSystem, path: str, address: str, start: int, count: int) -> bytes:
    with _told_of(address):
        return bytes(system.cat_file(path, start, start + count))


@contextmanager
def _told_of(address: str) -> Iterator[None]:
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
