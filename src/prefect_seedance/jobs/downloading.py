"""The download step: bytes whole, opened, hash and size in the ledger, renamed into place, in that order (law 5)."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from prefect_seedance.errors import BrokenVideo, Gone, SeedanceError
from prefect_seedance.instants import reached
from prefect_seedance.jobs.row import Row
from prefect_seedance.ledger import Proof, RowRecord, State
from prefect_seedance.media import VideoFacts, discard, inspect_video, place
from prefect_seedance.media.digests import file_digest
from prefect_seedance.providers import JobState

__all__ = ["download", "still_stored"]

PARTS = ".parts"

DOUBTFUL = ".doubtful"
"""The ending of bytes that did not prove to be a video. The link they came from dies, so they are not thrown away."""


async def download(row: Row) -> None:
    """Fetch the row's video and put it into its place: afterwards the row is `stored`.

    Does nothing for a row that has no video to be fetched.

    Raises:
        Gone: The link is dead, and asking again brought no other: made, paid, expired.
        Unreachable: The transfer was cut; another try resumes it.
        BrokenVideo: What came is no whole video; another try starts anew.
        UserMistake: It cannot be written (disk full, no permission).
    """
    if row.state is not State.SUCCEEDED:
        return
    record = await row.record()
    target = row.folder / f"{record.file_name}.mp4"
    part = row.folder / PARTS / f"{record.file_name}.part"
    try:
        if not await _finish_earlier(row, record, part):
            facts = await _fetched(row, part)
            reached("video proven")
            await _keep(row, part, await asyncio.to_thread(_free, target, record, facts), facts)
    except Gone as error:
        error.row = row.key
        await row.session.ledger.expire(row.session.run, row.id, error)
        row.moved(State.EXPIRED, error.message)
        raise
    except SeedanceError as error:
        error.row = row.key
        raise


async def still_stored(record: RowRecord) -> bool:
    """Whether a stored file is still there, as it was."""
    return await asyncio.to_thread(_unchanged, record)


def _unchanged(record: RowRecord) -> bool:
    try:
        found = Path(record.path or "").stat()
    except OSError:
        return False
    if found.st_size != record.bytes:
        return False
    # The hash is only computed where the file was touched since.
    return found.st_mtime_ns == record.modified_ns or file_digest(Path(record.path or ""), "sha256") == record.sha256


async def _finish_earlier(row: Row, record: RowRecord, part: Path) -> bool:
    """An earlier run may have died after the proof was written: then nothing is to be fetched again."""
    if record.sha256 is None or record.path is None:
        return False
    target = Path(record.path)
    for candidate in (target, part):
        if await asyncio.to_thread(_is, candidate, record):
            if candidate == part:
                await asyncio.to_thread(place, part, target)
            await _stored(row, target)
            return True
    return False


def _is(path: Path, record: RowRecord) -> bool:
    try:
        return path.stat().st_size == record.bytes and file_digest(path, "sha256") == record.sha256
    except OSError:
        return False


def _free(target: Path, record: RowRecord, facts: VideoFacts) -> Path:
    """The place for a file. Where another one stands, nothing of it is lost: it may be somebody's work."""
    if not target.exists() or file_digest(target, "sha256") == facts.sha256:
        return target
    ours_once = record.path == str(target.absolute())
    names = (
        target.with_name(f"{target.stem}.{'changed' if ours_once else 'video'}-{n}.mp4") for n in itertools.count(1)
    )
    free = next(name for name in names if not name.exists())
    if not ours_once:
        return free
    target.rename(free)
    return target


async def _fetched(row: Row, part: Path) -> VideoFacts:
    """The link's bytes, proven. A dead link is asked for again, once."""
    url = row.video_url or await _fresh_link(row)
    provider = row.settings.account.base_url
    part.parent.mkdir(exist_ok=True)
    try:
        fetched = await row.session.downloader.fetch(url, part, provider_url=provider)
    except Gone:
        url = row.video_url = await _fresh_link(row)
        fetched = await row.session.downloader.fetch(url, part, provider_url=provider)
    reached("bytes fetched")
    try:
        return await asyncio.to_thread(inspect_video, part, announced=fetched.announced)
    except BrokenVideo as error:
        doubtful = part.with_suffix(DOUBTFUL)
        part.replace(doubtful)
        discard(part)
        raise BrokenVideo(
            f"{error.message} The bytes are kept in {doubtful}: they are paid for, and a person may know better.",
            provider=row.settings.account.provider,
            code=error.code,
        ) from None


async def _fresh_link(row: Row) -> str:
    if row.job_id is None:
        raise Gone("The ledger knows no job of this row.", row=row.key)
    view = await row.channel.client.query(row.job_id)
    if view.state is not JobState.SUCCEEDED or not view.video_url:
        raise Gone(
            f"Job {row.job_id} was made, and the provider no longer offers its video "
            f"(it says {view.provider_status!r}).",
            provider=row.settings.account.provider,
        )
    return view.video_url


async def _keep(row: Row, part: Path, target: Path, facts: VideoFacts) -> None:
    proof = Proof(
        path=str(target.absolute()),
        sha256=facts.sha256,
        bytes=facts.bytes,
        width=facts.width,
        height=facts.height,
        seconds=facts.seconds,
    )
    await row.session.ledger.prove(row.session.run, row.id, proof)
    reached("proof written")
    await asyncio.to_thread(place, part, target)
    reached("file renamed")
    await _stored(row, target)


async def _stored(row: Row, target: Path) -> None:
    await row.session.ledger.store(row.session.run, row.id, modified_ns=target.stat().st_mtime_ns)
    (row.folder / PARTS / target.name).with_suffix(DOUBTFUL).unlink(missing_ok=True)
    reached("file stored")
    row.moved(State.STORED)
