"""Where the ledger lies: its URL, and that URL without its secrets."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

__all__ = ["ledger_url", "parsed", "shown_url"]

ENVIRONMENT = "PREFECT_SEEDANCE_LEDGER"
UNREADABLE = "(unreadable ledger URL)"


def ledger_url(url: str | None, home: Path) -> str:
    """The ledger to use: the one given, else `PREFECT_SEEDANCE_LEDGER`, else a SQLite file under `home`.

    A plain path is taken as a SQLite file.
    """
    chosen = url or os.environ.get(ENVIRONMENT)
    if not chosen:
        return _file_url(home / "seedance-ledger.db")
    if "://" not in chosen:
        return _file_url(Path(chosen).expanduser().absolute())
    if chosen.startswith("sqlite:///"):
        return chosen.replace("sqlite:", "sqlite+aiosqlite:", 1)
    return chosen


def shown_url(url: str) -> str:
    """The URL fit to be shown: without its password, and without its query, which may hold one too."""
    found = parsed(url)
    if found is None:
        return UNREADABLE
    if found.get_backend_name() == "sqlite":
        return f"{found.drivername}:///{found.database or ''}"
    return found.set(query={}).render_as_string(hide_password=True)


def parsed(url: str) -> sa.URL | None:
    """The URL in its parts; None where it cannot be read, or only in a way that cuts a password in two.

    The database's name is percent-decoded here. SQLAlchemy 2.1, which was allowed once, does so by itself; 2.0 does
    not, and would look for a ledger that was made with 2.1 in another file.
    """
    try:
        found = sa.make_url(url)
    except (ArgumentError, ValueError):
        return None
    if found.database:
        found = found.set(database=unquote(found.database))
    # An unescaped @ in the password would make its rest a part of the host's name, or of the database's.
    rest = (found.host or "") + ("" if found.get_backend_name() == "sqlite" else found.database or "")
    return None if "@" in rest else found


def _file_url(path: Path) -> str:
    # Only what a URL would take for something else: a path stays readable.
    return "sqlite+aiosqlite:///" + str(path).replace("%", quote("%")).replace("?", quote("?"))
