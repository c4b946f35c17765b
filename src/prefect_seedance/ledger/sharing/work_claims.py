"""Portions: rows of a batch that several processes take as they come to them, until nothing is left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from prefect_seedance.core.clock import now
from prefect_seedance.ledger.db.schema import rows, runs
from prefect_seedance.ledger.rows import leases, lookups
from prefect_seedance.ledger.states import RETRYABLE, TAKEABLE, State

__all__ = [
    "Remainder",
    "RouteKey",
    "RowBrief",
    "address",
    "glimpses",
    "gone",
    "let_go",
    "meant",
    "remainder",
    "take",
    "want",
]

RouteKey = tuple[str, str, str]
"""Provider, account and model."""

PAID = (State.SENT, State.CREATED, State.SUCCEEDED)
_FAILED = (*RETRYABLE, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of a batch, for a process that takes portions of it.

    Attributes:
        free: Rows that anybody may take now.
        held: Rows that others work on, and may leave behind.
        failed: Those of its rows that have failed.
        over: Whether the run that has begun it is over: nobody takes rows any more.
    """

    free: int
    held: int
    failed: int
    over: bool


@dataclass(frozen=True, slots=True)
class RowBrief:
    """How a row stands, in the few words that a watcher needs."""

    id: int
    key: str
    state: State
    provider: str
    account: str
    model: str
    path: str | None
    error_message: str | None


_GLIMPSE = sa.select(*(rows.c[name] for name in RowBrief.__slots__))


def _fresh(parent: str) -> sa.ColumnElement[bool]:
    """Rows that may be sent: the run wants them, and they were not put off since."""
    return sa.and_(rows.c.state.in_(TAKEABLE), rows.c.wanted_by == parent)


def take(
    connection: sa.Connection,
    run: leases.Run,
    take_: str,
    *,
    parent: str,
    fresh: Mapping[RouteKey, int],
    accounts: Collection[tuple[str, str]],
    paid: int,
    tried: Collection[int] = (),
) -> set[int]:
    """Take free rows: what is paid for first, then new ones, route by route. Who died before leaves his rows here.

    Args:
        connection: An open writing transaction.
        run: The run that takes them.
        take_: The batch's take.
        parent: The run that has begun the work: of new rows only those are taken that it wants.
        fresh: How many new rows of each route are wanted.
        accounts: Provider and label of the accounts whose jobs can be asked about.
        paid: How many rows are wanted at most that are paid for.
        tried: Rows that this run has brought as far as it could.

    Returns:
        The ids of the rows that are now held by `run`.
    """
    leases.speak(connection, run)
    leases.end_dead_leases(connection, run.batch_id)
    leases.renew_lease(connection, run)
    here = sa.and_(rows.c.batch_id == run.batch_id, rows.c.take == take_, rows.c.holder.is_(None))
    select = sa.select(rows.c.id).where(here).order_by(rows.c.id)
    if connection.dialect.name == "postgresql":
        # Nobody waits for a row that somebody else is just taking: it is that one's.
        select = select.with_for_update(skip_locked=True)
    mine = sa.tuple_(rows.c.provider, rows.c.account).in_(sorted(accounts))
    left = select.where(rows.c.state.in_((State.CREATED, State.SUCCEEDED)), mine).limit(paid + len(tried))
    taken = [row_id for row_id in connection.execute(left).scalars() if row_id not in tried][:paid]
    for (provider, account, model), number in sorted(fresh.items()):
        if number > 0:
            of_route = (rows.c.provider == provider, rows.c.account == account, rows.c.model == model)
            found = connection.execute(select.where(_fresh(parent), *of_route).limit(number + len(tried))).scalars()
            taken += [row_id for row_id in found if row_id not in tried][:number]
    for group in lookups.grouped(taken):
        connection.execute(sa.update(rows).where(rows.c.id.in_(group)).values(holder=run.id))
    return set(taken)


def let_go(connection: sa.Connection, run: leases.Run, ids: Collection[int]) -> None:
    """Hold rows no longer that this run brings no further. What is on the wire is never let go of."""
    for group in lookups.grouped(ids):
        mine = sa.and_(rows.c.id.in_(group), rows.c.holder == run.id, rows.c.state != State.SENT)
        connection.execute(sa.update(rows).where(mine).values(holder=None))


