"""The commands that maintain the ledger: copy, prune and adopt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from prefect_seedance.cli.console import out
from prefect_seedance.cli.status import home
from prefect_seedance.core.clock import now
from prefect_seedance.core.portal import call_core
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger, RunFile, ledger_url, shown_url
from prefect_seedance.ledger.rows import known_runs, maintenance, materials
from prefect_seedance.media import open_storage
from prefect_seedance.messages import message
from prefect_seedance.runs.ledger_check import check_identity, missing_runs

__all__ = ["adopt_ledger", "copy_ledger", "drop_asset_of", "prune_ledger"]

SHOWN = 200
"""Rows that are listed."""

_AGE = re.compile(r"(\d+)\s*(d|day|days|w|weeks?)", re.IGNORECASE)


def copy_ledger(target: str, url: str | None, *, backup: bool) -> None:
    """Copy the ledger, identity included, to a new file or database.

    Args:
        target: A file, or an SQLAlchemy URL.
        url: The ledger; None: the default one.
        backup: Whether this ledger stays in use. Otherwise it is marked as moved.
    """
    target_url = ledger_url(target, home())

    async def copy() -> None:
        ledger = await Ledger.open(ledger_url(url, home()))
        other = await Ledger.open(target_url)
        try:
            await ledger.copy_to(other, backup=backup)
        finally:
            await other.close()
            await ledger.close()

    call_core(copy)
    if backup:
        text = message("cli.ledger_backed_up", place=shown_url(target_url))
    else:
        text = message("cli.ledger_copied", place=shown_url(target_url))
    out.print(str(text), markup=False)


def drop_asset_of(asset: str, url: str | None) -> None:
    """Forget an asset at a provider, so that it is made again when it is needed.

    Args:
        asset: The provider's id of it.
        url: The ledger; None: the default one.

    Raises:
        InputError: The ledger does not know it.
    """

    async def drop() -> list[str]:
        ledger = await Ledger.open(ledger_url(url, home()))
        try:
            return await ledger.write(materials.drop, asset.strip().removeprefix("asset://"))
        finally:
            await ledger.close()

    out.print(str(message("cli.asset_dropped", asset=asset, media=call_core(drop))), markup=False)


def prune_ledger(older_than: str, url: str | None) -> None:
    """Delete the rows of settled batches that have not changed for a time.

    Args:
        older_than: Days or weeks, such as `90d` or `12w`.
        url: The ledger; None: the default one.

    Raises:
        InputError: `older_than` cannot be read.
    """
    found = _AGE.fullmatch(older_than.strip())
    if found is None:
        raise InputError(message("cli.bad_age", age=older_than))
    # No ledger is older than a century, and a larger age would overflow the calendar.
    age = timedelta(days=min(36_500, int(found[1][:9]) * (7 if found[2].lower().startswith("w") else 1)))

    async def prune() -> list[str]:
        ledger = await Ledger.open(ledger_url(url, home()))
        try:
            return await ledger.write(maintenance.prune, now() - age)
        finally:
            await ledger.close()

    pruned = call_core(prune)
    if not pruned:
        out.print(str(message("cli.nothing_pruned")))
        return
    out.print(str(message("cli.pruned", batches=pruned)), markup=False)


def adopt_ledger(output: str, url: str | None, *, lost: bool) -> None:
    """Go on with an older ledger in place of a newer one that is lost; or only list what that would mean.

    Args:
        output: The output folder, or its URL.
        url: The older ledger; None: the default one.
        lost: Whether the user states that the newer ledger is lost for good.
    """

    async def adopt() -> None:
        ledger = await Ledger.open(ledger_url(url, home()))
        try:
            root = open_storage(output)
            await check_identity(ledger, root)
            missing = await missing_runs(ledger, root)
            moved = await ledger.read(maintenance.moved_to)
            if not missing and moved is None:
                text = message("cli.nothing_to_adopt", ledger=ledger.shown_url, folder=root.shown)
                out.print(str(text), markup=False)
                return
            batches = sorted({file.batch for file in missing})
            rows = await ledger.read(known_runs.rows_in_doubt, batches)
            _list(missing, moved, [f"{row.batch}: {row.key}" for row in rows])
            if lost:
                changed = await ledger.adopt(missing)
                named = message("cli.adopted", rows=changed, batches=batches)
                text = named if missing else message("cli.in_use_again")
            else:
                text = message("cli.not_adopted")
            out.print(str(text), markup=False)
        finally:
            await ledger.close()

    call_core(adopt)


def _list(missing: Mapping[RunFile, int], moved: str | None, rows: Sequence[str]) -> None:
    if moved is not None:
        out.print(str(message("cli.adopt_moved", copy=moved)), markup=False)
    for file, known in missing.items():
        line = message("ledger.missing_run", run=file.run, batch=file.batch, attempts=file.attempts, known=known)
        out.print(str(line), markup=False)
    if rows:
        out.print(str(message("cli.rows_in_doubt", rows=len(rows))), markup=False)
    for row in rows[:SHOWN]:
        out.print(f"  {row}", markup=False)
    if len(rows) > SHOWN:
        out.print(str(message("cli.more_rows", rows=len(rows) - SHOWN)), markup=False)
