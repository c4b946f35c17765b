"""The manifest of an output folder: a small file that names the ledger of its videos (law 15)."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from pathlib import Path
from typing import Protocol

from prefect_seedance.errors import InputError
from prefect_seedance.messages import message

__all__ = ["MANIFEST", "OutputFolder", "check_manifest"]

MANIFEST = "seedance-ledger.json"


class OutputFolder(Protocol):
    """An output folder that is not a local one."""

    shown: str

    def read(self, name: str) -> bytes | None:
        """A file's bytes; None if there is none."""

    def create(self, name: str, data: bytes) -> bool:
        """Write a file unless it exists; returns whether it was written."""


def check_manifest(folder: Path | OutputFolder, identity: str, shown_url: str) -> None:
    """Compare the folder's manifest with the ledger in use; write the manifest where there is none.

    Raises:
        InputError: The folder belongs to another ledger (continuing would pay again for what that one has), or its
            manifest cannot be read or written.
    """
    found = _read(folder)
    if found is None:
        _write(folder, _text(identity, shown_url))
        # Of two runs that start at once only one writes it: what the file has now counts.
        found = _read(folder) or {}
    known, where = found.get("ledger"), found.get("url", "unknown")
    if known != identity:
        raise InputError(
            message(
                "ledger.other_ledger",
                folder=_shown(folder),
                known=known,
                url=where,
                identity=identity,
                ledger=shown_url,
            )
        )


def _shown(folder: Path | OutputFolder) -> str:
    return str(folder) if isinstance(folder, Path) else folder.shown


def _read(folder: Path | OutputFolder) -> dict[str, str] | None:
    try:
        text = (folder / MANIFEST).read_bytes() if isinstance(folder, Path) else folder.read(MANIFEST)
        if text is None:
            return None
        found = json.loads(text.decode("utf-8"))
        return {"ledger": str(found["ledger"]), "url": str(found.get("url", "unknown"))}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        path = f"{_shown(folder)}/{MANIFEST}"
        raise InputError(message("ledger.manifest_unreadable", path=path, reason=str(error))) from None


def _text(identity: str, shown_url: str) -> str:
    content = {"what": str(message("ledger.manifest_note")), "ledger": identity, "url": shown_url}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path | OutputFolder, text: str) -> None:
    if not isinstance(folder, Path):
        folder.create(MANIFEST, text.encode())
        return
    path = folder / MANIFEST
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        _write_through(draft, text)
        try:
            # Atomic, and never overwrites an existing manifest.
            os.link(draft, path)
        except FileExistsError:
            return
        except OSError:
            # A file system without links: create it exclusively, although not atomically.
            with contextlib.suppress(FileExistsError):
                _write_through(path, text)
    except OSError as error:
        raise InputError(message("ledger.manifest_unwritable", path=str(path), reason=str(error))) from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _write_through(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
