"""The form of one file upload (`multipart/form-data`, RFC 7578), read from the disk in pieces."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message
from prefect_seedance.providers.answers import FilePart

_CHUNK = 256 * 1024


@dataclass(frozen=True)
class UploadForm:
    """A form with a single file. It does not hold the bytes of the file.

    Attributes:
        content_type: The value of the request's `Content-Type`.
        head: The bytes before the file.
        tail: The bytes after it.
    """

    content_type: str
    head: bytes
    tail: bytes

    @classmethod
    def for_file(cls, part: FilePart) -> UploadForm:
        """Make the form for a file."""
        boundary = secrets.token_hex(16)
        head = (
            f"--{boundary}\r\n"
            f'Content-Disposition: form-data; name="{_quoted(part.field)}"; filename="{_quoted(part.filename)}"\r\n'
            f"Content-Type: {part.mime_type}\r\n\r\n"
        )
        # A file name on disk may contain bytes that are not valid text.
        return cls(
            f"multipart/form-data; boundary={boundary}",
            head.encode("utf-8", "replace"),
            f"\r\n--{boundary}--\r\n".encode("ascii"),
        )

    def length(self, size: int) -> int:
        """Return the length in bytes of the whole body with a file of `size` bytes."""
        return len(self.head) + size + len(self.tail)

    async def pieces(self, file: BinaryIO, size: int, path: Path, provider: str) -> AsyncIterator[bytes]:
        """Yield the whole body in pieces.

        Raises:
            InputError: If the file is no longer `size` bytes long (as `Content-Length` says), or cannot be read.
        """
        yield self.head
        left = size
        while True:
            try:
                piece = await asyncio.to_thread(file.read, _CHUNK)
            except OSError as error:
                raise unreadable(path, provider, error) from error
            left -= len(piece)
            if left < 0 or (left > 0 and not piece):
                raise InputError(message("provider.file_changed", file=str(path)), provider=provider)
            if not piece:
                break
            yield piece
        yield self.tail


@asynccontextmanager
async def opened(path: Path, provider: str) -> AsyncIterator[BinaryIO]:
    """Open a file for reading without blocking the event loop."""
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        raise unreadable(path, provider, error) from error
    try:
        yield file
    finally:
        file.close()


def unreadable(path: Path, provider: str, error: OSError) -> InputError:
    """Return the error for a file that cannot be read."""
    text = message("provider.file_unreadable", file=str(path), reason=error.strerror or str(error))
    return InputError(text, provider=provider)


def _quoted(text: str) -> str:
    """Escape characters that would end a quoted name, as browsers do (HTML, section 4.10.21.8)."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
