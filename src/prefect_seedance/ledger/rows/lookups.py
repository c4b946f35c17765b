"""Queries for rows and attempts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from prefect_seedance.core.gc_pause import gc_paused
from prefect_seedance.ledger.db.schema import attempts, batches, raw, rows, runs
from prefect_seedance.ledger.records import AttemptRecord, Mark, RowRecord
from prefect_seedance.ledger.states import State

__all__ = [
    "BatchBeginning",
    "StoredVideo",
    "attempts_of",
    "attempts_of_rows",
    "batch_id",
    "batch_names",
    "batches_begun",
    "earlier_attempts_of",
    "grouped",
    "longest_job",
    "marks_of",
    "row_by_key",
    "rows_by_id",
    "rows_of",
    "states_of",
    "stored_videos",
    "unknown_rows",
]

GROUP = 500
"""Values per statement: databases limit the number of parameters."""

LATEST = 200
"""Jobs of a model by which its longest time is measured."""

FETCHED = 2000
"""Rows per fetch when all rows of a batch are read: fetching one by one costs the driver's overhead for each."""

# In the order of the records' fields: records are built by position, which matters for a hundred thousand.
_ROW_FIELDS = [
    batches.c.name.label("batch") if name == "batch" else rows.c[name]
    for name in RowRecord.__slots__
    if name != "attempt"
]
_ATTEMPT_FIELDS = [attempts.c[name].label(f"attempt_{name}") for name in AttemptRecord.__slots__]
_WIDTH = len(_ROW_FIELDS)
_BEFORE = RowRecord.__slots__.index("attempt")
_SELECT = sa.select(*_ROW_FIELDS, *_ATTEMPT_FIELDS).select_from(
    rows.join(batches, rows.c.batch_id == batches.c.id).outerjoin(attempts, rows.c.attempt_id == attempts.c.id)
)
_ATTEMPTS = (
    sa.select(*_ATTEMPT_FIELDS)
    .select_from(attempts.join(rows, attempts.c.row_id == rows.c.id).join(batches, rows.c.batch_id == batches.c.id))
    .order_by(attempts.c.id)
)
_MARKS = sa.select(*(raw(rows.c[name]) for name in Mark._fields)).join(batches, rows.c.batch_id == batches.c.id)
_STATES = {state.value: state for state in State}


def grouped(values: Collection[Any]) -> Iterator[list[Any]]:
    """The values in groups that fit into one statement."""
    listed = list(values)
    for start in range(0, len(listed), GROUP):
        yield listed[start : start + GROUP]


def rows_by_id(connection: sa.Connection, ids: Collection[int]) -> dict[int, RowRecord]:
    """The rows with these ids."""
    found = {}
    for group in grouped(ids):
        for row in connection.execute(_SELECT.where(rows.c.id.in_(group))):
            found[row[0]] = _record(row)
    return found


def row_by_key(connection: sa.Connection, batch: str, take: str, key: str) -> RowRecord | None:
    """The row with this key in one take of a batch; None if there is none."""
    wanted = sa.and_(batches.c.name == batch, rows.c.take == take, rows.c.key == key)
    row = connection.execute(_SELECT.where(wanted)).one_or_none()
    return None if row is None else _record(row)


def rows_of(connection: sa.Connection, batch: str, take: str | None = None) -> list[RowRecord]:
    """All rows of a batch, in the order in which they were planned."""
    wanted = batches.c.name == batch
    if take is not None:
        wanted = sa.and_(wanted, rows.c.take == take)
    groups = connection.execute(_SELECT.where(wanted).order_by(rows.c.id)).partitions(FETCHED)
    return [_record(row) for group in groups for row in group]


