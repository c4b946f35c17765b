"""Sources of a table: the bytes of a local file, a web address or an object store."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import httpx

from prefect_seedance.errors import TableError
from prefect_seedance.messages import message
from prefect_seedance.routes.address import is_loopback
from prefect_seedance.tables.errors import shown, table_error

CheckLocation = Callable[[str], None]

MAX_BYTES = 512 * 1024 * 1024
"""A table is read into memory. Something larger is not a table of prompts, but a wrong file or a stream."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:::[^:]+)?://")
_TIMEOUT = httpx.Timeout(60, connect=15)


@dataclass(frozen=True)
class TableSource:
    """The bytes of a table, and where they come from.

    Attributes:
        name: The file's name, safe to show.
        data: Its content.
        folder: The folder of a local file, else None.
    """

    name: str
    data: bytes
    folder: Path | None = None

    @property
    def suffix(self) -> str:
        """The suffix of the name in lower case, such as `.csv`."""
        return PurePosixPath(self.name).suffix.lower()


def fetch(location: str | Path, check_location: CheckLocation | None = None) -> TableSource:
    """Read the bytes of a local path, an `https://` address, or any URL that an fsspec driver understands.

    Args:
        location: The path or URL.
        check_location: Called with it, and with each redirect; raises for one that must not be opened.

    Raises:
        TableError: It cannot be read, or is too large.
    """
    if check_location is not None:
        check_location(str(location))
    if isinstance(location, Path) or not _URL.match(location):
        return _local(Path(location))
    scheme = location.partition(":")[0].lower()
    if scheme == "file":
        return _local(Path(url2pathname(urlsplit(location).path)))
    name = unquote(PurePosixPath(re.split(r"[?#]", location.partition("://")[2])[0]).name) or "table"
    if scheme in {"http", "https"}:
        return TableSource(name, _web(location, check_location))
    return TableSource(name, _store(location, scheme))


def _local(path: Path) -> TableSource:
    name = shown(path)
    try:
        path = path.expanduser()
        if path.is_dir():
            raise table_error(name, [message("table.is_folder")])
        # Opening a pipe without a writer would block forever.
        with open(path, "rb", opener=_open_nonblocking) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise table_error(name, [message("table.not_regular_file")])
            return TableSource(path.name, _joined(_chunks(file), name), path.resolve().parent)
    except FileNotFoundError:
        raise table_error(name, [message("table.no_file", folder=str(Path.cwd()))]) from None
    except PermissionError:
        raise table_error(name, [message("table.permission_denied")]) from None
    except (OSError, ValueError, RuntimeError) as error:
        raise table_error(name, [message("table.read_failed", reason=str(error))]) from error


def _open_nonblocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _web(url: str, check_location: CheckLocation | None) -> bytes:
    def check(request: httpx.Request) -> None:
        _require_https(request)
        if check_location is not None:
            check_location(str(request.url))

    try:
        with (
            httpx.Client(timeout=_TIMEOUT, follow_redirects=True, event_hooks={"request": [check]}) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code >= 400:
                raise table_error(shown(url), [message("table.http_status", status=response.status_code)])
            return _joined(response.iter_bytes(), shown(url))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The text of an httpx error may contain the whole address with its signature.
        raise table_error(shown(url), [message("table.fetch_failed", error=type(error).__name__)]) from None


def _require_https(request: httpx.Request) -> None:
    if request.url.scheme != "https" and not is_loopback(request.url.host):
        raise table_error(shown(str(request.url)), [message("table.plain_http")])


def _store(url: str, scheme: str) -> bytes:
    import fsspec  # noqa: PLC0415 - slow to import, and few tables need it

    try:
        with fsspec.open(url, "rb") as file:
            return _joined(_chunks(file), shown(url))
    except TableError:
        raise
    except ImportError as error:
        raise table_error(shown(url), [message("table.no_driver", scheme=scheme, reason=str(error))]) from error
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        reason = message("table.store_failed", error=type(error).__name__, reason=shown(error))
        raise table_error(shown(url), [reason]) from None


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk


def _joined(chunks: Iterable[bytes], name: str) -> bytes:
    data = io.BytesIO()
    for chunk in chunks:
        if data.tell() + len(chunk) > MAX_BYTES:
            raise table_error(name, [message("table.too_large", limit=MAX_BYTES // 1024**2)])
        data.write(chunk)
    return data.getvalue()
