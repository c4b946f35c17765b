"""File names of rows, unique within a batch on every file system."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Sequence

import sqlalchemy as sa

from prefect_seedance.ledger.db.schema import rows
from prefect_seedance.ledger.records import Plan
from prefect_seedance.ledger.rows import lookups

__all__ = ["folded", "free_names"]


def folded(name: str) -> str:
    """The name without differences that some file systems ignore: case, and composition of letters."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def free_names(connection: sa.Connection, batch_id: int, take: str, new: Sequence[Plan]) -> dict[str, str]:
    """A file name for each new row, by key; a name in use gets a hash of take and key as its suffix."""
    names: dict[str, str] = {}
    used: set[str] = set()
    left, tried = list(new), 0
    while left:
        names_now = {plan.key: _name(plan, take, tried) for plan in left}
        folds = {key: folded(name) for key, name in names_now.items()}
        used |= _taken(connection, batch_id, folds.values())
        clashing = []
        for plan in left:
            if folds[plan.key] in used:
                clashing.append(plan)
            else:
                used.add(folds[plan.key])
                names[plan.key] = names_now[plan.key]
        left, tried = clashing, tried + 1
    return names


def _name(plan: Plan, take: str, tried: int) -> str:
    if tried == 0:
        return plan.file_name
    mark = hashlib.sha256(f"{take}\0{plan.key}\0{tried}".encode(errors="surrogatepass")).hexdigest()[:10]
    return f"{plan.file_name}-{mark}"


def _taken(connection: sa.Connection, batch_id: int, folds: Collection[str]) -> set[str]:
    found: set[str] = set()
    for group in lookups.grouped(folds):
        wanted = sa.and_(rows.c.batch_id == batch_id, rows.c.file_fold.in_(group))
        found |= set(connection.execute(sa.select(rows.c.file_fold).where(wanted)).scalars())
    return found
