"""An unfinished download: its bytes, and beside them a note of what they are the beginning of."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

_BUFFER = 1 << 20


def sidecar(part: Path) -> Path:
    """Return where the note of a part lies: `<part>.json`."""
    return part.with_name(f"{part.name}.json")


def discard(part: Path) -> None:
    """Remove a part and its note, so that the next fetch starts from nothing."""
    part.unlink(missing_ok=True)
    sidecar(part).unlink(missing_ok=True)


@dataclass(frozen=True)
class Note:
    """What the server said about the file when its first byte came.

    Attributes:
        source: The link without its query string: signatures change, and are secret.
        validator: What to send as `If-Range`: a strong entity tag or a date; None if the file cannot be resumed.
        total: Length of the whole file in bytes, if told.
        digests: Hash name to hexadecimal digest of the whole file, if told.
    """

    source: str
    validator: str | None
    total: int | None
    digests: dict[str, str] = field(default_factory=dict)

    def write(self, part: Path) -> None:
        """Store the note beside the part, at one stroke."""
        target = sidecar(part)
        unfinished = target.with_name(f"{target.name}.new")
        unfinished.write_text(json.dumps(asdict(self)), encoding="utf-8")
        os.replace(unfinished, target)  # noqa: PTH105 - says what it does


def read_note(part: Path, source: str) -> tuple[Note, int] | None:
    """Return the note of a part that can be resumed from this source, and how many bytes are there.

    Anything that does not fit (another link, a torn note, more bytes than the file has) means: start anew.
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
    """Writes a part. Collects bytes, and writes them when it is told to, or on leaving.

    The file is opened by the first write, so that an answer which is refused at once does no harm to an older part.
    """

    def __init__(self, part: Path, *, keep: int, note: Note | None = None) -> None:
        """Prepare to write.

        Args:
            part: The file.
            keep: How many of its bytes to keep; 0 starts anew.
            note: For a new file: the note to store once the old bytes are gone.
        """
        self._part = part
        self._keep = keep
        self._note = note
        self._file: BinaryIO | None = None
        self._buffer = bytearray()
        # A cancelled caller leaves while its writing thread still runs.
        self._lock = threading.Lock()
        self.size = keep

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After a cut, what came before it is where the next attempt starts. A full disk must not hide the cut.
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
        """Take bytes; does not block."""
        self._buffer += data
        self.size += len(data)

    def flush(self) -> None:
        """Write what was collected. Blocks."""
        with self._lock:
            file = self._open() if self._file is None else self._file
            while self._buffer:
                written = file.write(self._buffer)
                del self._buffer[:written]

    def abandon(self) -> None:
        """Forget what was collected, and remove what was written. Blocks."""
        with self._lock:
            self._buffer.clear()
            if self._file is not None:
                discard(self._part)

    def _open(self) -> BinaryIO:
        # Unbuffered: a full disk must show where the bytes are written, and not again when the file is closed.
        self._file = file = self._part.open("r+b" if self._keep else "wb", buffering=0)
        if self._keep:
            file.seek(self._keep)
        if self._note is not None:
            self._note.write(self._part)
        return file
