"""Records the plans of rows, and claims rows for a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError
from prefect_seedance.ledger.db.schema import batches, rows
from prefect_seedance.ledger.records import Plan, RowRecord
from prefect_seedance.ledger.rows import known_runs, leases, lookups, row_writes
from prefect_seedance.ledger.rows.filenames import folded, free_names
from prefect_seedance.ledger.states import RETRYABLE, TAKEABLE, State
from prefect_seedance.messages import Message, message

__all__ = ["change_folder", "claim", "find_batch", "plan", "plan_again", "release"]

SHOWN = 10
"""Rows that one error names."""

RESET = {
    "state": State.PLANNED,
    **dict.fromkeys(("error_kind", "error_code", "error_message", "finished_at", "link_expires_at")),
    "absent_since": None,
    # Otherwise the proof of an earlier file would make that file the new job's video.
    **dict.fromkeys(("path", "sha256", "bytes", "modified_ns", "etag", "stored_at")),
    **dict.fromkeys(("width", "height", "seconds", "remarks", "passed")),
}
"""The columns that a retry resets. The row's attempts, and what they cost, stay."""


_RETRIED = RETRYABLE - {State.EXPIRED}
"""States that a claim leads back to `planned` where the user asks for it. An expired job is asked about first."""


def find_batch(connection: sa.Connection, name: str) -> int:
    """The id of a batch, which is created if it is new.

    Raises:
        InputError: The batch was pruned.
    """
    known = connection.execute(sa.select(batches.c.id, batches.c.pruned_at).where(batches.c.name == name)).one_or_none()
    if known is not None and known.pruned_at is not None:
        raise InputError(message("batch.pruned", batch=name, date=f"{known.pruned_at:%Y-%m-%d}"))
    if known is not None:
        return int(known.id)
    select = sa.select(batches.c.id).where(batches.c.name == name)
    try:
        with connection.begin_nested():
            return row_writes.inserted_id(connection.execute(sa.insert(batches).values(name=name, created_at=now())))
    except IntegrityError:
        # Another machine has just created it.
        return int(connection.execute(select).scalar_one())


def plan(connection: sa.Connection, run: leases.Run, take: str, plans: Sequence[Plan]) -> dict[str, int]:
    """Record new rows, and compare known rows with their earlier plans.

    Returns:
        The ledger's row id by row key.

    Raises:
        InputError: A row was planned with another request under this key, or a key is used twice. Nothing is written.
    """
    _refuse_duplicates(plans)
    _lock(connection, run.batch_id)
    known = _known(connection, run.batch_id, take, [plan.key for plan in plans])
    changed = [plan for plan in plans if plan.key in known and not plan.knows(known[plan.key].fingerprint)]
    if changed:
        before = lookups.rows_by_id(connection, [known[plan.key].id for plan in changed[:SHOWN]])
        pairs = [(before[known[plan.key].id], plan) for plan in changed[:SHOWN]]
        raise InputError(_changes(run.batch, take, pairs, len(changed)))
    new = [plan for plan in plans if plan.key not in known]
    if new:
        _insert(connection, run.batch_id, take, new)
        made = _known(connection, run.batch_id, take, [plan.key for plan in new])
        known_runs.doubt_new_rows(connection, run.batch_id, [row.id for row in made.values()])
        known |= made
    return {key: row.id for key, row in known.items()}


def change_folder(connection: sa.Connection, run: leases.Run, take: str, folder: str) -> None:
    """Change the folder of all rows that are not finished: their videos go there, also those that a sweep downloads."""
    here = sa.and_(rows.c.batch_id == run.batch_id, rows.c.take == take)
    unfinished = rows.c.state.in_([*TAKEABLE, State.SENT, State.UNKNOWN, State.CREATED, State.SUCCEEDED])
    connection.execute(sa.update(rows).where(here, unfinished, rows.c.folder != folder).values(folder=folder))


def claim(
    connection: sa.Connection, run: leases.Run, ids: Collection[int], retry: frozenset[State] = frozenset()
) -> set[int]:
    """Claim the rows that no live run holds; the leases of dead runs are ended first.

    Args:
        connection: An open writing transaction.
        run: The run that claims them.
        ids: The wanted rows.
        retry: States from which rows are planned again, for a new attempt; other finished rows stay as they are, and
            expired ones until `plan_again`.

    Returns:
        The ids of the rows that are now held by `run`.
    """
    leases.beat_unless_ended(connection, run)
    leases.end_dead_leases(connection, run.batch_id)
    leases.renew_lease(connection, run)
    taken: set[int] = set()
    wanted = sa.select(rows.c.id, rows.c.batch_id, rows.c.holder, rows.c.state)
    if connection.dialect.name == "postgresql":
        # Skip rows that another run is just claiming instead of waiting for them. In SQLite writers queue anyway.
        free = sa.or_(rows.c.holder.is_(None), rows.c.holder == run.id)
        wanted = wanted.where(free).with_for_update(skip_locked=True)
    for group in lookups.grouped(sorted(ids)):
        # By id only: with batch or holder in the condition, SQLite would scan all their rows for each group.
        found = connection.execute(wanted.where(rows.c.id.in_(group))).all()
        mine = [row for row in found if row.batch_id == run.batch_id and row.holder in {None, run.id}]
        _set(connection, [row.id for row in mine if row.holder is None], holder=run.id)
        _set(connection, [row.id for row in mine if row.state in retry & _RETRIED], **RESET, changed_at=now())
        taken.update(row.id for row in mine)
    return taken


