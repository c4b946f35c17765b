"""The download step: fetch all bytes, decode them, record hash and size, rename the file, in that order (law 5)."""

from __future__ import annotations

import asyncio
import itertools
import logging
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from prefect_seedance.core.checkpoints import reached
from prefect_seedance.engine.proof_bounds import proof_bounds
from prefect_seedance.engine.row import Row
from prefect_seedance.engine.steps.absence import absent, pause_before_next
from prefect_seedance.engine.steps.deviations import remarks
from prefect_seedance.engine.stored_files import storage_of
from prefect_seedance.errors import InputError, InvalidVideo, NotFound, SeedanceError, UnverifiedVideo
from prefect_seedance.ledger import Proof, RowRecord, State
from prefect_seedance.ledger.rows import row_writes, transitions
from prefect_seedance.media import Fetched, Previews, Proven, Stamp, Storage, VideoFacts, discard, ensure_folder
from prefect_seedance.media.storage.digests import file_digest
from prefect_seedance.media.videos.kept_part import forget_kept, keep, kept
from prefect_seedance.messages import message
from prefect_seedance.providers import JobState

__all__ = ["PREVIEWS", "download", "download_patiently", "free_name", "poster_name", "strip_name"]

log = logging.getLogger(__name__)

DOUBTFUL = ".doubtful"
"""The suffix of bytes that are not a valid video. Their link expires, so they are kept."""

PREVIEWS = ".previews"
"""The folder of the preview pictures, below the batch's folder."""


def poster_name(file_name: str) -> str:
    """The path of a video's poster below the batch's folder, by the video's file name without suffix."""
    return f"{PREVIEWS}/{file_name}.jpg"


def strip_name(file_name: str) -> str:
    """The path of a video's strip of six frames below the batch's folder, by its file name without suffix."""
    return f"{PREVIEWS}/{file_name}.strip.jpg"


async def download(row: Row) -> None:
    """Fetch, verify and store the row's video: afterwards the row is `stored`.

    Does nothing for a row that has no video to fetch.

    Raises:
        NotFound: The link does not work now, nor does the one of a new query; `absence` says what follows.
        Unreachable: The transfer was cut, or the store is out of reach; another try resumes it.
        InvalidVideo: The bytes are not a whole video; another try starts from the beginning.
        UnverifiedVideo: Their proof crashed, hung, exceeded a limit or ended in an unforeseen error. The row stays
            `succeeded`; the bytes are kept, and a later run verifies them, with or without a link.
        InputError: It cannot be written (disk full, no permission).
        LedgerError: The lease of this run has ended, and another run may have taken the row over.
    """
    if row.state is not State.SUCCEEDED:
        return
    # A second try needs the record that the first one wrote.
    record, row.settled = row.settled or await row.record(), None
    part = row.part
    try:
        if not await _finish_earlier(row, record, part):
            fetched = await asyncio.to_thread(kept, part, row.job_id) or await _fetched(row, part)
            proven = await _proven(row, part, fetched)
            facts = proven.facts
            reached("video proven")
            await _prove_and_store(row, part, record, facts)
            if not (facts.sha256 == record.sha256 and await _has_previews(row, record)):
                await asyncio.to_thread(_preview, row.storage, record.file_name, proven.previews)
    except NotFound as error:
        row.video_url = None  # the next try asks the job for its link first
        raise await absent(row, error) from error
    except (InputError, InvalidVideo, OSError) as error:
        if not await row.session.ledger.write(row_writes.is_held, row.session.run, row.id):
            # This run stood still, and the one that took the row over has moved the unfinished file away.
            raise row_writes.taken_over(row.key) from error
        if isinstance(error, SeedanceError):
            error.row = row.key
        raise
    except SeedanceError as error:
        error.row = row.key
        raise


async def download_patiently(row: Row) -> None:
    """Download, and try a link that does not work again after growing pauses. For one row by itself.

    Raises:
        SeedanceError: As `download` does.
    """
    while True:
        try:
            return await download(row)
        except NotFound as error:
            row.trouble = error
            if (pause := pause_before_next(row)) is None:
                raise
        await asyncio.sleep(pause)


async def _finish_earlier(row: Row, record: RowRecord, part: Path) -> bool:
    """Complete a row of an earlier run that ended after the proof was written: nothing is fetched again."""
    if record.sha256 is None or record.path is None:
        return False
    storage, name = await asyncio.to_thread(storage_of, record, row.storage, row.storage.parts)
    previews = None
    since = None
    if await asyncio.to_thread(storage.holds, name, record.bytes, record.sha256):
        await _prove_moved(row, record, storage.address(name))
        stamp, since = await asyncio.to_thread(storage.stamp, name), record.stored_at
        await asyncio.to_thread(discard, part)
    elif await asyncio.to_thread(_matches, part, record):
        if not await _has_previews(row, record):
            bounds = proof_bounds(row.settings.route, row.request)
            previews = await row.session.proofs.previews(part, bounds=bounds)
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
    """Record the new address of a verified file whose output folder was moved."""
    proven = record.sha256, record.bytes, record.width, record.height, record.seconds
    match proven:
        case (str(sha256), int(size), int(width), int(height), Decimal() as seconds) if address != record.path:
            proof = Proof(address, sha256, size, width, height, seconds, record.remarks)
            await row.session.ledger.write(transitions.prove, row.session.run, row.id, proof)


