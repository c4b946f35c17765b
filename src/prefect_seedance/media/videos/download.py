"""Downloads a result: streamed to a part file, resumed after a lost connection, and only from allowed addresses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from pydantic import SecretStr

from prefect_seedance.errors import InvalidResponse, InvalidVideo, NotFound, Unreachable
from prefect_seedance.media.documents import text_format, words_of
from prefect_seedance.media.links import Zone, allowed_zones, origin, shown
from prefect_seedance.media.ranges import body_length, continues, read_span, validator_of
from prefect_seedance.media.storage.digests import announced_digests, file_digest, strongest
from prefect_seedance.media.storage.folders import disk_trouble
from prefect_seedance.media.storage.part import Note, PartFile, discard, read_note
from prefect_seedance.media.videos.structure import is_whole
from prefect_seedance.media.videos.unpacking import first_content, unpack
from prefect_seedance.media.web import Web, parse_link
from prefect_seedance.messages import Message, message

# Any other 4xx means that the link gives nothing now. Object stores answer an expired signature with 400, 401 or 403.
_TRY_AGAIN = {408, 429}
_WANTS_KEY = {401, 403}
# Enough to tell a text from a video, and for the words of an error.
_HEAD_BYTES = 512
_DOCUMENT_BYTES = 4096
_DOCUMENT_SECONDS = 10.0

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Fetched:
    """A finished download. Only its bytes say whether it is a video: see `inspect_video`.

    Attributes:
        bytes: Length of the file in bytes, unpacked where the server sent it compressed.
        resumed: True if it continued from bytes of an earlier attempt.
        announced: A proven length: that which the server stated and sent, or that of the unpacked file; else None.
        digest: Name of the hash that the server sent and that was verified; None if there is none.
        remarks: Where the headers of the answer contradict its bytes.
    """

    bytes: int
    resumed: bool
    announced: int | None
    digest: str | None
    remarks: tuple[Message, ...] = ()


class Downloader:
    """Downloads result files over HTTP, any number at the same time. Close it at the end.

    No cookie or password is ever sent, a key only to its own provider, and no link is logged. Each download makes its
    own connection, to a checked address. Proxy and CA settings of the environment are honoured.

    Headers prove nothing here: the type, the encoding, the length and the digest that a server states may be wrong.
    What is text is refused; everything else is left in the part, for the decoder to judge.
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
        self,
        url: str,
        part: Path,
        *,
        on_bytes: Progress | None = None,
        provider_url: str | None = None,
        api_key: SecretStr | None = None,
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
            api_key: The account's key. Only a link with scheme, host and port of `provider_url` may get it, after it
                answered 401 or 403 without it; what it redirects to elsewhere does not.

        Raises:
            NotFound: The link gives nothing now: any 4xx but 408 and 429, with `http_status` and the server's words.
            Unreachable: No connection, a lost connection, 408, 429 or a server error; the part is kept, and another
                call continues.
            InvalidVideo: The answer is a text, is empty or is too large; it is not kept, and an older part is left as
                it is.
            UnsafeLink: The link must not be followed.
            InvalidResponse: The answer is invalid in another way.
            InputError: The disk is full or reports an error; the part is kept.
        """
        try:
            async with asyncio.timeout(self._total_seconds):
                zones = await allowed_zones(provider_url, allow_private=self._allow_private)
                key = api_key if provider_url and _same_origin(url, provider_url) else None
                return await _Fetch(self._web, self._max_bytes, url, part, zones, on_bytes, key).run()
        except TimeoutError:
            text = message("download.too_slow", seconds=self._total_seconds, link=shown(url))
            raise Unreachable(text) from None
        except OSError as error:
            raise disk_trouble(error, part) from error


def _same_origin(url: str, other: str) -> bool:
    return origin(parse_link(url)) == origin(parse_link(other))


class _EndedEarly(Exception):
    """An answer ended before the length that it stated."""


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
        key: SecretStr | None,
    ) -> None:
        self._web = web
        self._max_bytes = max_bytes
        self._url = url
        self._source = shown(url)
        self._part = part
        self._zones = zones
        self._on_bytes = on_bytes
        self._secret = key.get_secret_value() if key else None
        self._authorization: str | None = None

    async def run(self) -> Fetched:
        """Download, and look at the bytes where the server breaks off: the length that it stated may be wrong."""
        before: int | None = None
        while True:
            try:
                return await self._attempt()
            except (httpx.TransportError, _EndedEarly) as error:
                size = await asyncio.to_thread(_whole_size, self._part, self._max_bytes)
                # A file may seem whole by chance. So it is believed only where a second request brings no more.
                if size is None:
                    raise Unreachable(self._cut(error)) from error
                if size == before:
                    remark = message("download.other_length", bytes=size)
                    return await self._finish(Note(self._source, None, None), size, resumed=False, remarks=(remark,))
                before = size

    def _cut(self, error: Exception) -> Message:
        reason = str(error) if isinstance(error, _EndedEarly) else type(error).__name__
        return message("download.cut", error=reason, link=self._source)

    async def _attempt(self) -> Fetched:
        known = await asyncio.to_thread(read_note, self._part, self._source)
        if known is not None:
            note, have = known
            fetched = await (self._finish(note, have, resumed=True) if note.total == have else self._resume(note, have))
            # What was put together from two answers and contradicts them is fetched once more as a whole.
            if fetched is not None and not (fetched.resumed and fetched.remarks):
                return fetched
        return await self._start()

    async def _get(self, headers: dict[str, str] | None = None) -> httpx.Response:
        response = await self._web.get(self._url, self._zones, headers, authorization=self._authorization)
        if response.status_code in _WANTS_KEY and self._secret and not self._authorization:
            await response.aclose()
            self._authorization = f"Bearer {self._secret}"
            response = await self._web.get(self._url, self._zones, headers, authorization=self._authorization)
        return response

    async def _resume(self, note: Note, have: int) -> Fetched | None:
        """Continue from `have` bytes; None if that is not possible and the download must start again."""
        response = await self._get({"Range": f"bytes={have}-", "If-Range": note.validator or ""})
        try:
            if response.status_code == HTTPStatus.OK:
                return await self._receive_all(response)
            if response.status_code == HTTPStatus.PARTIAL_CONTENT and continues(response.headers, note, have):
                return await self._receive_rest(response, note, have)
            if response.status_code in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
                return None
            raise await self._refusal(response)
        finally:
            await response.aclose()

    async def _start(self) -> Fetched:
        response = await self._get()
        try:
            if response.status_code != HTTPStatus.OK:
                raise await self._refusal(response)
            return await self._receive_all(response)
        finally:
            await response.aclose()

    async def _receive_all(self, response: httpx.Response) -> Fetched:
        headers = response.headers
        total = body_length(headers)
        note = Note(self._source, validator_of(headers), total, announced_digests(headers))
        return await self._receive(response, note, 0)

    async def _receive_rest(self, response: httpx.Response, note: Note, have: int) -> Fetched:
        span = read_span(response.headers)
        assert span is not None  # noqa: S101 - `continues` has read it
        total = note.total if note.total is not None else span.total
        return await self._receive(response, replace(note, total=total), have)

    async def _receive(self, response: httpx.Response, note: Note, have: int) -> Fetched:
        """Read the body, which should contain the bytes from `have` to the end."""
        with PartFile(self._part, keep=have, note=None if have else note) as file:
            try:
                await self._copy(response, file, note.total)
            except InvalidVideo:
                await asyncio.to_thread(file.abandon)
                raise
        if note.total is None or file.size == note.total:
            return await self._finish(note, file.size, resumed=have > 0)
        if file.size < note.total:
            raise _EndedEarly(f"{file.size} of {note.total} bytes")
        remark = message("download.other_length", bytes=file.size)
        return await self._finish(replace(note, total=None), file.size, resumed=have > 0, remarks=(remark,))

    async def _copy(self, response: httpx.Response, file: PartFile, total: int | None) -> None:
        head = b"" if file.size == 0 else None
        try:
            async for data in response.aiter_raw():
                file.add(data)
                if file.size > self._max_bytes:
                    raise _no_video(message("download.too_large", limit=self._max_bytes, link=self._source))
                if head is not None:
                    head += data
                    if len(head) >= _HEAD_BYTES:
                        self._refuse_text(head)
                        head = None
                if file.full:
                    await asyncio.to_thread(file.flush)
                if self._on_bytes is not None:
                    self._on_bytes(file.size, total)
            if file.size == 0 and not total:
                reason = message("media.empty")
                raise _no_video(message("download.not_a_video", reason=reason, link=self._source))
        except httpx.TransportError:
            self._refuse_text(head or b"")
            raise
        self._refuse_text(head or b"")
        await asyncio.to_thread(file.flush)

    async def _finish(self, note: Note, size: int, *, resumed: bool, remarks: tuple[Message, ...] = ()) -> Fetched:
        """Compare the whole part with the digest that was announced for it, and unpack it if it is compressed."""
        name = strongest(note.digests)
        verified = await asyncio.to_thread(self._verified, note)
        if await asyncio.to_thread(unpack, self._part, self._max_bytes):
            size = self._part.stat().st_size
            verified = verified or await asyncio.to_thread(self._verified, note)
            note = replace(note, total=size, digests={} if verified else note.digests)
            await asyncio.to_thread(note.write, self._part)
            await asyncio.to_thread(self._refuse_unpacked_text)
        if not verified:
            remarks += (message("download.other_digest", digest=name),)
        return Fetched(size, resumed, note.total, name if verified else None, remarks)

    def _verified(self, note: Note) -> bool:
        name = strongest(note.digests)
        return name is None or file_digest(self._part, name) == note.digests[name]

    def _refuse_unpacked_text(self) -> None:
        with self._part.open("rb") as file:
            head = file.read(_DOCUMENT_BYTES)
        try:
            self._refuse_text(head)
        except InvalidVideo:
            discard(self._part)
            raise

    def _refuse_text(self, head: bytes) -> None:
        """Refuse an answer whose first bytes are a text: an error page, or the error of an object store."""
        kind = text_format(head[:_HEAD_BYTES])
        if kind is not None:
            words = words_of(head[:_DOCUMENT_BYTES], self._secret)
            raise _no_video(_said(message("download.text", format=kind, link=self._source), words))

    async def _refusal(self, response: httpx.Response) -> Exception:
        status, link = response.status_code, self._source
        words = await self._words(response)
        if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            text = _said(message("download.server_trouble", status=status, link=link), words)
            return Unreachable(text, code=f"http_{status}", http_status=status)
        if status >= HTTPStatus.BAD_REQUEST:
            text = _said(message("download.link_refused", status=status, link=link), words)
            return NotFound(text, code=f"http_{status}", http_status=status)
        text = _said(message("download.bad_status", status=status, link=link), words)
        return InvalidResponse(text, code=f"http_{status}", http_status=status)

    async def _words(self, response: httpx.Response) -> str:
        """What the server says in a body; only its beginning is read."""
        body = b""
        with contextlib.suppress(httpx.TransportError, TimeoutError):
            async with asyncio.timeout(_DOCUMENT_SECONDS):
                async for data in response.aiter_raw():
                    body += data
                    if len(body) >= _DOCUMENT_BYTES:
                        break
        return words_of(first_content(body, _DOCUMENT_BYTES), self._secret)


def _whole_size(part: Path, limit: int) -> int | None:
    """The length of a part that is whole by its own marks, whatever length was announced; None if it is not."""
    try:
        # The end of a compressed file has a checksum.
        return part.stat().st_size if unpack(part, limit) or is_whole(part) else None
    except OSError:
        return None


def _said(text: Message, words: str) -> Message:
    return message("download.words", text=text, words=words) if words else text


def _no_video(text: Message) -> InvalidVideo:
    return InvalidVideo(text, code="broken_video")
