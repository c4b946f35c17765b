"""Sources of a table: the bytes of a local file, a web address or an object store."""

from __future__ import annotations

import asyncio
import io
import os
import re
import stat
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import httpx

from prefect_seedance.core.content_coding import ACCEPTED, BodyDecoder
from prefect_seedance.core.redaction import names_user, private_logs
from prefect_seedance.errors import ResponseTooLarge, TableError, UndecodableResponse
from prefect_seedance.messages import message
from prefect_seedance.routes.address import is_loopback
from prefect_seedance.tables.errors import shown, table_error

CheckLocation = Callable[[str], None]

MAX_BYTES = 512 * 1024 * 1024
"""A table is read into memory. Something larger is not a table of prompts, but a wrong file or a stream."""

MAX_SECONDS = 900
"""The longest time for fetching a table from the web, in seconds."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:::[^:]+)?://")
_BUCKET = re.compile(r"(?:^|::)(?:s3|s3a|gs|gcs|az|abfs|abfss|adl|oss|cos|obs|tos)://", re.IGNORECASE)
_TIMEOUT = httpx.Timeout(60, connect=15)
_MOST_REDIRECTS = 5


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
    with private_logs():
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
        reason = getattr(error, "strerror", None) or shown(error)  # an OSError's own words name the whole path
        raise table_error(name, [message("table.read_failed", reason=reason)]) from None


def _open_nonblocking(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _web(url: str, check_location: CheckLocation | None) -> bytes:
    try:
        return _finished(lambda: _received(url, check_location))
    except UndecodableResponse as error:
        raise table_error(shown(url), [message("table.undecodable", reason=str(error))]) from None
    except ResponseTooLarge:
        raise _too_large(shown(url)) from None
    except TimeoutError:
        raise table_error(shown(url), [message("table.too_slow", seconds=MAX_SECONDS)]) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The text of an httpx error may contain the whole address with its signature.
        raise table_error(shown(url), [message("table.fetch_failed", error=type(error).__name__)]) from None


def _finished(work: Callable[[], Coroutine[None, None, bytes]]) -> bytes:
    """Run a coroutine to its end, also where this thread has an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(copy_context().run, asyncio.run, work()).result()


async def _received(url: str, check_location: CheckLocation | None) -> bytes:
    on_loopback = is_loopback(httpx.URL(url).host)

    async def check(request: httpx.Request) -> None:
        # A redirect from elsewhere must not lead to this machine over plain http either.
        if request.url.scheme != "https" and not (on_loopback and is_loopback(request.url.host)):
            raise table_error(shown(str(request.url)), [message("table.plain_http")])
        if check_location is not None:
            check_location(str(request.url))

    async with (
        # Of the whole: a server that sends a byte a minute never exceeds the limit between two bytes.
        asyncio.timeout(MAX_SECONDS),
        httpx.AsyncClient(
            timeout=_TIMEOUT,
            follow_redirects=True,
            max_redirects=_MOST_REDIRECTS,
            headers={"Accept-Encoding": ACCEPTED},
            event_hooks={"request": [check]},
        ) as client,
        client.stream("GET", url) as response,
    ):
        if response.status_code >= 400:
            raise table_error(shown(url), [message("table.http_status", status=response.status_code)])
        decoder = BodyDecoder(response.headers.get("content-encoding", ""), MAX_BYTES, most_layers=1)
        data = io.BytesIO()
        async for sent in response.aiter_raw():
            for piece in decoder.decode(sent):
                data.write(piece)
        if not decoder.complete:
            raise UndecodableResponse("cut short")
        return data.getvalue()


def _store(url: str, scheme: str) -> bytes:
    import fsspec  # noqa: PLC0415 - slow to import, and few tables need it

    if names_user(url) and _BUCKET.search(url):
        # The driver takes it for a part of the bucket's name, sends it, and repeats it in errors and logs.
        raise table_error(shown(url), [message("table.password_in_bucket")])
    try:
        with fsspec.open(url, "rb") as file:
            return _joined(_chunks(file), shown(url))
    except TableError:
        raise
    except ImportError as error:
        raise table_error(shown(url), [message("table.no_driver", scheme=scheme, reason=str(error))]) from error
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        if names_user(url):  # its words may hold the password in a form that is not recognised
            raise table_error(shown(url), [message("table.fetch_failed", error=type(error).__name__)]) from None
        reason = message("table.store_failed", error=type(error).__name__, reason=shown(error))
        raise table_error(shown(url), [reason]) from None


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(1 << 20):
        yield chunk


def _joined(chunks: Iterable[bytes], name: str) -> bytes:
    data = io.BytesIO()
    for chunk in chunks:
        if data.tell() + len(chunk) > MAX_BYTES:
            raise _too_large(name)
        data.write(chunk)
    return data.getvalue()


def _too_large(name: str) -> TableError:
    return table_error(name, [message("table.too_large", limit=MAX_BYTES // 1024**2)])
