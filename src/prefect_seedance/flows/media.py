"""Where the media of a table may be read from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prefect_seedance.media import MediaAccess
from prefect_seedance.providers import RouteSettings
from prefect_seedance.tables.reader import Table
from prefect_seedance.tasks.media_places import media_hosts, media_roots

__all__ = ["media_places"]


def media_places(table: Table, routes: Iterable[RouteSettings], root: str | Path | None, hosts: Any) -> MediaAccess:
    """The table's own folder, and what code and environment open beside it.

    Raises:
        InputError: A parameter of a deployment asks for more than its environment opens.
    """
    return MediaAccess(
        folder=table.folder,
        roots=media_roots(root),
        hosts=media_hosts(hosts),
        loopback=any(settings.account.on_loopback for settings in routes),
    )