def _matches(path: Path, record: RowRecord) -> bool:
    try:
        return path.stat().st_size == record.bytes and file_digest(path, "sha256") == record.sha256
    except OSError:
        return False


def free_name(storage: Storage, record: RowRecord, size: int, sha256: str) -> str:
    """The name for a file. An existing other file is never overwritten: a person may have made it."""
    name = f"{record.file_name}.mp4"
    stamp = storage.stamp(name)
    if stamp is None or (stamp.bytes == size and storage.digest(name) == sha256):
        return name
    ours_once = record.path == storage.address(name)
    names = (f"{record.file_name}.{'changed' if ours_once else 'video'}-{n}.mp4" for n in itertools.count(1))
    free = next(name for name in names if storage.stamp(name) is None)
    if not ours_once:
        return free
    storage.move(name, free)
    return name


async def _fetched(row: Row, part: Path) -> Fetched:
    """Fetch the video. Where the link is dead, the job is queried for a new one, once."""
    url = row.video_url or await _fresh_link(row)
    account = row.account_client.client.account
    # A link on the provider's own host may want the key, and no other link gets it.
    fetch = partial(row.session.downloader.fetch, part=part, provider_url=account.base_url, api_key=account.api_key)
    if not part.parent.is_dir():
        await asyncio.to_thread(ensure_folder, part.parent)
    try:
        fetched = await fetch(url)
    except NotFound:
        url = row.video_url = await _fresh_link(row)
        try:
            fetched = await fetch(url)
        except NotFound as error:
            error.about_link = True
            raise
    except InvalidVideo:
        row.video_url = None  # an error page with status 200: the next try asks for a fresh link
        raise
    reached("bytes fetched")
    return fetched


async def _proven(row: Row, part: Path, fetched: Fetched) -> Proven:
    """Verify the video in a child process. What cannot be verified now is kept for a later run."""
    proofs, bounds = row.session.proofs, proof_bounds(row.settings.route, row.request)
    try:
        proven = await proofs.verify(part, announced=fetched.announced, bounds=bounds)
        return replace(proven, facts=replace(proven.facts, oddities=(*fetched.remarks, *proven.facts.oddities)))
    except UnverifiedVideo as error:
        await asyncio.to_thread(keep, part, row.job_id, fetched)
        error.reword(message("job.video_unverified", reason=error.text, path=str(part)))
        raise
    except InvalidVideo as error:
        doubtful = part.with_suffix(DOUBTFUL)
        part.replace(doubtful)
        discard(part)
        forget_kept(part)
        raise InvalidVideo(
            message("job.video_doubtful", reason=error.text, path=str(doubtful)),
            provider=row.settings.account.provider,
            code=error.code,
        ) from None
    finally:
        if proofs.trouble is not None:
            row.session.say(proofs.trouble)


async def _fresh_link(row: Row) -> str:
    if row.job_id is None:
        raise NotFound(message("job.not_recorded"), row=row.key)
    view = await row.account_client.client.query(row.job_id)
    if view.state is not JobState.SUCCEEDED or not view.video_url:
        raise NotFound(message("job.video_not_offered", status=view.provider_status))
    return view.video_url


async def _prove_and_store(row: Row, part: Path, record: RowRecord, facts: VideoFacts) -> None:
    name = await asyncio.to_thread(free_name, row.storage, record, facts.bytes, facts.sha256)
    proof = Proof(
        path=row.storage.address(name),
        sha256=facts.sha256,
        bytes=facts.bytes,
        width=facts.width,
        height=facts.height,
        seconds=facts.seconds,
        remarks=tuple(str(each) for each in (*remarks(row.settings.route, row.request, facts), *facts.oddities)),
    )
    await row.session.ledger.write(transitions.prove, row.session.run, row.id, proof)
    reached("proof written")
    row.video = proof.path
    stamp = await asyncio.to_thread(row.storage.place, part, name)
    reached("file renamed")
    await _stored(row, record, stamp)


async def _stored(row: Row, record: RowRecord, stamp: Stamp, since: datetime | None = None) -> None:
    ledger = row.session.ledger
    await ledger.write(
        transitions.store, row.session.run, row.id, modified_ns=stamp.modified_ns, etag=stamp.etag, since=since
    )
    (row.storage.parts / f"{record.file_name}{DOUBTFUL}").unlink(missing_ok=True)
    forget_kept(row.part)
    reached("file stored")
    row.set_state(State.STORED)


async def _has_previews(row: Row, record: RowRecord) -> bool:
    try:
        names = (poster_name(record.file_name), strip_name(record.file_name))
        return all([await asyncio.to_thread(row.storage.stamp, name) is not None for name in names])
    except SeedanceError:
        return False


def _preview(storage: Storage, file_name: str, previews: Previews | None) -> None:
    """Write the preview pictures of a stored video. An error does not affect the video."""
    try:
        if previews is not None:
            storage.write(poster_name(file_name), previews.poster)
            storage.write(strip_name(file_name), previews.strip)
    except Exception as error:
        log.warning("No preview of %s was kept: %s", file_name, error)
        log.debug("No preview of %s", file_name, exc_info=True)
