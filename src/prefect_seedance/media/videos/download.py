"""Downloads a result: streamed to a part file, resumed after a lost connection, and only from allowed addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from prefect_seedance.errors import InvalidMedia, InvalidResponse, InvalidVideo, NotFound, Unreachable
from prefect_seedance.media.links import Zone, allowed_zones, shown
from prefect_seedance.media.ranges import body_length, continues, read_span, validator_of
from prefect_seedance.media.storage.digests import announced_digests, file_digest, strongest
from prefect_seedance.media.storage.folders import disk_trouble
from prefect_seedance.media.storage.part import Note, PartFile, discard, read_note
from prefect_seedance.media.videos.structure import refuse_other_kinds
from prefect_seedance.media.web import Web
from prefect_seedance.messages import Message, message

# Object stores answer an expired signature with 400, 401 or 403, depending on the vendor.
_GONE = {400, 401, 403, 404, 410, 451}
_TRY_AGAIN = {408, 425, 429}
_HEAD_BYTES = 512

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Fetched:
    """A finished download.

    Attributes:
        bytes: Length of the file in bytes.
        resumed: True if it continued from bytes of an earlier attempt.
        announced: The length that the server stated, equal to `bytes`; None if it stated none.
        digest: Name of the hash that the server sent and that was verified; None if it sent none.
    """

    bytes: int
    resumed: bool
    announced: int | None
    digest: str | None


class Downloader:
    """Downloads result files over HTTP, any number at the same time. Close it at the end.

    No key, cookie or password is ever sent, and no link is logged. Each download makes its own connection, to a checked
    address. Proxy and CA settings of the environment are honoured.
    """

    def __init__(
        self,
        *,
        max_bytes: int = 2 << 30,
        connect_seconds: float = 15.0,
        read_seconds: float = 60.0,
        total_seconds: float = 1800.0,
        allow_private: bool = False,
    ) -> None:
        """Create a downloader.

        Args:
            max_bytes: Largest file to accept, in bytes.
            connect_seconds: Longest wait for a connection, in seconds.
            read_seconds: Longest wait for the next bytes, in seconds.
            total_seconds: Longest time for one download, in seconds; the bytes so far are kept for the next attempt.
            allow_private: True to follow links to private addresses and to loopback.
        """
        self._max_bytes = max_bytes
        self._total_seconds = total_seconds
        self._allow_private = allow_private
        self._web = Web(connect_seconds=connect_seconds, read_seconds=read_seconds)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._web.aclose()

    async def fetch(
        self, url: str, part: Path, *, on_bytes: Progress | None = None, provider_url: str | None = None
    ) -> Fetched:
        """Download a file into `part`, and continue from the bytes of an earlier attempt.

        After success the part and its note remain until `place` moves it or `discard` removes it; another `fetch` of
        the same link then returns at once, without network.

        Args:
            url: The result link.
            part: The file for the bytes, in an existing folder. Its note is next to it: `<part>.json`.
            on_bytes: Called after each chunk with the number of bytes so far and the total (None if unknown).
            provider_url: Base URL of the provider of the link. If it is on loopback or at a private address, links to
                the same zone are followed too.

        Raises:
            NotFound: The link is no longer valid.
            Unreachable: No connection, a lost connection, or a server error; the part is kept, and another call
                continues.
            InvalidVideo: The content is not a video, is too large, or does not match its digest; it is not kept.
            UnsafeLink: The link must not be followed.
            InvalidResponse: The answer is invalid in another way.
            InputError: The disk is full or reports an error; the part is kept.
        """
        try:
            async with asyncio.timeout(self._total_seconds):
                zones = await allowed_zones(provider_url, allow_private=self._allow_private)
                return await _Fetch(self._web, self._max_bytes, url, part, zones, on_bytes).run()
        except TimeoutError:
            text = message("download.too_slow", seconds=self._total_seconds, link=shown(url))
            raise Unreachable(text) from None
        except OSError as error:
            raise disk_trouble(error, part) from error


class _Fetch:
    """One download: the bytes so far, the answer of the server, and the bytes in it."""

    def __init__(
        self,
        web: Web,
        max_bytes: int,
        url: str,
        part: Path,
        zones: frozenset[Zone],
        on_bytes: Progress | None,
    ) -> None:
        self._web = web
        self._max_bytes = max_bytes
        self._url = url
        self._source = shown(url)
        self._part = part
        self._zones = zones
        self._on_bytes = on_bytes

    async def run(self) -> Fetched:
        known = await asyncio.to_thread(read_note, self._part, self._source)
        if known is not None and known[0].total == known[1]:
            return await self._finish(known[0], known[1], resumed=True)
        try:
            if known is not None:
                fetched = await self._resume(*known)
                if fetched is not None:
                    return fetched
            return await self._start()
        except httpx.TransportError as error:
            text = message("download.cut", error=type(error).__name__, link=self._source)
            raise Unreachable(text) from error

    async def _resume(self, note: Note, have: int) -> Fetched | None:
        """Continue from `have` bytes; None if that is not possible and the download must start again."""
        headers = {"Range": f"bytes={have}-", "If-Range": note.validator or ""}
        response = await self._web.get(self._url, self._zones, headers)
        try:
            if response.status_code == HTTPStatus.OK:
                return await self._receive_all(response)
            if response.status_code == HTTPStatus.PARTIAL_CONTENT and continues(response.headers, note, have):
                return await self._receive_rest(response, note, have)
            if response.status_code in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
                return None
            raise self._refusal(response)
        finally:
            await response.aclose()

    async def _start(self) -> Fetched:
        response = await self._web.get(self._url, self._zones)
        try:
            if response.status_code != HTTPStatus.OK:
                raise self._refusal(response)
            return await self._receive_all(response)
        finally:
            await response.aclose()

    async def _receive_all(self, response: httpx.Response) -> Fetched:
        headers = response.headers
        total = body_length(headers)
        note = Note(self._source, validator_of(headers), total, announced_digests(headers))
        self._check_form(headers, total)
        return await self._receive(response, note, 0, total)

    async def _receive_rest(self, response: httpx.Response, note: Note, have: int) -> Fetched:
        span = read_span(response.headers)
        assert span is not None  # noqa: S101 - `continues` has read it
        total = note.total if note.total is not None else span.total
        self._check_form(response.headers, total)
        return await self._receive(response, Note(note.source, note.validator, total, note.digests), have, span.end)

    async def _receive(self, response: httpx.Response, note: Note, have: int, end: int | None) -> Fetched:
        """Read the body, which contains the bytes from `have` to `end`."""
        with PartFile(self._part, keep=have, note=None if have else note) as file:
            try:
                await self._copy(response, file, end, note.total)
            except InvalidVideo:
                await asyncio.to_thread(file.abandon)
                raise
        announced = note.total
        if (end is not None and file.size != end) or (announced is not None and file.size != announced):
            total = announced or end
            raise Unreachable(message("download.ended_early", bytes=file.size, total=total, link=self._source))
        return await self._finish(note, file.size, resumed=have > 0)

    async def _copy(self, response: httpx.Response, file: PartFile, end: int | None, total: int | None) -> None:
        head = b"" if file.size == 0 else None
        async for data in response.aiter_raw():
            file.add(data)
            self._check_size(file.size, end)
            if head is not None:
                head = self._check_head(head + data, final=False)
            if file.full:
                await asyncio.to_thread(file.flush)
            if self._on_bytes is not None:
                self._on_bytes(file.size, total)
        if head is not None and (end is None or file.size == end):
            self._check_head(head, final=True)
        await asyncio.to_thread(file.flush)

    async def _finish(self, note: Note, size: int, *, resumed: bool) -> Fetched:
        name = strongest(note.digests)
        if name is not None and await asyncio.to_thread(file_digest, self._part, name) != note.digests[name]:
            await asyncio.to_thread(discard, self._part)
            raise _no_video(message("download.wrong_digest", digest=name, link=self._source))
        return Fetched(size, resumed, note.total, name)

    def _check_head(self, head: bytes, *, final: bool) -> bytes | None:
        """Refuse a file whose first bytes are not a video. Return the head so far; None once it was checked."""
        if len(head) < _HEAD_BYTES and not final:
            return head
        try:
            refuse_other_kinds(head[:_HEAD_BYTES])
        except InvalidMedia as error:
            raise _no_video(message("download.not_a_video", reason=error.text, link=self._source)) from None
        return None

    def _check_form(self, headers: httpx.Headers, total: int | None) -> None:
        self._check_size(total or 0, None)
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise InvalidResponse(message("download.compressed", link=self._source))
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if kind.startswith("text/") or kind in ("application/json", "application/xml", "application/xhtml+xml"):
            raise _no_video(message("download.wrong_type", type=kind, link=self._source))

    def _check_size(self, size: int, end: int | None) -> None:
        if size > self._max_bytes:
            raise _no_video(message("download.too_large", limit=self._max_bytes, link=self._source))
        if end is not None and size > end:
            raise _no_video(message("download.too_many_bytes", link=self._source))

    def _refusal(self, response: httpx.Response) -> Exception:
        status = response.status_code
        code = f"http_{status}"
        if status in _GONE:
            text = message("download.link_expired", status=status, link=self._source)
            return NotFound(text, code=code, http_status=status)
        if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            text = message("download.server_trouble", status=status, link=self._source)
            return Unreachable(text, code=code, http_status=status)
        text = message("download.bad_status", status=status, link=self._source)
        return InvalidResponse(text, code=code, http_status=status)


def _no_video(text: Message) -> InvalidVideo:
    return InvalidVideo(text, code="broken_video")