def plan_again(connection: sa.Connection, run: leases.Run, ids: Collection[int]) -> None:
    """Plan expired rows again, for a new attempt: their jobs were asked about, and are gone."""
    for group in lookups.grouped(ids):
        here = sa.and_(rows.c.id.in_(group), rows.c.holder == run.id, rows.c.state == State.EXPIRED)
        connection.execute(sa.update(rows).where(here).values(**RESET, changed_at=now()))


def release(connection: sa.Connection, run: leases.Run, ids: Collection[int]) -> None:
    """Release rows that the run holds and has not sent, so that other processes can claim them."""
    for group in lookups.grouped(ids):
        mine = sa.and_(rows.c.id.in_(group), rows.c.holder == run.id, rows.c.state != State.SENT)
        connection.execute(sa.update(rows).where(mine).values(holder=None))


def _set(connection: sa.Connection, ids: Sequence[int], **values: Any) -> None:
    if ids:
        connection.execute(sa.update(rows).where(rows.c.id.in_(ids)).values(**values))


def _lock(connection: sa.Connection, batch_id: int) -> None:
    # Serialises the plans of one batch where several machines write at once. SQLite ignores this lock and does not
    # need it: its writers queue anyway.
    connection.execute(sa.select(batches.c.id).where(batches.c.id == batch_id).with_for_update(key_share=True))


def _refuse_duplicates(plans: Sequence[Plan]) -> None:
    duplicates = [key for key, count in Counter(plan.key for plan in plans).items() if count > 1]
    if duplicates:
        raise InputError(
            message("batch.duplicate_keys", keys=len(duplicates), shown=[repr(key) for key in duplicates[:SHOWN]])
        )


def _known(connection: sa.Connection, batch_id: int, take: str, keys: Sequence[str]) -> dict[str, sa.Row[Any]]:
    found: dict[str, sa.Row[Any]] = {}
    select = sa.select(rows.c.key, rows.c.id, rows.c.fingerprint)
    for group in lookups.grouped(keys):
        wanted = sa.and_(rows.c.batch_id == batch_id, rows.c.take == take, rows.c.key.in_(group))
        found |= {row.key: row for row in connection.execute(select.where(wanted))}
    return found


def _changes(batch: str, take: str, changed: list[tuple[RowRecord, Plan]], count: int) -> Message:
    lines = [_difference(known, plan) for known, plan in changed]
    if count > len(changed):
        lines.append(message("rows.and_more", more=count - len(changed)))
    return message("batch.changed_rows", rows=count, batch=batch, take=take, changes=lines)


def _difference(known: RowRecord, plan: Plan) -> Message:
    before = {"provider": known.provider, "model": known.model, **known.request}
    after = {"provider": plan.provider, "model": plan.model, **plan.request}
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not fields:
        return message("batch.fingerprint_changed", row=plan.key)
    changes = [
        message("batch.field_changed", field=name, before=_shown(before.get(name)), after=_shown(after.get(name)))
        for name in fields
    ]
    return message("batch.row_changed", row=plan.key, changes=changes)


def _shown(value: Any) -> Message | str:
    if value is None:
        return message("batch.field_not_set")
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _insert(connection: sa.Connection, batch_id: int, take: str, new: Sequence[Plan]) -> None:
    names = free_names(connection, batch_id, take, new)
    moment = now()
    values: list[Mapping[str, Any]] = [
        {
            "batch_id": batch_id,
            "take": take,
            "key": plan.key,
            "fingerprint": plan.fingerprint,
            "request": dict(plan.request),
            "provider": plan.provider,
            "account": plan.account,
            "model": plan.model,
            "state": State.PLANNED,
            "folder": plan.folder,
            "file_name": names[plan.key],
            "file_fold": folded(names[plan.key]),
            "planned_at": moment,
            "changed_at": moment,
        }
        for plan in new
    ]
    connection.execute(sa.insert(rows), values)
