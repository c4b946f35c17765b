"""The commands that maintain the ledger: copy and prune."""

from __future__ import annotations

import re
from datetime import timedelta

from prefect_seedance.cli.console import out
from prefect_seedance.cli.status import home
from prefect_seedance.core.clock import now
from prefect_seedance.core.portal import call_core
from prefect_seedance.errors import InputError
from prefect_seedance.ledger import Ledger, ledger_url, shown_url
from prefect_seedance.ledger.rows import maintenance, materials
from prefect_seedance.messages import message

__all__ = ["copy_ledger", "drop_asset_of", "prune_ledger"]

_AGE = re.compile(r"(\d+)\s*(d|day|days|w|weeks?)", re.IGNORECASE)


def copy_ledger(target: str, url: str | None) -> None:
    """Copy the ledger, identity included, to a new file or database.

    Args:
        target: A file, or an SQLAlchemy URL.
        url: The ledger; None: the default one.
    """
    target_url = ledger_url(target, home())

    async def copy() -> None:
        ledger = await Ledger.open(ledger_url(url, home()))
        other = await Ledger.open(target_url)
        try:
            await ledger.copy_to(other)
        finally:
            await other.close()
            await ledger.close()

    call_core(copy)
    out.print(str(message("cli.ledger_copied", place=shown_url(target_url))), markup=False)


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
