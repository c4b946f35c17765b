"""The commands that maintain the ledger."""

from __future__ import annotations

from cyclopts import App

from prefect_seedance.cli.options import Ledger

__all__ = ["ledger_app"]

ledger_app = App(name="ledger", help="Maintain the ledger: copy it, prune old batches, or go on with an older one.")


@ledger_app.command
def copy(target: str, *, backup: bool = False, ledger: Ledger = None) -> None:
    """Move the ledger to a new file or database: the copy is the same ledger, and this one begins no more runs.

    Of two copies in use, each would pay for what only the other one has. Reading this one stays possible.

    Args:
        target: A file, or an SQLAlchemy URL.
        backup: The copy is only kept, and this ledger stays in use.
    """
    from prefect_seedance.cli.ledger import copy_ledger  # noqa: PLC0415

    copy_ledger(target, ledger, backup=backup)


@ledger_app.command(name="drop-asset")
def drop_asset(asset: str, *, ledger: Ledger = None) -> None:
    """Forget an asset at a provider: the next row that needs its medium submits it again.

    That is paid again where the provider bills assets. A run does so by itself for an asset that its provider has lost.

    Args:
        asset: The provider's id, such as asset-20260101-abcde, with or without asset://.
    """
    from prefect_seedance.cli.ledger import drop_asset_of  # noqa: PLC0415

    drop_asset_of(asset, ledger)


@ledger_app.command
def prune(*, older_than: str, ledger: Ledger = None) -> None:
    """Delete the rows of batches that are settled and have not changed for long.

    The names of these batches are kept and refused from then on, since a run under them would pay for everything again.

    Args:
        older_than: Days or weeks, such as 90d or 12w.
    """
    from prefect_seedance.cli.ledger import prune_ledger  # noqa: PLC0415

    prune_ledger(older_than, ledger)


@ledger_app.command
def adopt(output: str, *, lost: bool = False, ledger: Ledger = None) -> None:
    """Go on with an older copy of a ledger whose newer state is lost, without paying blindly for what it does not know.

    Lists the runs that the output folder counts and this ledger does not know, and the rows that they may have paid
    for. With --lost these rows become unknown: look each one up at the provider, and resolve it.

    Args:
        output: The output folder, or its URL.
        lost: The newer ledger is lost for good: do it. Otherwise nothing is changed.
    """
    from prefect_seedance.cli.ledger import adopt_ledger  # noqa: PLC0415

    adopt_ledger(output, ledger, lost=lost)
