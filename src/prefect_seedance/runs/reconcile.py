"""The beginning of a run: new rows are written to the ledger, and finished rows are separated from the others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from prefect_seedance.core.events import RowEvent
from prefect_seedance.engine.session import Session
from prefect_seedance.engine.stored_files import missing_files
from prefect_seedance.ledger import Mark, Plan, State
from prefect_seedance.ledger.rows import planning
from prefect_seedance.media import Storage
from prefect_seedance.planning.file_names import default_name
from prefect_seedance.planning.planned_row import PlannedRow
from prefect_seedance.tables.row_keys import redacted

__all__ = ["by_known_keys", "plan_rows", "unsettled"]

GROUP = 2000
"""Rows that one transaction writes: enough to cost little each, and few enough to use little memory and hold the lock
briefly."""

OVER = frozenset({State.STORED, State.REFUSED, State.FAILED, State.EXPIRED, State.UNKNOWN})
"""A run moves no row out of these, unless its file is gone or the user asks for a retry."""


_HASHED = re.compile(r"r-[0-9a-f]{12}(?:-\d+)?")


def by_known_keys(rows: Iterable[PlannedRow], known: Collection[str]) -> dict[str, str]:
    """The key by which the ledger knows each row that it has under a former key, by the row's present key.

    Rows that an earlier version told apart by the form of their text are equal now, and numbered; others were equal,
    and are told apart now. Each takes one key that the ledger has, so that none is paid for again.

    Args:
        rows: The rows of the run, in the table's order.
        known: The keys in the ledger, present and former ones.
    """
    rows = list(rows)
    taken = {row.key for row in rows if row.key in known}
    former: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for key in row.former_keys:
            for base in {_base(row.key), _base(key)}:
                former[base].append(key)
    found: dict[str, str] = {}
    for row in rows:
        if row.key in known:
            continue
        alike = [key for base in map(_base, (row.key, *row.former_keys)) for key in former[base]]
        for key in (*row.former_keys, *(alike if row.former_keys else ())):
            if key in known and key not in taken:
                found[row.key] = key
                taken.add(key)
                break
    return found


def _base(key: str) -> str:
    """The part of a hashed key that equal rows share; a user's id shares nothing."""
    return key[:14] if _HASHED.fullmatch(key) else key


async def plan_rows(
    session: Session,
    rows: Mapping[str, PlannedRow],
    marks: Mapping[str, Mark],
    *,
    folder: str,
    names: Mapping[str, str] | None,
) -> dict[str, int]:
    """Write the new rows to the ledger, and compare the known ones with their earlier request.

    Args:
        session: The run.
        rows: The rows of the run, by key.
        marks: What the ledger knows of them.
        folder: The folder or URL of the batch's files.
        names: The name of each row's file; None names them by their keys.

    Returns:
        The ledger's row id by row key.

    Raises:
        InputError: A row of this key was planned with another request. Nothing is written then.
    """

    def plans(wanted: Iterable[PlannedRow]) -> list[Plan]:
        return [_plan(row, session.spec.take, folder, names) for row in wanted]

    changed = [row for key, row in rows.items() if key in marks and not row.knows(marks[key].fingerprint)]
    if changed:
        # The ledger raises an error that says what has changed; nothing new was written before.
        await session.ledger.write(planning.plan, session.run, session.spec.take, plans(changed))
    ids = {key: marks[key].id for key in rows if key in marks}
    if ids:
        await session.ledger.write(planning.change_folder, session.run, session.spec.take, folder)
    new = [row for key, row in rows.items() if key not in marks]
    for start in range(0, len(new), GROUP):
        ids |= await session.ledger.write(
            planning.plan, session.run, session.spec.take, plans(new[start : start + GROUP])
        )
    return ids


async def unsettled(
    session: Session,
    rows: Mapping[str, PlannedRow],
    marks: Mapping[str, Mark],
    ids: Mapping[str, int],
    *,
    storage: Storage,
    retry: frozenset[State],
) -> dict[str, int]:
    """The rows for which there may be something to do, by key; for the others a row event is published.

    When a large batch is run again, most rows are finished: they are not claimed, only their files are checked.
    """
    over = [mark for key in rows if (mark := marks.get(key)) and mark.state in OVER and mark.state not in retry]
    lost = await missing_files([mark for mark in over if mark.state is State.STORED], storage)
    settled = set()
    for mark in over:
        if mark.id not in lost:
            settled.add(mark.id)
            model = rows[mark.key].settings.route.model
            session.notify(RowEvent(mark.key, mark.state.value, model, message=mark.error_message))
    return {key: row_id for key, row_id in ids.items() if row_id not in settled}


def _plan(row: PlannedRow, take: str, folder: str, names: Mapping[str, str] | None) -> Plan:
    name = default_name(row.key, take) if names is None else names[row.key]
    return Plan(
        key=row.key,
        fingerprint=row.fingerprint,
        request=redacted(row.request),
        provider=row.settings.account.provider,
        account=row.settings.account.label,
        model=row.settings.route.model,
        file_name=name,
        folder=folder,
        accepts=row.accepts,
    )
