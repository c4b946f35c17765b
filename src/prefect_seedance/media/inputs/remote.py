"""Reads parts of a file on a web server: its head first, then the requested parts, up to a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from http import HTTPStatus
from time import monotonic

import httpx

from prefect_seedance.errors import (
    BeyondPrefix,
    InputError,
    InvalidResponse,
    ProbeFailed,
    ProbeTimeout,
    Unreachable,
    UnsafeLink,
    UnsupportedMedia,
)
from prefect_seedance.media.inputs.access import MediaAccess
from prefect_seedance.media.inputs.sources import BLOCK, MOST_REMOTE, Blocks, ByteSource
from prefect_seedance.media.links import Zone, shown
from prefect_seedance.media.ranges import body_length, read_span
from prefect_seedance.media.web import Web
from prefect_seedance.messages import message

_PARTS_OF_A_BLOCK = 8


class RemoteFile:
    """A file on a web server. It is opened and closed in the event loop; its source is read in a thread."""

    def __init__(self, web: Web, address: str, media_access: MediaAccess, deadline: float) -> None:
        """Create it; nothing is requested yet.

        Args:
            web: Sends the requests.
            address: The link.
            media_access: Which private hosts are allowed, and whether loopback is.
            deadline: When to stop, by `time.monotonic`.
        """
        self._web = web
        self._address = address
        self._zones = frozenset({Zone.PUBLIC, Zone.LOOPBACK} if media_access.loopback else {Zone.PUBLIC})
        self._hosts = frozenset(host.lower() for host in media_access.hosts)
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._pending: Future[bytes] | None = None
        self._body: _Body | None = None
        self._tag: str | None = None

    async def open(self) -> ByteSource:
        """Request the head, and return the source for reading the rest.

        Raises:
            ProbeFailed: If the server does not send it.
            UnsupportedMedia: If it is empty.
            InputError: If the link must not be followed.
        """
        response = await self._get(0, BLOCK)
        kept = False
        try:
            if response.status_code == HTTPStatus.PARTIAL_CONTENT:
                span = read_span(response.headers)
                if span is None or span.start != 0:
                    raise ProbeFailed(message("media.server_range"))
                self._tag = response.headers.get("etag")
                first = await _take(response, min(BLOCK, span.end))
                whole = len(first) == BLOCK or len(first) == span.total
                return Blocks(span.total, self._fetch, first if whole else b"")
            if response.status_code == HTTPStatus.OK:
                self._body, kept = _Body(response), True
                return _Stream(self._body, self)
            if response.headers.get("content-range", "").strip() == "bytes */0":
                raise UnsupportedMedia(message("media.empty"))
            raise ProbeFailed(message("media.server_status", status=_status_text(response.status_code)))
        finally:
            if not kept:
                await response.aclose()

    async def close(self) -> None:
        """Close the connection; a thread that still reads gets a `ProbeTimeout`."""
        self._deadline = 0.0
        if self._pending is not None:
            self._pending.cancel()
        if self._body is not None:
            with suppress(httpx.TransportError):
                await self._body.response.aclose()

    def wait(self, work: Coroutine[None, None, bytes]) -> bytes:
        """Run a coroutine in the event loop and wait for it in this thread."""
        left = self._deadline - monotonic()
        if left <= 0:
            work.close()
            raise ProbeTimeout
        self._pending = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return self._pending.result(left)
        except (TimeoutError, CancelledError):
            self._pending.cancel()
            raise ProbeTimeout from None

    def _fetch(self, start: int, count: int) -> bytes:
        return self.wait(self._block(start, count))

    async def _block(self, start: int, count: int) -> bytes:
        data = b""
        for _ in range(_PARTS_OF_A_BLOCK):  # a server may send fewer bytes than requested
            response = await self._get(start + len(data), count - len(data))
            try:
                span = read_span(response.headers)
                if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return data
                if response.status_code != HTTPStatus.PARTIAL_CONTENT or span is None:
                    raise ProbeFailed(message("media.server_stops", status=_status_text(response.status_code)))
                if span.start != start + len(data) or response.headers.get("etag") != self._tag:
                    raise ProbeFailed(message("media.server_changes"))
                data += await _take(response, min(count - len(data), span.end - span.start))
            finally:
                await response.aclose()
            if len(data) >= count or span.end == span.total:
                break
        return data

    async def _get(self, start: int, count: int) -> httpx.Response:
        try:
            headers = {"Range": f"bytes={start}-{start + count - 1}"}
            response = await self._web.get(self._address, self._zones, headers, hosts=self._hosts)
        except UnsafeLink as error:
            raise InputError(message("media.unsafe_link", problem=error.text), code=error.code) from error
        except httpx.TransportError as error:
            raise ProbeFailed(message("media.server_silent", error=type(error).__name__)) from error
        except Unreachable as error:
            raise ProbeFailed(error.text) from error
        except InvalidResponse as error:
            raise ProbeFailed(message("media.server_redirects")) from error
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            await response.aclose()
            raise ProbeFailed(message("media.server_compresses"))
        return response


class _Body:
    """The body of an answer, read from its first byte."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.size = body_length(response.headers)
        self.data = bytearray()
        self.ended = False
        self._pieces = response.aiter_raw()

    async def fill(self, end: int) -> bytes:
        try:
            while len(self.data) < end and not self.ended:
                piece = await anext(self._pieces, None)
                self.ended = piece is None
                self.data += piece or b""
        except httpx.TransportError as error:
            raise ProbeFailed(message("media.server_breaks_off", error=type(error).__name__)) from error
        return b""


class _Stream:
    """The source for a server that sends files only from their first byte."""

    whole = False

    def __init__(self, body: _Body, remote: RemoteFile) -> None:
        self.size = body.size
        self._body = body
        self._remote = remote

    def read_at(self, start: int, count: int) -> bytes:
        end = start + count if self.size is None else min(start + count, self.size)
        if end > len(self._body.data) and not self._body.ended:
            if end > MOST_REMOTE:
                raise BeyondPrefix
            self._remote.wait(self._body.fill(end))
        return bytes(self._body.data[start:end])


async def _take(response: httpx.Response, count: int) -> bytes:
    data = bytearray()
    try:
        async for piece in response.aiter_raw():
            data += piece
            if len(data) >= count:
                break
    except httpx.TransportError as error:
        raise ProbeFailed(message("media.server_breaks_off", error=type(error).__name__)) from error
    return bytes(data[:count])


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def host_of(address: str) -> str:
    """Return the host of a link, for messages."""
    return httpx.URL(address).host or shown(address)
