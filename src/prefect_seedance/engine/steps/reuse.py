"""The reuse step: a row that was never sent gets a copy of a stored video of the same request."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from prefect_seedance.core.checkpoints import reached
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.download import download, free_name
from prefect_seedance.engine.stored_files import storage_of
from prefect_seedance.ledger import Proof, RowRecord, State
from prefect_seedance.ledger.rows import transitions
from prefect_seedance.media import discard, ensure_folder
from prefect_seedance.media.storage.digests import file_digest
from prefect_seedance.media.storage.folders import disk_trouble
from prefect_seedance.media.storage.local import LocalStorage
from prefect_seedance.messages import message

__all__ = ["reuse"]


async def reuse(row: Row, copies: Sequence[RowRecord]) -> bool:
    """Store a copy of a stored video as the row's video, by the same law as a download: proof first, then the name.

    Args:
        row: A row that may be sent, held by the run.
        copies: Stored rows that have the same video; the first one whose file is whole is copied.

    Returns:
        Whether the row is stored. Otherwise it is as it was: it was sent before, or no file is whole.

    Raises:
        InputError: The copy cannot be written (disk full, no permission).
        Unreachable: A store is out of reach.
        LedgerError: The lease of this run has ended.
    """
    record = await row.record()
    if record.attempt is not None:
        return False
    for source in copies:
        proof = _proof(source)
        if proof is None or not await asyncio.to_thread(_copied, row, source):
            continue
        name = await asyncio.to_thread(free_name, row.storage, record, proof.bytes, proof.sha256)
        proof = replace(proof, path=row.storage.address(name))
        await row.session.ledger.write(transitions.reuse, row.session.run, row.id, proof)
        reached("proof written")
        row.set_state(State.SUCCEEDED)
        await download(row)  # finds the proven part, and moves it into place
        return True
    return False


def _proof(source: RowRecord) -> Proof | None:
    """The proof of a stored row, with a remark that names it; None for a row without one."""
    match source.path, source.sha256, source.bytes, source.width, source.height, source.seconds:
        case str(path), str(sha256), int(size), int(width), int(height), Decimal() as seconds:
            whence = message("reuse.remark", batch=source.batch, take=source.take, row=source.key)
            return Proof(path, sha256, size, width, height, seconds, (*source.remarks, str(whence)))
    return None


def _copied(row: Row, source: RowRecord) -> bool:
    """Make the row's part a whole copy of a stored file, on the disk; False where there is no such file."""
    home, name = storage_of(source, row.storage, row.storage.parts)
    part = row.part
    ensure_folder(part.parent)
    try:
        discard(part)
        if isinstance(home, LocalStorage):
            # No hard link: a later download of this row would write into the other row's file.
            shutil.copyfile(home.folder / name, part)
        elif (content := home.read(name)) is not None:
            part.write_bytes(content)
        else:
            return False
        if part.stat().st_size == source.bytes and file_digest(part, "sha256") == source.sha256:
            with part.open("rb+") as file:
                os.fsync(file.fileno())  # the proof must not outlive the bytes: no job can be asked for them
            return True
        discard(part)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise disk_trouble(error, part) from error
    return False
