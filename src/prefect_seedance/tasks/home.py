"""The folders in which Prefect and this package keep their files."""

from __future__ import annotations

from pathlib import Path

from prefect.settings import get_current_settings

__all__ = ["parts_home", "prefect_home"]


def prefect_home() -> Path:
    """The folder `PREFECT_HOME`, which has the default ledger."""
    return Path(get_current_settings().home)


def parts_home() -> Path:
    """The folder for unfinished downloads before they are moved to a store."""
    return prefect_home() / "seedance"
