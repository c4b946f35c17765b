"""Sources of bytes: one interface for a file, a bucket and a web server."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from time import monotonic
from typing import BinaryIO, Protocol

from prefect_seedance.errors import BeyondPrefix, ProbeTimeout

#: Remote files are read in blocks of this size, and up to this total per file, in bytes.
BLOCK = 256 << 10
MOST_REMOTE = 8 << 20


class ByteSource(Protocol):
    """A source of bytes.

    Attributes:
        size: Its length in bytes, or None if not known.
        whole: True if all of it is available, so that it can be read to its end.
    """

    size: int | None
    whole: bool

    def read_at(self, start: int, count: int) -> bytes:
        """Return bytes; fewer than requested only at the end.

        Raises:
            BeyondPrefix: If they are beyond the limit of a probe.
            OSError: If they cannot be read.
        """


class HeldBytes:
    """Bytes in memory."""

    whole = True

    def __init__(self, data: bytes) -> None:
        self.size: int | None = len(data)
        self._data = data

    def read_at(self, start: int, count: int) -> bytes:
        """Return a piece."""
        return self._data[start : start + count]


class LocalFile:
    """An open file."""

    whole = True

    def __init__(self, file: BinaryIO) -> None:
        self.size: int | None = os.fstat(file.fileno()).st_size
        self._file = file

    def read_at(self, start: int, count: int) -> bytes:
        """Return a piece."""
        if start >= (self.size or 0):
            return b""  # a damaged file may refer to any offset, also to one that no system can seek to
        self._file.seek(start)
        return self._file.read(count)


class Blocks:
    """A remote file. Requested blocks are fetched, each once."""

    whole = False

    def __init__(self, size: int | None, fetch: Callable[[int, int], bytes], first: bytes = b"") -> None:
        """Create it.

        Args:
            size: Length of the file in bytes; None if unknown.
            fetch: Fetches bytes, by offset and number.
            first: The first block, where it is already available.
        """
        self.size = size
        self._fetch = fetch
        self._blocks = {0: first} if first else {}
        self._budget = MOST_REMOTE - len(first)

    def read_at(self, start: int, count: int) -> bytes:
        """Return a piece."""
        end = start + count if self.size is None else min(start + count, self.size)
        if end <= start:
            return b""
        pieces = []
        for number in range(start // BLOCK, (end + BLOCK - 1) // BLOCK):
            block = self._block(number)
            pieces.append(block)
            if len(block) < BLOCK:
                break
        skip = start % BLOCK
        return b"".join(pieces)[skip : skip + end - start]

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if self._budget <= 0:
                raise BeyondPrefix
            self._budget -= BLOCK
            self._blocks[number] = self._fetch(number * BLOCK, BLOCK)
        return self._blocks[number]


class SourceReader(io.RawIOBase):
    """A source as a file for PyAV and Pillow. It never raises within the library: `error` says why it stopped.

    Attributes:
        error: The error that stopped it; None if there is none.
        ended: True once bytes were wanted that lie behind the end.
        strict: Whether each wanted byte counts, or only those of a read that brings none.
        left: How many bytes may still be read; None if any number.
    """

    def __init__(self, source: ByteSource, deadline: float, left: int | None = None, *, strict: bool = False) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.ended = False
        self.strict = strict
        self.left = left
        self._source = source
        self._deadline = deadline
        self._at = 0

    def check(self) -> None:
        """Raise the error that stopped it, if there is one."""
        if self.error is not None:
            raise self.error

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def seekable(self) -> bool:
        """Return whether its end is known."""
        return self._source.size is not None

    def tell(self) -> int:
        """Return the current offset."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Set the offset, also beyond the end."""
        base = (0, self._at, self._source.size or 0)[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return the next bytes; none at the end, or after an error. A negative size means all of them."""
        if size is None or size < 0:
            return b"".join(iter(lambda: self._next(BLOCK), b""))
        data = self._next(size)
        self.ended = self.ended or (not data and size > 0) or (self.strict and len(data) < size)
        return data

    def _next(self, size: int) -> bytes:
        if self.error is not None:
            return b""
        try:
            if monotonic() > self._deadline:
                raise ProbeTimeout  # noqa: TRY301 - stored like every other error
            data = self._source.read_at(self._at, size)
            if self.left is not None:
                self.left -= len(data)
                if self.left < 0:
                    raise BeyondPrefix  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - `check` raises it
            self.error = error
            return b""
        self._at += len(data)
        return data