def remainder(connection: sa.Connection, run: leases.Run, take_: str, *, patience: float, parent: str) -> Remainder:
    """How the batch stands; see `Remainder`. A job that has outlasted `patience` (seconds) is nobody's to wait for.

    The run that has begun the work is over once it has ended. If it was killed, the shards go on: what it was asked for
    is not done yet.
    """
    here = sa.and_(rows.c.batch_id == run.batch_id, rows.c.take == take_)
    alone = rows.c.holder.is_(None)
    hangs = sa.and_(rows.c.state == State.CREATED, rows.c.changed_at < now() - _seconds(patience))
    open_ = sa.and_(rows.c.state.in_([*TAKEABLE, *PAID]), sa.not_(hangs))
    others = sa.and_(rows.c.holder.is_not(None), rows.c.holder != run.id)
    ended = sa.and_(runs.c.ended_at.is_not(None), runs.c.buried_at.is_(None))
    select = sa.select(
        _number(sa.and_(alone, sa.or_(_fresh(parent), rows.c.state.in_((State.CREATED, State.SUCCEEDED))))),
        _number(sa.and_(others, open_)),
        _number(sa.and_(rows.c.state.in_(_FAILED), rows.c.wanted_by == parent)),
        sa.select(ended).where(runs.c.id == parent).scalar_subquery(),
    ).where(here)
    free, held, failed, over = connection.execute(select).one()
    return Remainder(free or 0, held or 0, failed or 0, bool(over))


def gone(connection: sa.Connection, run: leases.Run, flow_run_ids: Collection[str]) -> set[str]:
    """Of these flow runs, those that hold nothing any more: their run has ended, or its process is gone."""
    leases.end_dead_leases(connection, run.batch_id)
    found = set()
    for group in lookups.grouped(flow_run_ids):
        over = sa.or_(runs.c.ended_at.is_not(None), runs.c.buried_at.is_not(None))
        wanted = sa.select(runs.c.flow_run_id).where(runs.c.batch_id == run.batch_id, runs.c.flow_run_id.in_(group))
        ended = set(connection.execute(wanted.where(over)).scalars())
        found |= ended - set(connection.execute(wanted.where(sa.not_(over))).scalars())
    return found


def glimpses(connection: sa.Connection, run: leases.Run, take_: str) -> list[RowBrief]:
    """How all rows of a take stand."""
    here = (rows.c.batch_id == run.batch_id, rows.c.take == take_)
    return [RowBrief(*row) for row in connection.execute(_GLIMPSE.where(*here))]


def want(connection: sa.Connection, run: leases.Run, ids: Collection[int]) -> None:
    """Write down that shards of this run may carry these rows; what another run holds, once it lets go of it."""
    for group in lookups.grouped(sorted(ids)):
        connection.execute(sa.update(rows).where(rows.c.id.in_(group)).values(wanted_by=run.id))


def address(connection: sa.Connection, run: leases.Run, meant: Sequence[Mapping[str, Any]]) -> None:
    """Write down how rows that may be sent are meant today: whoever takes them knows nothing but the ledger.

    Args:
        connection: An open writing transaction.
        run: The run that says so; what another one holds stays as it is.
        meant: By `row_id`: `provider`, `account`, `model`, `fingerprint`, `request` and `meant`.
    """
    if not meant:
        return
    free = sa.or_(rows.c.holder.is_(None), rows.c.holder == run.id)
    # Many lines by one statement: in such a one no list may stand.
    takeable = sa.or_(*(rows.c.state == state for state in sorted(TAKEABLE)))
    this = sa.and_(rows.c.id == sa.bindparam("this_row"), takeable, free)
    names = ("provider", "account", "model", "fingerprint", "request", "meant")
    statement = sa.update(rows).where(this).values({name: sa.bindparam(f"now_{name}") for name in names})
    values = [{"this_row": each["row_id"], **{f"now_{name}": each[name] for name in names}} for each in meant]
    connection.execute(statement, values)


def meant(connection: sa.Connection, ids: Collection[int]) -> dict[int, Any]:
    """What `address` wrote down beside the requests of rows, where it did."""
    found: dict[int, Any] = {}
    for group in lookups.grouped(ids):
        wanted = sa.and_(rows.c.id.in_(group), rows.c.meant.is_not(None))
        found |= {row.id: row.meant for row in connection.execute(sa.select(rows.c.id, rows.c.meant).where(wanted))}
    return found


def _number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, 1e9))