def unknown_rows(
    connection: sa.Connection,
    batch: str,
    *,
    take: str | None = None,
    reason: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[RowRecord]:
    """The unknown rows of a batch, in the order in which they were planned.

    Args:
        connection: An open connection.
        batch: The batch.
        take: Only this take.
        reason: Only rows with this code or kind of error.
        since: Only creates that were sent at this time or later.
        until: Only creates that were sent before this time.
    """
    wanted = [batches.c.name == batch, rows.c.state == State.UNKNOWN]
    if take is not None:
        wanted.append(rows.c.take == take)
    if reason is not None:
        wanted.append(sa.or_(rows.c.error_code == reason, rows.c.error_kind == reason))
    if since is not None:
        wanted.append(attempts.c.sent_at >= since)
    if until is not None:
        wanted.append(attempts.c.sent_at < until)
    return [_record(row) for row in connection.execute(_SELECT.where(*wanted).order_by(rows.c.id))]


@gc_paused()
def marks_of(connection: sa.Connection, batch: str, take: str, keys: Collection[str]) -> dict[str, Mark]:
    """What decides whether the rows with these keys need work, by key; rows that were not planned are missing."""
    wanted = _MARKS.where(batches.c.name == batch, rows.c.take == take)
    # A few keys are looked up; for many, one scan of the take is cheaper than hundreds of lookups.
    if len(keys) <= GROUP:
        wanted = wanted.where(rows.c.key.in_(keys))
    found: dict[str, Mark] = {}
    folders: dict[str | None, str | None] = {}
    for group in connection.execute(wanted).partitions(FETCHED):
        for row_id, key, fingerprint, state, folder, *rest in group:
            shared = folders.setdefault(folder, folder)
            found[key] = Mark._make((row_id, key, fingerprint, _STATES[state], shared, *rest))
    return found


def attempts_of(connection: sa.Connection, batch: str) -> list[AttemptRecord]:
    """All attempts of a batch, oldest first."""
    return [AttemptRecord(*row) for row in connection.execute(_ATTEMPTS.where(batches.c.name == batch))]


def attempts_of_rows(connection: sa.Connection, ids: Collection[int]) -> list[AttemptRecord]:
    """All attempts of the rows with these ids, oldest first."""
    found = []
    for group in grouped(ids):
        found += [AttemptRecord(*row) for row in connection.execute(_ATTEMPTS.where(attempts.c.row_id.in_(group)))]
    return sorted(found, key=lambda attempt: attempt.id)


def earlier_attempts_of(connection: sa.Connection, batch: str) -> list[AttemptRecord]:
    """The attempts of a batch that are not the latest of their rows, oldest first."""
    wanted = _ATTEMPTS.where(batches.c.name == batch, rows.c.attempt_id.is_distinct_from(attempts.c.id))
    return [AttemptRecord(*row) for row in connection.execute(wanted)]


def states_of(connection: sa.Connection, batch: str, take: str) -> dict[str, State]:
    """The state of each row of one take of a batch, by key."""
    select = sa.select(rows.c.key, rows.c.state).join(batches, rows.c.batch_id == batches.c.id)
    found = connection.execute(select.where(batches.c.name == batch, rows.c.take == take))
    return {row.key: row.state for row in found}


def longest_job(connection: sa.Connection, provider: str, model: str) -> timedelta | None:
    """The longest time that one of the latest jobs of a model took, as far as it was watched; None without any."""
    ended = sa.and_(rows.c.provider == provider, rows.c.model == model, rows.c.finished_at.is_not(None))
    select = sa.select(attempts.c.answered_at, rows.c.finished_at).join(rows, attempts.c.id == rows.c.attempt_id)
    found = connection.execute(select.where(ended).order_by(attempts.c.id.desc()).limit(LATEST)).all()
    return max((each.finished_at - each.answered_at for each in found if each.answered_at is not None), default=None)


class StoredVideo(NamedTuple):
    """A stored row, by what its video was asked for."""

    id: int
    fingerprint: str
    batch: str
    take: str
    sha256: str


def stored_videos(connection: sa.Connection, fingerprints: Collection[str]) -> list[StoredVideo]:
    """The stored rows of all batches whose requests have these fingerprints, oldest first."""
    columns = (rows.c.id, rows.c.fingerprint, batches.c.name, rows.c.take, rows.c.sha256)
    select = sa.select(*columns).join(batches, rows.c.batch_id == batches.c.id).where(rows.c.state == State.STORED)
    found: list[StoredVideo] = []
    for group in grouped(fingerprints):
        found += map(StoredVideo._make, connection.execute(select.where(rows.c.fingerprint.in_(group))))
    return sorted(found)


def batch_id(connection: sa.Connection, name: str) -> int | None:
    """The id of a batch; None if there is none of this name."""
    return connection.execute(sa.select(batches.c.id).where(batches.c.name == name)).scalar()


def batch_names(connection: sa.Connection) -> list[str]:
    """The names of all batches, oldest first."""
    return list(connection.execute(sa.select(batches.c.name).order_by(batches.c.id)).scalars())


class BatchBeginning(NamedTuple):
    """When a batch was begun, and the flow runs that worked on it, the first one first."""

    name: str
    began_at: datetime
    flow_run_ids: tuple[str, ...]


def batches_begun(connection: sa.Connection, names: Collection[str]) -> list[BatchBeginning]:
    """The batches among these names that there are, oldest first."""
    found: list[BatchBeginning] = []
    for group in grouped(names):
        select = sa.select(batches.c.id, batches.c.name, batches.c.created_at).where(batches.c.name.in_(group))
        for batch, name, began_at in connection.execute(select).all():
            by = sa.select(runs.c.flow_run_id).where(runs.c.batch_id == batch).order_by(runs.c.started_at, runs.c.id)
            ids = [flow_run for flow_run in connection.execute(by).scalars() if flow_run is not None]
            found.append(BatchBeginning(name, began_at, tuple(dict.fromkeys(ids))))
    return sorted(found, key=lambda each: each.began_at)


def _record(found: Sequence[Any]) -> RowRecord:
    attempt = AttemptRecord(*found[_WIDTH:]) if found[_WIDTH] is not None else None
    values: Sequence[Any] = (*found[:_BEFORE], attempt, *found[_BEFORE:_WIDTH])
    return RowRecord(*values)
