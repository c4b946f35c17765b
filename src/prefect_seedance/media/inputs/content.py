"""The content of a medium as a local file, with the hash that identifies it across runs."""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import BinaryIO

from prefect_seedance.errors import InputError, InvalidMedia, ProbeTimeout, UnsupportedMedia
from prefect_seedance.media.inputs.access import MediaAccess, open_file
from prefect_seedance.media.inputs.buckets import bucket_file
from prefect_seedance.media.inputs.formats import MIME_TYPES, format_from
from prefect_seedance.media.inputs.probe import data_bytes
from prefect_seedance.media.inputs.sources import LocalFile
from prefect_seedance.media.inputs.streams import stream_facts
from prefect_seedance.media.storage.folders import disk_trouble
from prefect_seedance.media.storage.names import slug
from prefect_seedance.messages import message
from prefect_seedance.routes.address import scheme_of, shown

_PIECE = 1 << 20
_PROBE_SECONDS = 20.0


@dataclass(frozen=True)
class Content:
    """A medium as a local file.

    Attributes:
        path: The user's own file, or a copy in the scratch folder.
        filename: A file name that is safe to send, with the extension of its real format.
        mime_type: Its MIME type by its bytes.
        sha256: Hash of the bytes, in hexadecimal.
        bytes: Number of bytes.
        modified_ns: Modification time of the file, in nanoseconds since 1970.
    """

    path: Path
    filename: str
    mime_type: str
    sha256: str
    bytes: int
    modified_ns: int | None = None

    def unchanged(self) -> bool:
        """Return whether the file is unchanged since it was hashed, by size and time. Call it after sending."""
        try:
            now = self.path.stat()
        except OSError:
            return False
        return now.st_size == self.bytes and self.modified_ns in (None, now.st_mtime_ns)


async def fetch_content(
    address: str, media_access: MediaAccess, scratch: Path, *, max_bytes: int = 100 << 20
) -> Content:
    """Copy a medium to this disk and hash it in the same pass. A local file is not copied.

    Args:
        address: A path, a `file://` URL, a store URL or a data URI.
        media_access: Which local files may be read.
        scratch: Folder for copies, created if necessary; the same content is stored once.
        max_bytes: Largest content to accept, in bytes.

    Raises:
        InputError: If it cannot be found or read, is too large, is not a medium, or changed while it was read; or if
            the scratch folder is not writable.
        Unreachable: If a store does not answer.
        ValueError: If the address has another scheme: the provider fetches those itself.
    """
    scheme = scheme_of(address)
    readers: dict[str | None, Callable[[], Content]] = {
        "file": lambda: _from_file(address, media_access, max_bytes),
        "store": lambda: _from_store(address, scratch, max_bytes),
        "data": lambda: _from_data(address, scratch, max_bytes),
    }
    if scheme not in readers:
        raise ValueError(message("media.not_fetched", address=shown(address)))
    return await asyncio.to_thread(readers[scheme])


def _from_file(address: str, media_access: MediaAccess, max_bytes: int) -> Content:
    path = media_access.find(address)
    try:
        with open_file(path, address) as file:
            before = os.fstat(file.fileno())
            digest, size = _read_and_hash(file.read, None, address, max_bytes)
            content = _content(file, path, path.stem, address, digest, size, before.st_mtime_ns)
        if size != before.st_size or not content.unchanged():
            raise InputError(message("media.changed", address=shown(address)), code="file_changed")
    except OSError as error:
        text = message("media.unreadable", address=shown(address), reason=error.strerror or str(error))
        raise InputError(text, code="unreadable_file") from error
    return content


def _from_store(address: str, scratch: Path, max_bytes: int) -> Content:
    with bucket_file(address) as file:
        return _copy_to_scratch(file.read, scratch, PurePosixPath(address.partition("://")[2]).stem, address, max_bytes)


def _from_data(address: str, scratch: Path, max_bytes: int) -> Content:
    data = memoryview(data_bytes(address))
    offset = 0

    def read(count: int) -> bytes:
        nonlocal offset
        offset += count
        return bytes(data[offset - count : offset])

    return _copy_to_scratch(read, scratch, "media", address, max_bytes)


def _copy_to_scratch(read: Callable[[int], bytes], scratch: Path, stem: str, address: str, max_bytes: int) -> Content:
    """Write a copy atomically. Its file name is its hash."""
    unfinished: Path | None = None
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=scratch, prefix=".media-")
        unfinished = Path(name)
        with os.fdopen(handle, "w+b") as copy:
            digest, size = _read_and_hash(read, copy, address, max_bytes)
            copy.flush()
            content = _content(copy, unfinished, stem, address, digest, size, None)
        final = scratch / f"{digest}{PurePosixPath(content.filename).suffix}"
        os.replace(unfinished, final)  # noqa: PTH105 - says what it does
        return Content(final, content.filename, content.mime_type, digest, size, final.stat().st_mtime_ns)
    except OSError as error:
        raise disk_trouble(error, scratch) from error
    finally:
        if unfinished is not None:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)


def _read_and_hash(
    read: Callable[[int], bytes], target: BinaryIO | None, address: str, max_bytes: int
) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while data := read(_PIECE):
        size += len(data)
        if size > max_bytes:
            text = message("media.too_large", address=shown(address), limit=max_bytes / 1e6)
            raise InputError(text, code="medium_too_large")
        digest.update(data)
        if target is not None:
            target.write(data)
    return digest.hexdigest(), size


def _content(
    file: BinaryIO, path: Path, stem: str, address: str, digest: str, size: int, modified_ns: int | None
) -> Content:
    source = LocalFile(file)
    try:
        name = format_from(source.read_at)
        if name is None:
            raise UnsupportedMedia(message("media.unknown_format"))
        if name in ("mp4", "3gp"):  # may be audio only
            with suppress(InvalidMedia, ProbeTimeout):
                name = stream_facts(source, name, monotonic() + _PROBE_SECONDS).format
    except InvalidMedia as error:
        text = message("media.unsupported", address=shown(address), reason=error.text)
        raise InputError(text, code="no_medium") from None
    ending = {"jpeg": "jpg"}.get(name, name)
    return Content(path, f"{slug(stem)}.{ending}", MIME_TYPES[name], digest, size, modified_ns)
