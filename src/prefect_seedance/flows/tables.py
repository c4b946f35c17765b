"""Which tables a run of a deployment may read: whoever fills in a form must not reach a worker's files with it."""

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

from prefect_seedance.errors import InputError
from prefect_seedance.media import STORES, Zone, zone_of
from prefect_seedance.messages import Message, message
from prefect_seedance.tables.errors import shown
from prefect_seedance.tables.reader import Table, TableLike, read_table
from prefect_seedance.tasks.media_places import media_hosts, media_roots

__all__ = ["ROOT_VARIABLE", "open_table"]

ROOT_VARIABLE = "PREFECT_SEEDANCE_TABLE_ROOT"
"""Folders in which the tables of deployments may lie, divided as in PATH."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(?:::[^:]+)?://")


async def open_table(table: TableLike, columns: Mapping[str, str] | None) -> Table:
    """Read a table. In a run of a deployment, a string leads only to where a form may lead.

    That is below the run's working folder; below PREFECT_SEEDANCE_TABLE_ROOT or PREFECT_SEEDANCE_MEDIA_ROOT in the
    worker's environment; to the place that the deployment itself names; to object stores; and to web servers at public
    addresses (others by PREFECT_SEEDANCE_MEDIA_HOSTS). A Path, a DataFrame, and what another flow hands over come from
    code, and are not judged.

    Raises:
        TableError: There is no such table, or it cannot be used.
        InputError: It lies elsewhere. Nothing is told of it, not even whether it is there.
    """
    judge = None
    if isinstance(table, str) and deployment.id and _called_by_nobody():
        judge = _Judge(await _own_places())
    return await asyncio.to_thread(read_table, table, columns=columns, check_location=judge)


def _called_by_nobody() -> bool:
    run = FlowRunContext.get()
    return run is not None and run.flow_run is not None and run.flow_run.parent_task_run_id is None


async def _own_places() -> tuple[str, ...]:
    """The tables and folders that the deployment names by itself: its author chose them, not who fills in the form."""
    async with get_client() as client:
        own = (await client.read_deployment(deployment.id)).parameters
    return tuple(str(own[name]) for name in ("table", "folder") if own.get(name))


class _Judge:
    def __init__(self, own: tuple[str, ...]) -> None:
        self._own = own

    def __call__(self, place: str) -> None:
        if place in self._own:
            return
        url = _URL.match(place)
        scheme = url[1].lower() if url else ""
        if not scheme:
            self._file(Path(place).expanduser())
        elif scheme == "file":
            self._file(Path(url2pathname(urlsplit(place).path)))
        elif scheme in {"http", "https"} and "::" not in place.partition("//")[0]:
            _web(place)
        elif scheme not in STORES or "::" in place.partition("//")[0]:
            raise _closed(place, message("table.scheme_closed", stores=sorted(STORES)))

    def _file(self, path: Path) -> None:
        real = path.resolve()
        roots = [Path.cwd(), *(_named(ROOT_VARIABLE)), *media_roots(None)]
        if any(real.is_relative_to(root.resolve()) for root in roots):
            return
        for own in self._own:
            whole = Path(own).expanduser().absolute()
            if real.is_relative_to(whole.resolve()) or fnmatchcase(str(path.absolute()), str(whole)):
                return
        raise _closed(str(path), message("table.outside_folders", folders=roots))


def _named(variable: str) -> list[Path]:
    return [Path(part).expanduser() for part in os.environ.get(variable, "").split(os.pathsep) if part]


def _web(url: str) -> None:
    host = (urlsplit(url).hostname or "").lower()
    if host in media_hosts():
        return
    try:
        found = {zone_of(str(each[4][0])) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return  # behind a proxy no name may resolve; the request itself tells
    if found - {Zone.PUBLIC}:
        raise InputError(message("table.private_address", url=shown(url)))


def _closed(place: str, reason: Message) -> InputError:
    return InputError(message("table.closed", table=shown(place), reason=reason, variable=ROOT_VARIABLE))
