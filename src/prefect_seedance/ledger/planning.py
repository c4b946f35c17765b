"""Writing down what is meant, and taking rows to work on them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from prefect_seedance.errors import UserMistake
from prefect_seedance.ledger import holders, lookups, moves
from prefect_seedance.ledger.records import Plan, RowRecord
from prefect_seedance.ledger.schema import batches, rows
from prefect_seedance.ledger.states import RETRYABLE, State

__all__ = ["claim", "find_batch", "plan"]

SHOWN = 10
"""How many rows one error names."""


def find_batch(connection: sa.Connection, name: str) -> int:
    """The id of a batch, which is made if it is new."""
    found = connection.execute(sa.select(batches.c.id).where(batches.c.name == name)).scalar()
    if found is None:
        made = connection.execute(sa.insert(batches).values(name=name, created_at=holders.now()))
        found = moves.inserted_id(made)
    return int(found)


def plan(connection: sa.Connection, batch_id: int, batch: str, take: str, plans: Sequence[Plan]) -> dict[str, int]:
    """Write down the rows that are new, and hold those that are known against what was meant before.

    Returns:
        The ledger's row id by row key.

    Raises:
        UserMistake: A row of this key was planned with another request. Nothing is written then.
    """
    known = lookups.rows_by_key(connection, batch_id, take, [plan.key for plan in plans])
    changed = [(known[plan.key], plan) for plan in plans if _differs(known.get(plan.key), plan)]
    if changed:
        raise UserMistake(_changes(batch, take, changed))
    new = [plan for plan in plans if plan.key not in known]
    _insert(connection, batch_id, take, new)
    ids = {key: record.id for key, record in known.items()}
    for group in lookups.grouped([plan.key for plan in new]):
        wanted = sa.and_(rows.c.batch_id == batch_id, rows.c.take == take, rows.c.key.in_(group))
        ids |= {row.key: row.id for row in connection.execute(sa.select(rows.c.key, rows.c.id).where(wanted))}
    return ids


def claim(
    connection: sa.Connection, run: holders.Run, ids: Collection[int], retry: frozenset[State] = frozenset()
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
    alive = holders.living(connection, run.batch_id)
    holding = sa.select(rows.c.holder).where(rows.c.batch_id == run.batch_id, rows.c.holder.is_not(None)).distinct()
    for holder in connection.execute(holding).scalars().all():
        if holder not in alive:
            holders.bury(connection, holder)
    taken: set[int] = set()
    again = [state.value for state in retry & RETRYABLE]
    for group in lookups.grouped(ids):
        free = sa.and_(rows.c.id.in_(group), sa.or_(rows.c.holder.is_(None), rows.c.holder == run.id))
        connection.execute(sa.update(rows).where(free).values(holder=run.id))
        mine = sa.and_(rows.c.id.in_(group), rows.c.holder == run.id)
        if again:
            fresh = {"state": State.PLANNED, "error_kind": None, "error_code": None, "error_message": None}
            connection.execute(sa.update(rows).where(mine, rows.c.state.in_(again)).values(fresh))
        taken |= set(connection.execute(sa.select(rows.c.id).where(mine)).scalars())
    return taken


def _differs(known: RowRecord | None, meant: Plan) -> bool:
    return known is not None and known.fingerprint != meant.fingerprint


def _changes(batch: str, take: str, changed: list[tuple[RowRecord, Plan]]) -> str:
    lines = [f"  row {meant.key!r}: {_difference(known, meant)}" for known, meant in changed[:SHOWN]]
    if len(changed) > SHOWN:
        lines.append(f"  … and {len(changed) - SHOWN} more")
    keys = ", ".join(repr(meant.key) for _, meant in changed[:SHOWN])
    return (
        f"{len(changed)} row(s) of batch {batch!r} (take {take!r}) were planned with another request before:\n"
        + "\n".join(lines)
        + f"\nTo make them anew beside the earlier ones, run only them as a new take (only=[{keys}], "
        'take="2"); to keep the earlier ones out of it, use a new batch name. Nothing was spent.'
    )


def _difference(known: RowRecord, meant: Plan) -> str:
    before = {"provider": known.provider, "model": known.model, **known.request}
    after = {"provider": meant.provider, "model": meant.model, **meant.request}
    fields = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    told = [f"{name} was {_shown(before.get(name))}, is {_shown(after.get(name))}" for name in fields]
    return "; ".join(told) or "the way in which requests are told apart has changed"


def _shown(value: Any) -> str:
    text = "not set" if value is None else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _insert(connection: sa.Connection, batch_id: int, take: str, new: Sequence[Plan]) -> None:
    if not new:
        return
    names = _file_names(connection, batch_id, new)
    moment = holders.now()
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
            "file_name": names[plan.key],
            "file_fold": names[plan.key].casefold(),
            "planned_at": moment,
            "changed_at": moment,
        }
        for plan in new
    ]
    connection.execute(sa.insert(rows), values)


def _file_names(connection: sa.Connection, batch_id: int, new: Sequence[Plan]) -> dict[str, str]:
    """A file name for each new row; a name that is taken gets the key's hash behind it."""
    taken: set[str] = set()
    for group in lookups.grouped([plan.file_name.casefold() for plan in new]):
        wanted = sa.and_(rows.c.batch_id == batch_id, rows.c.file_fold.in_(group))
        taken |= set(connection.execute(sa.select(rows.c.file_fold).where(wanted)).scalars())
    names = {}
    for plan in new:
        name = plan.file_name
        if name.casefold() in taken:
            name = f"{name}-{hashlib.sha256(plan.key.encode()).hexdigest()[:10]}"
        taken.add(name.casefold())
        names[plan.key] = name
    return names
