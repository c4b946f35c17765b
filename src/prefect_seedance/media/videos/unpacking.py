"""Compressed results: some servers send gzip, with or without a header that says so. The bytes themselves say it."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from prefect_seedance.media.storage.part import open_part, sidecar

_PIECE = 1 << 20
_GZIP = b"\x1f\x8b"
_EITHER = zlib.MAX_WBITS | 32  # zlib reads gzip too
_ZSTD = b"\x28\xb5\x2f\xfd"


def compression_of(head: bytes) -> str | None:
    """Return how a file is compressed, by its first bytes; None if it is not, as far as they show."""
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith(_ZSTD):
        return "zstd"
    # RFC 1950: the first byte is the method, the two together are a multiple of 31.
    return "deflate" if head[:1] == b"\x78" and len(head) > 1 and int.from_bytes(head[:2]) % 31 == 0 else None


def first_content(data: bytes, limit: int) -> bytes:
    """Return the first bytes of a content of which only the beginning is there, at most `limit`; as it is if plain."""
    if compression_of(data) not in ("gzip", "deflate"):
        return data[:limit]
    with suppress(zlib.error):
        return zlib.decompressobj(_EITHER).decompress(data, limit)
    return b""


def unpack(part: Path, limit: int) -> bool:
    """Replace a compressed part by its content, and remove its note. Blocks.

    Args:
        part: The part.
        limit: Most bytes of content to accept.

    Returns:
        False if it is not compressed or cannot be unpacked whole; then it is left as it is.

    Raises:
        OSError: If the content cannot be written.
    """
    unpacked = part.with_name(f"{part.name}.unpacked")
    with part.open("rb") as file:
        contents = _contents(file)
        if contents is None:
            return False
        try:
            with open_part(unpacked, "wb") as target:
                if not _copied(contents, target, limit):
                    return False
            sidecar(part).unlink(missing_ok=True)
            os.replace(unpacked, part)  # noqa: PTH105 - says what it does
        except (gzip.BadGzipFile, EOFError, zlib.error):
            return False
        finally:
            with suppress(OSError):
                unpacked.unlink(missing_ok=True)
    return True


def _copied(contents: Iterator[bytes], target: BinaryIO, limit: int) -> bool:
    for piece in contents:
        target.write(piece)
        if target.tell() > limit:
            return False
    return True


def _contents(file: BinaryIO) -> Iterator[bytes] | None:
    kind = compression_of(file.read(4))
    file.seek(0)
    return {"gzip": _ungzipped, "deflate": _inflated}[kind](file) if kind in ("gzip", "deflate") else None


def _ungzipped(file: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as content:
        while piece := content.read(_PIECE):
            yield piece


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    decoder = zlib.decompressobj()
    while not decoder.eof:
        data = decoder.unconsumed_tail or file.read(_PIECE)
        if not data:
            raise EOFError
        yield decoder.decompress(data, _PIECE)
