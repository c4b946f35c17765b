"""Where bytes are read from: one manner of reading for a file, a bucket and a web server."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from time import monotonic
from typing import BinaryIO, Protocol

from prefect_seedance.errors import BeyondPrefix, ProbeTimeout

#: Remote files are read in pieces of this size, and of one file no more than this in all.
BLOCK = 256 << 10
MOST_REMOTE = 8 << 20


class ByteSource(Protocol):
    """Something to be looked into.

    Attributes:
        size: Its length in bytes, or None if nobody told.
        whole: True if all of it is at hand, so that it can be walked to its end.
    """

    size: int | None
    whole: bool

    def read_at(self, start: int, count: int) -> bytes:
        """Return bytes; fewer than asked for only at the end.

        Raises:
            BeyondPrefix: If they lie beyond what is read for a look.
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
        self._file.seek(start)
        return self._file.read(count)


class Blocks:
    """A remote file, fetched in blocks, each once, and only those that are asked for."""

    whole = False

    def __init__(self, size: int | None, fetch: Callable[[int, int], bytes], first: bytes = b"") -> None:
        """Make one.

        Args:
            size: Length of the file; None if unknown.
            fetch: Brings bytes: from where, and how many.
            first: The first block, where it is there already.
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
    """A source as the video library wants it. It never raises within the library: `trouble` says why it stopped."""

    def __init__(self, source: ByteSource, deadline: float) -> None:
        super().__init__()
        self.trouble: Exception | None = None
        self._source = source
        self._deadline = deadline
        self._at = 0

    def check(self) -> None:
        """Raise what stopped it, if anything did."""
        if self.trouble is not None:
            raise self.trouble

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell whether its end is known."""
        return self._source.size is not None

    def tell(self) -> int:
        """Tell where it stands."""
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, also beyond the end."""
        base = (0, self._at, self._source.size or 0)[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; none at the end, or in trouble."""
        if self.trouble is not None:
            return b""
        try:
            if monotonic() > self._deadline:
                raise ProbeTimeout  # noqa: TRY301 - noted like every other trouble
            data = self._source.read_at(self._at, max(size, 0))
        except Exception as error:  # noqa: BLE001 - told by whoever asks
            self.trouble = error
            return b""
        self._at += len(data)
        return data
