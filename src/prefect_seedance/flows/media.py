"""Where the media of a table may be read from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prefect_seedance.media import MediaAccess
from prefect_seedance.providers import RouteSettings
from prefect_seedance.tables.reader import Table
from prefect_seedance.tasks.media_places import media_hosts, media_roots

__all__ = ["media_access_of"]


def media_access_of(table: Table, routes: Iterable[RouteSettings], root: str | Path | None, hosts: Any) -> MediaAccess:
    """The table's own folder, and the folders and hosts that code and environment allow.

    Raises:
        InputError: A parameter of a deployment names more than its environment allows.
    """
    return MediaAccess(
        folder=table.folder,
        roots=media_roots(root),
        hosts=media_hosts(hosts),
        loopback=any(settings.account.on_loopback for settings in routes),
    )
