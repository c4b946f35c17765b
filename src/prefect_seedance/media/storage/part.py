"""An unfinished download: its bytes in a part file, and a note about their source next to it."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

PARTS = ".parts"
"""The folder of unfinished downloads in a local batch folder."""

_BUFFER = 1 << 20


def open_part(part: Path, mode: Literal["wb", "r+b"], buffering: int = -1) -> BinaryIO:
    """Open a part, or a file next to it, for writing. No link is followed, neither of its name nor from `.parts` on.

    Raises:
        InputError: A folder on the way is a link.
        OSError: It cannot be opened, or is a link.
    """
    refuse_linked_parts(part.parent)
    return open(part, mode, buffering, opener=_open_no_link)


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def refuse_linked_parts(folder: Path) -> None:
    """Make sure that a folder for parts does not lie behind a link.

    Raises:
        InputError: It does.
    """
    for each in (folder, *folder.parents):
        if each.name == PARTS:
            refuse_links(each.parent, folder)


def refuse_links(root: Path, path: Path) -> None:
    """Make sure that no part of a path below `root` is a symbolic link: it could lead to anybody's files.

    `root` itself is the user's own choice, and may be a link or lie behind one.

    Raises:
        InputError: One is.
    """
    at = root
    for name in path.relative_to(root).parts:
        at /= name
        if at.is_symlink():
            raise InputError(message("storage.link_inside", path=str(at), folder=str(root)), code="link_inside")


def sidecar(part: Path) -> Path:
    """Return the path of the note of a part: `<part>.json`."""
    return part.with_name(f"{part.name}.json")


def discard(part: Path) -> None:
    """Remove a part and its note, so that the next fetch starts from nothing."""
    part.unlink(missing_ok=True)
    sidecar(part).unlink(missing_ok=True)


@dataclass(frozen=True)
class Note:
    """What the server said about the file in its first answer.

    Attributes:
        source: The link without its query string, since signatures change and are secret.
        validator: The value for `If-Range`: a strong entity tag or a date; None if the file cannot be resumed.
        total: Length of the whole file in bytes; None if not stated.
        digests: Hash name to hexadecimal digest of the whole file; empty if not stated.
    """

    source: str
    validator: str | None
    total: int | None
    digests: dict[str, str] = field(default_factory=dict)

    def write(self, part: Path) -> None:
        """Store the note next to the part, atomically."""
        target = sidecar(part)
        unfinished = target.with_name(f"{target.name}.new")
        with open_part(unfinished, "wb") as file:
            file.write(json.dumps(asdict(self)).encode())
        os.replace(unfinished, target)  # noqa: PTH105 - says what it does


def read_note(part: Path, source: str) -> tuple[Note, int] | None:
    """Return the note of a part that can be resumed from this source, and the number of its bytes.

    None means that the download must start again: another link, a damaged note, more bytes than the file has.
    """
    try:
        have = part.stat().st_size
        note = _parse(json.loads(sidecar(part).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    if note is None or note.source != source or note.validator is None or not have:
        return None
    return (note, have) if note.total is None or have <= note.total else None


def _parse(value: Any) -> Note | None:
    if not isinstance(value, dict):
        return None
    source, validator, total = value.get("source"), value.get("validator"), value.get("total")
    digests = value.get("digests")
    if not isinstance(source, str) or not isinstance(validator, str) or not validator.isprintable():
        return None
    if not (total is None or (type(total) is int and total >= 0)) or not isinstance(digests, dict):
        return None
    if not all(isinstance(name, str) and isinstance(text, str) for name, text in digests.items()):
        return None
    return Note(source, validator, total, digests)


class PartFile:
    """Writes a part. Buffers bytes, and writes them on `flush` and on exit.

    The first write opens the file, so that an answer that is refused at once does not damage an older part.
    """

    def __init__(self, part: Path, *, keep: int, note: Note | None = None) -> None:
        """Prepare to write.

        Args:
            part: The file.
            keep: Number of its bytes to keep; 0 starts from the beginning.
            note: For a new file: the note to store after the old bytes were removed.
        """
        self._part = part
        self._keep = keep
        self._note = note
        self._file: BinaryIO | None = None
        self._buffer = bytearray()
        # When the caller is cancelled, its writing thread still runs.
        self._lock = threading.Lock()
        self.size = keep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After an error the next attempt continues from these bytes. A full disk must not hide that error.
        try:
            with contextlib.suppress(OSError) if kind else contextlib.nullcontext():
                if self._buffer:
                    self.flush()
        finally:
            if self._file is not None:
                self._file.close()

    @property
    def full(self) -> bool:
        """True when it is time to flush."""
        return len(self._buffer) >= _BUFFER

    def add(self, data: bytes) -> None:
        """Buffer bytes; does not block."""
        self._buffer += data
        self.size += len(data)

    def flush(self) -> None:
        """Write the buffer. Blocks."""
        with self._lock:
            file = self._open() if self._file is None else self._file
            while self._buffer:
                written = file.write(self._buffer)
                del self._buffer[:written]

    def abandon(self) -> None:
        """Clear the buffer, and remove the written file. Blocks."""
        with self._lock:
            self._buffer.clear()
            if self._file is not None:
                discard(self._part)

    def _open(self) -> BinaryIO:
        # Unbuffered: a full disk must raise at the write, and not again when the file is closed.
        self._file = file = open_part(self._part, "r+b" if self._keep else "wb", buffering=0)
        if self._keep:
            file.seek(self._keep)
        if self._note is not None:
            self._note.write(self._part)
        return file
