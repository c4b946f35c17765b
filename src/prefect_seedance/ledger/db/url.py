"""The URL of the ledger, with and without its secrets."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

__all__ = ["ledger_url", "parsed", "shown_url"]

ENVIRONMENT = "PREFECT_SEEDANCE_LEDGER"
UNREADABLE = "(unreadable ledger URL)"


def ledger_url(url: str | os.PathLike[str] | None, home: Path) -> str:
    """The ledger to use: `url`, else `PREFECT_SEEDANCE_LEDGER`, else a SQLite file under `home`.

    A path, also as text, means a SQLite file; a relative one starts at the working folder.
    """
    chosen = os.fspath(url) if url else os.environ.get(ENVIRONMENT)
    if not chosen:
        return _file_url(home / "seedance-ledger.db")
    if "://" not in chosen:
        return _file_url(Path(chosen).expanduser().absolute())
    if chosen.startswith("sqlite:///"):
        return chosen.replace("sqlite:", "sqlite+aiosqlite:", 1)
    return chosen


def shown_url(url: str) -> str:
    """The URL to show: without its password, and without its query, which may contain one too."""
    found = parsed(url)
    if found is None:
        return UNREADABLE
    if found.get_backend_name() == "sqlite":
        return f"{found.drivername}:///{found.database or ''}"
    return found.set(query={}).render_as_string(hide_password=True)


def parsed(url: str) -> sa.URL | None:
    """The parsed URL; None where it cannot be parsed, or where an unescaped `@` would split the password.

    The database's name is percent-decoded here: SQLAlchemy 2.1 does so by itself, and 2.0 does not.
    """
    try:
        found = sa.make_url(url)
    except (ArgumentError, ValueError):
        return None
    if found.database:
        found = found.set(database=unquote(found.database))
    # With an unescaped @ in the password its rest would become part of the host or the database name.
    rest = (found.host or "") + ("" if found.get_backend_name() == "sqlite" else found.database or "")
    return None if "@" in rest else found


def _file_url(path: Path) -> str:
    # Only what a URL would take for something else: a path stays readable.
    return "sqlite+aiosqlite:///" + str(path).replace("%", quote("%")).replace("?", quote("?"))
