"""Where Prefect keeps its files."""

from __future__ import annotations

from pathlib import Path

from prefect.settings import get_current_settings

__all__ = ["parts_home", "prefect_home"]


def prefect_home() -> Path:
    """The folder `PREFECT_HOME`, in which the default ledger lies."""
    return Path(get_current_settings().home)


def parts_home() -> Path:
    """The folder for downloads that are on their way to a store."""
    return prefect_home() / "seedance"
