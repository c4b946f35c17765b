"""A whole download that could not be verified: it stays as the part, with a note, and a later run verifies it.

The note holds the job that the bytes belong to, their hash, and what the download said of them. With it they need no
link any more, which may be dead by then.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from prefect_seedance.media.storage.digests import file_digest
from prefect_seedance.media.videos.download import Fetched
from prefect_seedance.media.videos.proof.exchange import from_plain, to_plain
from prefect_seedance.messages import Message

__all__ = ["forget_kept", "keep", "kept"]


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.whole")


def keep(part: Path, job_id: str | None, fetched: Fetched) -> None:
    """Note that a part is the whole file of a job. Blocks. Without the note the bytes are kept too."""
    with contextlib.suppress(OSError):
        _write(part, job_id, fetched)


def _write(part: Path, job_id: str | None, fetched: Fetched) -> None:
    said = {
        "job_id": job_id,
        "bytes": part.stat().st_size,
        "sha256": file_digest(part, "sha256"),
        "announced": fetched.announced,
        "remarks": to_plain(fetched.remarks),
    }
    unfinished = part.with_name(f"{part.name}.whole.new")
    unfinished.write_text(json.dumps(said), encoding="utf-8")
    os.replace(unfinished, _note(part))  # noqa: PTH105 - says what it does


def kept(part: Path, job_id: str | None) -> Fetched | None:
    """The download of a part that was kept for this job, and is as it was; None where there is none. Blocks."""
    try:
        said: Any = json.loads(_note(part).read_text(encoding="utf-8"))
        if said["job_id"] != job_id or part.stat().st_size != said["bytes"]:
            return None
        if file_digest(part, "sha256") != said["sha256"]:
            return None
        announced, remarks = said["announced"], from_plain(said["remarks"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if not (announced is None or type(announced) is int) or not all(isinstance(each, Message) for each in remarks):
        return None
    return Fetched(said["bytes"], resumed=True, announced=announced, digest=None, remarks=remarks)


def forget_kept(part: Path) -> None:
    """Remove the note of a part."""
    _note(part).unlink(missing_ok=True)
