"""Texts about the ledger."""

from __future__ import annotations

LEDGER: dict[str, str] = {
    "ledger.later_version": (
        "The ledger was written by a later version of prefect-seedance: its schema is {schema}, and this version knows "
        "{known}. Upgrade this installation. Nothing was spent."
    ),
    "ledger.no_backup": (
        "The ledger has to be migrated, and the backup {copy} cannot be written: {reason}. Make room for it, or allow "
        "writing to that folder. Nothing was changed, and nothing was spent."
    ),
}
