"""The download step: bytes whole, opened, hash and size in the ledger, put into place, in that order (law 5)."""

from __future__ import annotations

import asyncio
import itertools
import logging
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from prefect_seedance.core.checkpoints import reached
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.deviations import remarks
from prefect_seedance.engine.stored_files import home_of
from prefect_seedance.errors import InvalidVideo, NotFound, SeedanceError
from prefect_seedance.ledger import Proof, RowRecord, State
from prefect_seedance.media import (
    Previews,
    Stamp,
    Stills,
    Storage,
    VideoFacts,
    discard,
    inspect_video,
    previews_of,
)
from prefect_seedance.media.storage.digests import file_digest
from prefect_seedance.messages import message
from prefect_seedance.providers import JobState

__all__ = ["PREVIEWS", "download", "poster_name", "strip_name"]

log = logging.getLogger(__name__)

DOUBTFUL = ".doubtful"
"""The ending of bytes that did not prove to be a video. The link they came from dies, so they are not thrown away."""

PREVIEWS = ".previews"
"""The folder of the pictures that stand for the videos, below the batch's folder."""


def poster_name(file_name: str) -> str:
    """Where the poster of the video of this name (without suffix) stands below the batch's folder."""
    return f"{PREVIEWS}/{file_name}.jpg"


def strip_name(file_name: str) -> str:
    """Where the strip of six frames of the video of this name (without suffix) stands below the batch's folder."""
    return f"{PREVIEWS}/{file_name}.strip.jpg"


async def download(row: Row) -> None:
    """Fetch the row's video and put it into its place: afterwards the row is `stored`.

    Does nothing for a row that has no video to be fetched.

    Raises:
        NotFound: The link is dead, and asking again brought no other: made, paid, expired.
        Unreachable: The transfer was cut, or the store is out of reach; another try resumes it.
        InvalidVideo: What came is no whole video; another try starts anew.
        InputError: It cannot be written (disk full, no permission).
    """
    if row.state is not State.SUCCEEDED:
        return
    # A second try must know what the first one wrote.
    record, row.settled = row.settled or await row.record(), None
    part = row.storage.parts / f"{record.file_name}.part"
    try:
        if not await _finish_earlier(row, record, part):
            stills = Stills()
            facts = await _fetched(row, part, stills)
            reached("video proven")
            await _keep(row, part, record, facts)
            pictures = None if facts.sha256 == record.sha256 and await _has_previews(row, record) else stills
            async with row.session.proofs:
                await asyncio.to_thread(_preview, row.storage, record.file_name, pictures)
    except NotFound as error:
        gone = NotFound(
            message("job.video_expired", reason=error.text, job=row.job_id),
            provider=row.settings.account.provider,
            code=error.code,
            row=row.key,
            http_status=error.http_status,
        )
        await row.session.ledger.expire(row.session.run, row.id, gone)
        row.moved(State.EXPIRED, gone.message)
        raise gone from error
    except SeedanceError as error:
        error.row = row.key
        raise


async def _finish_earlier(row: Row, record: RowRecord, part: Path) -> bool:
    """An earlier run may have died after the proof was written: then nothing is to be fetched again."""
    if record.sha256 is None or record.path is None:
        return False
    storage, name = await asyncio.to_thread(home_of, record, row.storage, row.storage.parts)
    previews = None
    since = None
    if await asyncio.to_thread(storage.holds, name, record.bytes, record.sha256):
        await _prove_moved(row, record, storage.address(name))
        stamp, since = await asyncio.to_thread(storage.stamp, name), record.stored_at
        await asyncio.to_thread(discard, part)
    elif await asyncio.to_thread(_is, part, record):
        if not await _has_previews(row, record):
            previews = await asyncio.to_thread(previews_of, part)
        await _prove_moved(row, record, storage.address(name))
        stamp = await asyncio.to_thread(storage.place, part, name)
    else:
        return False
    if stamp is None:
        return False
    row.video = storage.address(name)
    await _stored(row, record, stamp, since)
    await asyncio.to_thread(_preview, row.storage, record.file_name, previews)
    return True


async def _prove_moved(row: Row, record: RowRecord, address: str) -> None:
    """The output folder was moved since the file was proven: it is the same file, at another address."""
    proven = record.sha256, record.bytes, record.width, record.height, record.seconds
    match proven:
        case (str(sha256), int(size), int(width), int(height), Decimal() as seconds) if address != record.path:
            proof = Proof(address, sha256, size, width, height, seconds, record.remarks)
            await row.session.ledger.prove(row.session.run, row.id, proof)


