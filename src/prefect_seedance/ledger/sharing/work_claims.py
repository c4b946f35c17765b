"""Work claims: several processes claim rows of a batch, a few at a time, until none are left."""

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
    "claim",
    "ended_flow_runs",
    "free_routes",
    "offer",
    "plan_details",
    "release",
    "remainder",
    "row_briefs",
    "update_plans",
]

RouteKey = tuple[str, str, str]
"""Provider, account and model."""

PAID = (State.SENT, State.CREATED, State.SUCCEEDED)
_FAILED = (*RETRYABLE, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Remainder:
    """What is left of a batch, for a process that claims parts of it.

    Attributes:
        free: Rows that can be claimed now.
        held: Rows that other runs hold, and may release.
        failed: Rows offered by the parent run that have failed.
        over: Whether the parent run has ended: no more rows are claimed.
    """

    free: int
    held: int
    failed: int
    over: bool


@dataclass(frozen=True, slots=True)
class RowBrief:
    """The fields of a row that progress reports need."""

    id: int
    key: str
    state: State
    provider: str
    account: str
    model: str
    path: str | None
    error_message: str | None


_BRIEF = sa.select(*(rows.c[name] for name in RowBrief.__slots__))


def _offered(parent: str) -> sa.ColumnElement[bool]:
    """Rows that may be sent: the parent run offered them, and they were not deferred since."""
    return sa.and_(rows.c.state.in_(TAKEABLE), rows.c.wanted_by == parent)


def claim(
    connection: sa.Connection,
    run: leases.Run,
    take: str,
    *,
    parent: str,
    fresh: Mapping[RouteKey, int],
    accounts: Collection[tuple[str, str]],
    paid: int,
    tried: Collection[int] = (),
) -> set[int]:
    """Claim free rows: paid rows first, then new ones, route by route. Rows of dead runs are free.

    Args:
        connection: An open writing transaction.
        run: The run that claims them.
        take: The batch's take.
        parent: The run that started the work: only new rows that it offered are claimed.
        fresh: The number of new rows to claim for each route.
        accounts: Provider and label of the accounts whose jobs can be polled.
        paid: The most paid rows to claim.
        tried: Rows that this run has already processed as far as it could.

    Returns:
        The ids of the rows that are now held by `run`.
    """
    leases.beat_unless_ended(connection, run)
    leases.end_dead_leases(connection, run.batch_id)
    leases.renew_lease(connection, run)
    here = sa.and_(rows.c.batch_id == run.batch_id, rows.c.take == take, rows.c.holder.is_(None))
    select = sa.select(rows.c.id).where(here).order_by(rows.c.id)
    if connection.dialect.name == "postgresql":
        # Skip rows that another run is just claiming instead of waiting for them.
        select = select.with_for_update(skip_locked=True)
    mine = sa.tuple_(rows.c.provider, rows.c.account).in_(sorted(accounts))
    left = select.where(rows.c.state.in_((State.CREATED, State.SUCCEEDED)), mine).limit(paid + len(tried))
    taken = [row_id for row_id in connection.execute(left).scalars() if row_id not in tried][:paid]
    for (provider, account, model), number in sorted(fresh.items()):
        if number > 0:
            of_route = (rows.c.provider == provider, rows.c.account == account, rows.c.model == model)
            found = connection.execute(select.where(_offered(parent), *of_route).limit(number + len(tried))).scalars()
            taken += [row_id for row_id in found if row_id not in tried][:number]
    for group in lookups.grouped(taken):
        connection.execute(sa.update(rows).where(rows.c.id.in_(group)).values(holder=run.id))
    return set(taken)


def release(connection: sa.Connection, run: leases.Run, ids: Collection[int]) -> None:
    """Release rows that this run does not continue, except those with a create under way."""
    for group in lookups.grouped(ids):
        mine = sa.and_(rows.c.id.in_(group), rows.c.holder == run.id, rows.c.state != State.SENT)
        connection.execute(sa.update(rows).where(mine).values(holder=None))


def remainder(connection: sa.Connection, run: leases.Run, take: str, *, patience: float, parent: str) -> Remainder:
    """What is left of the batch; see `Remainder`. A job older than `patience` seconds is not waited for.

    `over` is true once the parent run has ended by itself. If it was killed, the shards go on, since its work is not
    done.
    """
    here = sa.and_(rows.c.batch_id == run.batch_id, rows.c.take == take)
    free_rows = rows.c.holder.is_(None)
    overdue = sa.and_(rows.c.state == State.CREATED, rows.c.changed_at < now() - _seconds(patience))
    open_ = sa.and_(rows.c.state.in_([*TAKEABLE, *PAID]), sa.not_(overdue))
    others = sa.and_(rows.c.holder.is_not(None), rows.c.holder != run.id)
    ended = sa.and_(runs.c.ended_at.is_not(None), runs.c.buried_at.is_(None))
    select = sa.select(
        _number(sa.and_(free_rows, sa.or_(_offered(parent), rows.c.state.in_((State.CREATED, State.SUCCEEDED))))),
        _number(sa.and_(others, open_)),
        _number(sa.and_(rows.c.state.in_(_FAILED), rows.c.wanted_by == parent)),
        sa.select(ended).where(runs.c.id == parent).scalar_subquery(),
    ).where(here)
    free, held, failed, over = connection.execute(select).one()
    return Remainder(free or 0, held or 0, failed or 0, bool(over))


def free_routes(connection: sa.Connection, run: leases.Run, take: str, parent: str) -> dict[RouteKey, int]:
    """The number of rows that the parent run has offered and nobody holds, by route."""
    here = (rows.c.batch_id == run.batch_id, rows.c.take == take, rows.c.holder.is_(None), _offered(parent))
    route = (rows.c.provider, rows.c.account, rows.c.model)
    found = connection.execute(sa.select(*route, sa.func.count()).where(*here).group_by(*route))
    return {(provider, account, model): number for provider, account, model, number in found}


def ended_flow_runs(connection: sa.Connection, run: leases.Run, flow_run_ids: Collection[str]) -> set[str]:
    """Of these flow runs, those that hold no rows any more: their run has ended, or its lease has."""
    leases.end_dead_leases(connection, run.batch_id)
    found = set()
    for group in lookups.grouped(flow_run_ids):
        over = sa.or_(runs.c.ended_at.is_not(None), runs.c.buried_at.is_not(None))
        wanted = sa.select(runs.c.flow_run_id).where(runs.c.batch_id == run.batch_id, runs.c.flow_run_id.in_(group))
        ended = set(connection.execute(wanted.where(over)).scalars())
        found |= ended - set(connection.execute(wanted.where(sa.not_(over))).scalars())
    return found


def row_briefs(connection: sa.Connection, run: leases.Run, take: str) -> list[RowBrief]:
    """A `RowBrief` for each row of a take."""
    here = (rows.c.batch_id == run.batch_id, rows.c.take == take)
    return [RowBrief(*row) for row in connection.execute(_BRIEF.where(*here))]


def offer(connection: sa.Connection, run: leases.Run, ids: Collection[int]) -> None:
    """Allow the shards of this run to claim these rows; rows of another run, once it has released them."""
    for group in lookups.grouped(sorted(ids)):
        connection.execute(sa.update(rows).where(rows.c.id.in_(group)).values(wanted_by=run.id))


def update_plans(connection: sa.Connection, run: leases.Run, plans: Sequence[Mapping[str, Any]]) -> None:
    """Record the present plans of rows that may be sent: the process that claims them has only the ledger.

    Args:
        connection: An open writing transaction.
        run: The run that planned them; rows that another run holds are not changed.
        plans: For each row `row_id`, `provider`, `account`, `model`, `fingerprint`, `request` and `meant` (further
            details, see `plan_details`).
    """
    if not plans:
        return
    free = sa.or_(rows.c.holder.is_(None), rows.c.holder == run.id)
    # An `executemany` statement cannot have an expanding list, so the states are compared one by one.
    takeable = sa.or_(*(rows.c.state == state for state in sorted(TAKEABLE)))
    this = sa.and_(rows.c.id == sa.bindparam("this_row"), takeable, free)
    names = ("provider", "account", "model", "fingerprint", "request", "meant")
    statement = sa.update(rows).where(this).values({name: sa.bindparam(f"now_{name}") for name in names})
    values = [{"this_row": each["row_id"], **{f"now_{name}": each[name] for name in names}} for each in plans]
    connection.execute(statement, values)


def plan_details(connection: sa.Connection, ids: Collection[int]) -> dict[int, Any]:
    """What `update_plans` recorded in addition to the requests of rows, by row id; None is left out."""
    found: dict[int, Any] = {}
    for group in lookups.grouped(ids):
        wanted = sa.and_(rows.c.id.in_(group), rows.c.meant.is_not(None))
        found |= {row.id: row.meant for row in connection.execute(sa.select(rows.c.id, rows.c.meant).where(wanted))}
    return found


def _number(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=min(seconds, 1e9))
