"""Which tables a run of a deployment may read: a form must not give access to all files of a worker."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.runtime import deployment

from prefect_seedance.blocks.references import referenced
from prefect_seedance.errors import InputError
from prefect_seedance.media import STORES, Zone, zone_of
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown
from prefect_seedance.tables.reader import Table, TableLike, read_table
from prefect_seedance.tasks.media_places import media_hosts, media_roots

__all__ = ["ROOT_VARIABLE", "open_table"]

ROOT_VARIABLE = "PREFECT_SEEDANCE_TABLE_ROOT"
"""Environment variable: the folders that tables of deployments may be in, separated as in PATH."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?:::[^:]+)?://")


async def open_table(table: TableLike, columns: Mapping[str, str] | None) -> Table:
    """Read a table; `secret:NAME` is the one whose address is in that Secret block.

    In a run of a deployment, a string may name only certain places. These are the run's working folder; the folders of
    PREFECT_SEEDANCE_TABLE_ROOT and PREFECT_SEEDANCE_MEDIA_ROOT in the worker's environment; the place that the
    deployment itself names; object stores; and web servers at public addresses (others by
    PREFECT_SEEDANCE_MEDIA_HOSTS). A Path, a DataFrame, and what another flow passes come from code and are not checked.

    Raises:
        TableError: There is no such table, or it cannot be used.
        InputError: The place is not allowed. The error does not reveal whether there is a table.
    """
    judge = None
    if isinstance(table, str):
        named, table = table, await referenced(table)
        if deployment.id and _is_top_level_run():
            own = await _deployment_places()
            judge = _PlaceCheck((*own, table) if named in own else own)
    return await asyncio.to_thread(read_table, table, columns=columns, check_location=judge)


def _is_top_level_run() -> bool:
    run = FlowRunContext.get()
    return run is not None and run.flow_run is not None and run.flow_run.parent_task_run_id is None


async def _deployment_places() -> tuple[str, ...]:
    """The tables and folders of the deployment's own parameters: its author chose them, not the user of the form."""
    async with get_client() as client:
        own = (await client.read_deployment(deployment.id)).parameters
    return tuple(str(own[name]) for name in ("table", "folder") if own.get(name))


class _PlaceCheck:
    """Raises an InputError for a place that a form may not name."""

    def __init__(self, own: tuple[str, ...]) -> None:
        self._own = own

    def __call__(self, place: str) -> None:
        if place in self._own:
            return
        url = _URL.match(place)
        scheme = url[1].lower() if url else ""
        if not scheme:
            self._check_file(Path(place).expanduser())
        elif scheme == "file":
            self._check_file(Path(url2pathname(urlsplit(place).path)))
        elif scheme in {"http", "https"} and "::" not in place.partition("//")[0]:
            _check_web(place)
        elif scheme not in STORES or "::" in place.partition("//")[0]:
            raise _not_allowed(place, message("table.scheme_closed", stores=sorted(STORES)))

    def _check_file(self, path: Path) -> None:
        real = path.resolve()
        roots = [Path.cwd(), *(_folders_of(ROOT_VARIABLE)), *media_roots(None)]
        if any(real.is_relative_to(root.resolve()) for root in roots):
            return
        for own in self._own:
            whole = Path(own).expanduser().absolute()
            if real.is_relative_to(whole.resolve()) or fnmatchcase(str(path.absolute()), str(whole)):
                return
        raise _not_allowed(str(path), message("table.outside_folders", folders=roots))


def _folders_of(variable: str) -> list[Path]:
    return [Path(part).expanduser() for part in os.environ.get(variable, "").split(os.pathsep) if part]


def _check_web(url: str) -> None:
    host = (urlsplit(url).hostname or "").lower()
    if host in media_hosts():
        return
    try:
        found = {zone_of(str(each[4][0])) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return  # behind a proxy names may not resolve here; the request itself shows an error
    if found - {Zone.PUBLIC}:
        raise InputError(message("table.private_address", url=shown(url)))


def _not_allowed(place: str, reason: Message) -> InputError:
    return InputError(message("table.closed", table=shown(place), reason=reason, variable=ROOT_VARIABLE))