def _is(path: Path, record: RowRecord) -> bool:
    try:
        return path.stat().st_size == record.bytes and file_digest(path, "sha256") == record.sha256
    except OSError:
        return False


def _free(storage: Storage, record: RowRecord, facts: VideoFacts) -> str:
    """The name for a file. Where another one stands, nothing of it is lost: it may be somebody's work."""
    name = f"{record.file_name}.mp4"
    stamp = storage.stamp(name)
    if stamp is None or (stamp.bytes == facts.bytes and storage.digest(name) == facts.sha256):
        return name
    ours_once = record.path == storage.address(name)
    names = (f"{record.file_name}.{'changed' if ours_once else 'video'}-{n}.mp4" for n in itertools.count(1))
    free = next(name for name in names if storage.stamp(name) is None)
    if not ours_once:
        return free
    storage.move(name, free)
    return name


async def _fetched(row: Row, part: Path, stills: Stills) -> VideoFacts:
    """The link's bytes, proven. A dead link is asked for again, once."""
    url = row.video_url or await _fresh_link(row)
    provider = row.settings.account.base_url
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        fetched = await row.session.downloader.fetch(url, part, provider_url=provider)
    except NotFound:
        url = row.video_url = await _fresh_link(row)
        fetched = await row.session.downloader.fetch(url, part, provider_url=provider)
    reached("bytes fetched")
    try:
        async with row.session.proofs:
            return await asyncio.to_thread(inspect_video, part, announced=fetched.announced, stills=stills)
    except InvalidVideo as error:
        doubtful = part.with_suffix(DOUBTFUL)
        part.replace(doubtful)
        discard(part)
        raise InvalidVideo(
            message("job.video_doubtful", reason=error.text, path=str(doubtful)),
            provider=row.settings.account.provider,
            code=error.code,
        ) from None


async def _fresh_link(row: Row) -> str:
    if row.job_id is None:
        raise NotFound(message("job.not_recorded"), row=row.key)
    view = await row.account_client.client.query(row.job_id)
    if view.state is not JobState.SUCCEEDED or not view.video_url:
        raise NotFound(message("job.video_not_offered", status=view.provider_status))
    return view.video_url


async def _keep(row: Row, part: Path, record: RowRecord, facts: VideoFacts) -> None:
    name = await asyncio.to_thread(_free, row.storage, record, facts)
    proof = Proof(
        path=row.storage.address(name),
        sha256=facts.sha256,
        bytes=facts.bytes,
        width=facts.width,
        height=facts.height,
        seconds=facts.seconds,
        remarks=tuple(str(each) for each in remarks(row.settings.route, row.request, facts)),
    )
    await row.session.ledger.prove(row.session.run, row.id, proof)
    reached("proof written")
    row.video = proof.path
    stamp = await asyncio.to_thread(row.storage.place, part, name)
    reached("file renamed")
    await _stored(row, record, stamp)


async def _stored(row: Row, record: RowRecord, stamp: Stamp, since: datetime | None = None) -> None:
    ledger = row.session.ledger
    await ledger.store(row.session.run, row.id, modified_ns=stamp.modified_ns, etag=stamp.etag, since=since)
    (row.storage.parts / f"{record.file_name}{DOUBTFUL}").unlink(missing_ok=True)
    reached("file stored")
    row.moved(State.STORED)


async def _has_previews(row: Row, record: RowRecord) -> bool:
    try:
        names = (poster_name(record.file_name), strip_name(record.file_name))
        return all([await asyncio.to_thread(row.storage.stamp, name) is not None for name in names])
    except SeedanceError:
        return False


def _preview(storage: Storage, file_name: str, pictures: Stills | Previews | None) -> None:
    """Keep the pictures of a stored video. The video stands whatever becomes of them."""
    try:
        previews = pictures.finish() if isinstance(pictures, Stills) else pictures
        if previews is not None:
            storage.write(poster_name(file_name), previews.poster)
            storage.write(strip_name(file_name), previews.strip)
    except Exception as error:
        log.warning("No preview of %s was kept: %s", file_name, error)
        log.debug("No preview of %s", file_name, exc_info=True)
