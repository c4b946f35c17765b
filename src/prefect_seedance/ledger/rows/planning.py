"""Writing down what is meant, and taking rows to work on them."""

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
from prefect_seedance.ledger.rows import leases, lookups, transitions
from prefect_seedance.ledger.rows.filenames import folded, free_names
from prefect_seedance.ledger.states import RETRYABLE, TAKEABLE, State
from prefect_seedance.messages import Message, message

__all__ = ["claim", "find_batch", "follow", "plan"]

SHOWN = 10
"""How many rows one error names."""

ANEW = {
    "state": State.PLANNED,
    **dict.fromkeys(("error_kind", "error_code", "error_message", "finished_at", "link_expires_at")),
    # Else the proof of an earlier file would pass that file off as the new job's video.
    **dict.fromkeys(("path", "sha256", "bytes", "modified_ns", "etag", "stored_at")),
    **dict.fromkeys(("width", "height", "seconds", "remarks", "passed")),
}
"""What is left on a row that is to be made anew. Its attempts, and what they cost, stay."""


def find_batch(connection: sa.Connection, name: str) -> int:
    """The id of a batch, which is made if it is new."""
    known = connection.execute(sa.select(batches.c.id, batches.c.pruned_at).where(batches.c.name == name)).one_or_none()
    if known is not None and known.pruned_at is not None:
        raise InputError(message("batch.pruned", batch=name, date=f"{known.pruned_at:%Y-%m-%d}"))
    if known is not None:
        return int(known.id)
    select = sa.select(batches.c.id).where(batches.c.name == name)
    try:
        with connection.begin_nested():
            return transitions.inserted_id(connection.execute(sa.insert(batches).values(name=name, created_at=now())))
    except IntegrityError:
        # Another machine has just made it.
        return int(connection.execute(select).scalar_one())


def plan(connection: sa.Connection, batch_id: int, batch: str, take: str, plans: Sequence[Plan]) -> dict[str, int]:
    """Write down the rows that are new, and hold those that are known against what was meant before.

    Returns:
        The ledger's row id by row key.

    Raises:
        InputError: A row of this key was planned with another request. Nothing is written then.
    """
    _refuse_twins(plans)
    _lock(connection, batch_id)
    known = _known(connection, batch_id, take, [plan.key for plan in plans])
    changed = [plan for plan in plans if plan.key in known and not plan.knows(known[plan.key].fingerprint)]
    if changed:
        before = lookups.rows_by_id(connection, [known[plan.key].id for plan in changed[:SHOWN]])
        pairs = [(before[known[plan.key].id], plan) for plan in changed[:SHOWN]]
        raise InputError(_changes(batch, take, pairs, len(changed)))
    new = [plan for plan in plans if plan.key not in known]
    if new:
        _insert(connection, batch_id, take, new)
        known |= _known(connection, batch_id, take, [plan.key for plan in new])
    return {key: row.id for key, row in known.items()}


def follow(connection: sa.Connection, run: leases.Run, take: str, folder: str) -> None:
    """The batch's folder is another one now: there go the videos that are still to come, a sweep's too."""
    here = sa.and_(rows.c.batch_id == run.batch_id, rows.c.take == take)
    ahead = rows.c.state.in_([*TAKEABLE, State.SENT, State.UNKNOWN, State.CREATED, State.SUCCEEDED])
    connection.execute(sa.update(rows).where(here, ahead, rows.c.folder != folder).values(folder=folder))


def claim(
    connection: sa.Connection, run: leases.Run, ids: Collection[int], retry: frozenset[State] = frozenset()
) -> set[int]:
    """Take the rows that nobody alive holds; the holder's death is settled on the way.

    Args:
        connection: An open writing transaction.
        run: The run that takes them.
        ids: The rows wanted.
        retry: States that are left alone otherwise, from which a row is to be planned anew (a new attempt).

    Returns:
        The ids of the rows that are now held by `run`.
    """
    leases.speak(connection, run)
    leases.end_dead_leases(connection, run.batch_id)
    leases.renew_lease(connection, run)
    taken: set[int] = set()
    wanted = sa.select(rows.c.id, rows.c.batch_id, rows.c.holder, rows.c.state)
    if connection.dialect.name == "postgresql":
        # Nobody waits for a row that somebody else is just taking: it is that one's. In SQLite writers queue anyway.
        free = sa.or_(rows.c.holder.is_(None), rows.c.holder == run.id)
        wanted = wanted.where(free).with_for_update(skip_locked=True)
    for group in lookups.grouped(sorted(ids)):
        # By id alone: offered batch or holder too, SQLite would walk through all their rows, for each group anew.
        found = connection.execute(wanted.where(rows.c.id.in_(group))).all()
        mine = [row for row in found if row.batch_id == run.batch_id and row.holder in {None, run.id}]
        _set(connection, [row.id for row in mine if row.holder is None], holder=run.id)
        _set(connection, [row.id for row in mine if row.state in retry & RETRYABLE], **ANEW, changed_at=now())
        taken.update(row.id for row in mine)
    return taken


def _set(connection: sa.Connection, ids: Sequence[int], **values: Any) -> None:
    if ids:
        connection.execute(sa.update(rows).where(rows.c.id.in_(ids)).values(**values))


def _lock(connection: sa.Connection, batch_id: int) -> None:
    # Where several machines write at once, plans of one batch go one after the other. SQLite needs no such lock, and
    # knows none: its writers queue anyway.
    connection.execute(sa.select(batches.c.id).where(batches.c.id == batch_id).with_for_update(key_share=True))


def _refuse_twins(plans: Sequence[Plan]) -> None:
    twins = [key for key, count in Counter(plan.key for plan in plans).items() if count > 1]
    if twins:
        raise InputError(message("batch.duplicate_keys", keys=len(twins), shown=[repr(key) for key in twins[:SHOWN]]))


def _known(connection: sa.Connection, batch_id: int, take: str, keys: Sequence[str]) -> dict[str, sa.Row[Any]]:
    found: dict[str, sa.Row[Any]] = {}
    select = sa.select(rows.c.key, rows.c.id, rows.c.fingerprint)
    for group in lookups.grouped(keys):
        wanted = sa.and_(rows.c.batch_id == batch_id, rows.c.take == take, rows.c.key.in_(group))
        found |= {row.key: row for row in connection.execute(select.where(wanted))}
    return found


def _changes(batch: str, take: str, changed: list[tuple[RowRecord, Plan]], count: int) -> Message:
    lines = [_difference(known, meant) for known, meant in changed]
    if count > len(changed):
        lines.append(message("rows.and_more", more=count - len(changed)))
    return message("batch.changed_rows", rows=count, batch=batch, take=take, changes=lines)


def _difference(known: RowRecord, meant: Plan) -> Message:
    before = {"provider": known.provider, "model": known.model, **known.request}
    after = {"provider": meant.provider, "model": meant.model, **meant.request}
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not fields:
        return message("batch.fingerprint_changed", row=meant.key)
    changes = [
        message("batch.field_changed", field=name, before=_shown(before.get(name)), after=_shown(after.get(name)))
        for name in fields
    ]
    return message("batch.row_changed", row=meant.key, changes=changes)


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
