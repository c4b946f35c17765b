"""Stored videos of other batches for new rows of the same request: always offered, used only where the user says so."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from prefect_seedance.engine.row_loader import RowLoader
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.steps.reuse import reuse
from prefect_seedance.engine.stored_files import missing_files
from prefect_seedance.ledger import TAKEABLE, Ledger, Mark
from prefect_seedance.ledger.db.url import parsed
from prefect_seedance.ledger.rows import lookups, planning
from prefect_seedance.ledger.rows.lookups import StoredVideo
from prefect_seedance.media import Storage
from prefect_seedance.messages import Message, message
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.routes import VideoRequest
from prefect_seedance.routes.request import Media

__all__ = ["reusable_before", "reuse_stored"]

FIRST_TAKE = "1"
"""Another take asks for other videos on purpose."""

AT_ONCE = 4
"""Files that are copied at once."""

SHOWN = 3
"""Batches that the offer names."""

_MEDIA = tuple(Media.model_fields)

Videos = dict[str, list[list[StoredVideo]]]
"""By fingerprint: the different videos, each with the stored rows that have it."""


async def reuse_stored(
    session: Session,
    planned: Mapping[str, PlannedRow],
    marks: Mapping[str, Mark],
    ids: Mapping[str, int],
    *,
    storage: Storage,
) -> set[str]:
    """Store copies of stored videos for new rows where the run's spec says so; else say how many there are.

    Each video is used for one row of a batch only: two rows of the same request are two videos.

    Args:
        session: The run.
        planned: Its rows, by key.
        marks: What the ledger knew of them before the run, by key.
        ids: The ledger's ids of the rows for which there may be something to do, by key.
        storage: The folder of the batch's files.

    Returns:
        The keys of the rows that are stored now.

    Raises:
        SeedanceError: A copy cannot be written or a store not be reached. Nothing was spent.
    """
    spec, ledger = session.spec, session.ledger
    if spec.take != FIRST_TAKE:
        return set()
    rows = _identified(planned[key] for key in ids if key not in marks or marks[key].state in TAKEABLE)
    known = await ledger.read(lookups.stored_videos, {row.fingerprint for row in rows})
    used = {(each.fingerprint, each.sha256) for each in known if (each.batch, each.take) == (spec.batch, spec.take)}
    others = [each for each in known if (each.fingerprint, each.sha256) not in used]
    if not spec.reuse:
        if (offer := _offer(rows, others)) is not None:
            session.say(offer)
        return set()
    records = await ledger.read(lookups.rows_by_id, [each.id for each in others])
    gone = await missing_files(records.values(), storage, session.context.parts)
    pairs = _pairs(rows, [each for each in others if each.id in records and each.id not in gone])
    taken = await ledger.write(planning.claim, session.run, [ids[key] for key in pairs])
    found = await RowLoader(session, plan=planned, storage=storage).rows(taken)
    waiting = [row for row in found if row.state in TAKEABLE]
    done: set[str] = set()
    for start in range(0, len(waiting), AT_ONCE):
        group = waiting[start : start + AT_ONCE]
        copies = [[records[each.id] for each in pairs[row.key]] for row in group]
        ends = await asyncio.gather(*map(reuse, group, copies), return_exceptions=True)
        for row, end in zip(group, ends, strict=True):
            if isinstance(end, BaseException):
                raise end
            if end:
                done.add(row.key)
    await ledger.write(planning.release, session.run, taken)
    if done:
        session.say(message("reuse.done", rows=len(done)))
    return done


async def reusable_before(ledger_url: str, rows: Iterable[PlannedRow]) -> Message | None:
    """How many rows have a stored video of the same request; for a quote: a ledger that does not exist is not made.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    url = parsed(ledger_url)
    if url is not None and url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return None
    rows = _identified(rows)
    ledger = await Ledger.open(ledger_url)
    try:
        return _offer(rows, await ledger.read(lookups.stored_videos, {row.fingerprint for row in rows}))
    finally:
        await ledger.close()


def _offer(rows: Collection[PlannedRow], videos: Collection[StoredVideo]) -> Message | None:
    pairs = _pairs(rows, videos)
    if not pairs:
        return None
    names = list(dict.fromkeys(copies[0].batch for copies in pairs.values()))
    batches = [*map(repr, names[:SHOWN]), *(["…"] if len(names) > SHOWN else [])]
    return message("reuse.offer", rows=len(pairs), batches=batches)


def _pairs(rows: Iterable[PlannedRow], videos: Iterable[StoredVideo]) -> dict[str, list[StoredVideo]]:
    """The rows for which there is a video, by key, each with the stored rows that have it."""
    copies: defaultdict[tuple[str, str], list[StoredVideo]] = defaultdict(list)
    for each in videos:
        copies[each.fingerprint, each.sha256].append(each)
    different: Videos = {}
    for (fingerprint, _), alike in copies.items():
        different.setdefault(fingerprint, []).append(alike)
    free = {fingerprint: iter(found) for fingerprint, found in different.items()}
    pairs = {row.key: next(free[row.fingerprint], None) for row in rows if row.fingerprint in free}
    return {key: found for key, found in pairs.items() if found is not None}


def _identified(rows: Iterable[PlannedRow]) -> list[PlannedRow]:
    """The rows whose fingerprints identify their media: a path does not, since it may be another file by now."""
    return [row for row in rows if not any(map(_is_path, _media(row.request)))]


def _media(request: VideoRequest) -> Iterable[str]:
    for field in _MEDIA:
        value = getattr(request, field)
        yield from [value] if isinstance(value, str) else value or ()


def _is_path(address: str) -> bool:
    scheme = address[:8].lower()
    return scheme.startswith("file:") or not ("://" in address or scheme.startswith("data:"))
