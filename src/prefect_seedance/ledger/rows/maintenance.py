"""Maintenance of a ledger: copying it, as a backup or to move it, and pruning old, settled batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.errors import InputError
from prefect_seedance.ledger.db.schema import (
    asset_requests,
    attempts,
    batches,
    materials,
    metadata,
    properties,
    rows,
    runs,
    spending,
    sums,
)
from prefect_seedance.ledger.rows import known_runs, leases
from prefect_seedance.ledger.states import Outcome, Settlement, State
from prefect_seedance.messages import message

__all__ = [
    "check_idle",
    "clear",
    "dump",
    "fill",
    "mark_moved",
    "moved_to",
    "prune",
    "refuse_moved",
    "unfinished_batches",
    "unmark_moved",
]

GROUP = 1000

SETTLED_STATES = (State.STORED, State.REFUSED, State.FAILED, State.EXPIRED)
"""A batch whose rows are all in these states may be pruned; unknown and unfinished rows never are."""

UNFINISHED = (State.SENT, State.CREATED, State.SUCCEEDED)
"""States of rows that are paid for, and have no file yet."""

TRANSIENT = frozenset({"seedance_limits", "seedance_seats", "seedance_writers"})
"""Tables about processes, not about what was paid for: they are not copied."""

MOVED = "moved_to"
"""The property of a ledger that was moved: where its copy is."""

# Built once: the ledger is asked before each create.
_COPY = sa.select(properties.c.value).where(properties.c.name == MOVED)
_IDENTITY = sa.select(properties.c.value).where(properties.c.name == "identity")
_SHARED, _ALONE = _IDENTITY.with_for_update(read=True), _IDENTITY.with_for_update()

Dump = dict[str, list[dict[str, Any]]]


def dump(connection: sa.Connection) -> Dump:
    """Everything in a ledger, including its identity: a moved ledger is still the same one."""
    return {
        table.name: [dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()]
        for table in _lasting_tables()
    }


def fill(connection: sa.Connection, content: Dump) -> None:
    """Write everything into another ledger, which must be empty.

    Raises:
        InputError: That ledger already has batches.
    """
    if connection.execute(sa.select(sa.func.count()).select_from(batches)).scalar_one():
        raise InputError(message("ledger.copy_target_in_use"))
    clear(connection)
    for table in _lasting_tables():
        lines = content[table.name]
        for start in range(0, len(lines), GROUP):
            connection.execute(sa.insert(table), lines[start : start + GROUP])
        if connection.dialect.name == "postgresql" and lines and "id" in table.c and table.c.id.autoincrement:
            _advance_sequence(connection, table)


def clear(connection: sa.Connection) -> None:
    """Delete everything from a ledger whose copying has begun and not succeeded; its next use makes it a new one."""
    for table in reversed(_lasting_tables()):
        connection.execute(sa.delete(table))


def _lasting_tables() -> list[sa.Table]:
    return [table for table in metadata.sorted_tables if table.name not in TRANSIENT]


def check_idle(connection: sa.Connection) -> None:
    """Make sure that no run works with this ledger.

    Raises:
        InputError: One does.
    """
    if live := leases.live_batches(connection):
        raise InputError(message("ledger.runs_are_live", batches=live))


def mark_moved(connection: sa.Connection, content: Dump, target: str) -> None:
    """Mark the ledger as moved to its copy: no run begins with it any more.

    Raises:
        InputError: It has changed since it was copied: the copy is not complete.
    """
    # A run that begins, or sends, holds this line until that is recorded: it is either seen here, or refused there.
    connection.execute(_ALONE)
    if dump(connection) != content:
        raise InputError(message("ledger.changed_while_copied"))
    connection.execute(sa.insert(properties).values(name=MOVED, value=target))


def unmark_moved(connection: sa.Connection) -> None:
    """Use a ledger again whose copy is lost."""
    connection.execute(sa.delete(properties).where(properties.c.name == MOVED))


def refuse_moved(connection: sa.Connection) -> None:
    """Make sure that the ledger was not moved.

    Raises:
        InputError: It was: the copy knows what was paid since.
    """
    connection.execute(_SHARED)
    if (target := moved_to(connection)) is not None:
        raise InputError(message("ledger.moved", copy=target))


def moved_to(connection: sa.Connection) -> str | None:
    """Where the copy of a ledger is that was moved; None for one that was not."""
    return connection.execute(_COPY).scalar()


def _advance_sequence(connection: sa.Connection, table: sa.Table) -> None:
    # The ids were inserted explicitly, so the database's sequence is still at its start.
    if isinstance(table.c.id.type, sa.Integer):
        last = connection.execute(sa.select(sa.func.max(table.c.id))).scalar_one()
        connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence(table.name, "id"), last)))


def prune(connection: sa.Connection, before: datetime) -> list[str]:
    """Delete the rows of batches that have not changed since `before` and have nothing unsettled.

    The batch's name stays, marked as pruned: a run with this name is refused, since it would pay for everything again.
    Its purchases stay in the lines of spending limits that have a line, and are missing in one that is counted later.

    Returns:
        The names of the batches that were pruned.

    Raises:
        InputError: A live run works on one of them. Nothing is deleted.
    """
    latest = sa.func.max(rows.c.changed_at)
    settled = sa.func.min(sa.case((rows.c.state.in_(SETTLED_STATES), 1), else_=0))
    old = (
        sa.select(batches.c.id, batches.c.name)
        .select_from(batches.join(rows, rows.c.batch_id == batches.c.id))
        .group_by(batches.c.id, batches.c.name)
        .having(latest < before, settled == 1)
    )
    pruned = []
    for batch_id, name in connection.execute(old).all():
        if _unsettled(connection, batch_id):
            continue
        if (run := leases.live_run(connection, batch_id)) is not None:
            started, place = f"{run.started_at:%Y-%m-%d %H:%M} UTC", run.host.split()[0]
            raise InputError(
                message("ledger.prune_live_run", batch=name, run=run.id, host=place, pid=run.pid, started=started)
            )
        # Its runs stay, with the number of their attempts: without them this ledger would seem older than its folders.
        known_runs.forget_attempts(connection, batch_id)
        mine = sa.select(rows.c.id).where(rows.c.batch_id == batch_id)
        connection.execute(sa.delete(attempts).where(attempts.c.row_id.in_(mine)))
        dead = sa.select(runs.c.id).where(runs.c.batch_id == batch_id)
        connection.execute(sa.update(materials).where(materials.c.holder.in_(dead)).values(holder=None))
        for table in (rows, asset_requests, sums):
            connection.execute(sa.delete(table).where(table.c.batch_id == batch_id))
        connection.execute(sa.update(batches).where(batches.c.id == batch_id).values(pruned_at=now()))
        pruned.append(name)
    connection.execute(sa.delete(spending).where(spending.c.ends_at < before))
    return pruned


def _unsettled(connection: sa.Connection, batch_id: int) -> bool:
    mine = sa.select(rows.c.id).where(rows.c.batch_id == batch_id)
    unknown = attempts.c.settlement.in_((Settlement.OPEN, Settlement.UNKNOWN))
    wanted = sa.select(attempts.c.id).where(attempts.c.row_id.in_(mine), unknown).limit(1)
    if connection.execute(wanted).scalar() is not None:
        return True
    # Without this line, a request that may have been billed would be sent again.
    unsettled = asset_requests.c.outcome.in_((Outcome.SENT, Outcome.UNKNOWN))
    asked = sa.select(asset_requests.c.id).where(asset_requests.c.batch_id == batch_id, unsettled).limit(1)
    return connection.execute(asked).scalar() is not None


def unfinished_batches(connection: sa.Connection) -> Sequence[tuple[str, str]]:
    """Batch and take of all rows that are paid for and have no file yet; those whose links expire first come first."""
    wanted = (
        sa.select(batches.c.name, rows.c.take)
        .select_from(rows.join(batches, rows.c.batch_id == batches.c.id))
        .where(rows.c.state.in_(UNFINISHED))
        .group_by(batches.c.name, rows.c.take)
        .order_by(sa.func.min(sa.func.coalesce(rows.c.link_expires_at, "9999")), batches.c.name)
    )
    return [(row.name, row.take) for row in connection.execute(wanted)]
