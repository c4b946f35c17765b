"""Probes media before anything is spent: format, size and length, without fetching whole files."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic
from types import TracebackType
from typing import Self, TypeVar

from prefect_seedance.errors import (
    BeyondPrefix,
    InputError,
    InvalidMedia,
    ProbeFailed,
    ProbeTimeout,
    Unreachable,
    UnsupportedMedia,
)
from prefect_seedance.media.inputs.access import MediaAccess, open_file
from prefect_seedance.media.inputs.buckets import bucket_source
from prefect_seedance.media.inputs.formats import format_from, kind_of
from prefect_seedance.media.inputs.pictures import look_at_picture
from prefect_seedance.media.inputs.remote import RemoteFile, host_of
from prefect_seedance.media.inputs.sources import MOST_REMOTE, ByteSource, HeldBytes, LocalFile
from prefect_seedance.media.inputs.streams import stream_facts
from prefect_seedance.media.web import Web
from prefect_seedance.messages import Message, message
from prefect_seedance.routes.address import address_problem, format_of, scheme_of, shown
from prefect_seedance.routes.rules.material import MediaFacts

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 10.0
_DECODE_SECONDS = 20.0
_T = TypeVar("_T")


@dataclass(frozen=True)
class Probed:
    """The result of a probe.

    Attributes:
        facts: The facts; None if there are none.
        warning: What could not be found out, and why; None if all is known.
    """

    facts: MediaFacts | None = None
    warning: Message | None = None


class Prober:
    """Probes the media of a table: each address once, several at a time. Use it as an async context manager."""

    def __init__(self, media_access: MediaAccess, *, at_once: int = 8, probe_seconds: float = 30.0) -> None:
        """Create it.

        Args:
            media_access: Which files and hosts may be read.
            at_once: Number of media that are probed at the same time.
            probe_seconds: Longest time for one medium, in seconds.
        """
        self._media_access = media_access
        self._seconds = probe_seconds
        self._slots = asyncio.Semaphore(at_once)
        # Separate threads: name look-ups use the default ones, and a probe must not wait for another.
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="seedance-probe")
        self._web = Web(connect_seconds=_CONNECT_SECONDS, read_seconds=_READ_SECONDS)
        self._probes: dict[str, asyncio.Task[Probed | InputError]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop all probes and close all connections."""
        for probe in self._probes.values():
            probe.cancel()
        await asyncio.gather(*self._probes.values(), return_exceptions=True)
        await self._web.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def probe(self, address: str) -> Probed:
        """Probe a medium, or return the result of an earlier probe.

        Local files and data URIs are read to their end. Of remote files only the head is read, and the bytes that its
        tables refer to.

        Args:
            address: Any address that a row may contain. An `asset://` id is not probed.

        Raises:
            InputError: If the row is wrong: no such file, a file outside the allowed folders, a private address, not a
                medium, or a damaged one.
        """
        if address not in self._probes:
            self._probes[address] = asyncio.create_task(self._result(address))
        # The first caller may be cancelled while others still wait for the result.
        outcome = await asyncio.shield(self._probes[address])
        if isinstance(outcome, InputError):
            raise InputError(outcome.text, code=outcome.code)
        return outcome

    async def _result(self, address: str) -> Probed | InputError:
        async with self._slots:
            try:
                async with asyncio.timeout(self._seconds):
                    return await self._probe(address)
            except (TimeoutError, ProbeTimeout):
                return Probed(warning=message("media.look_took_long", address=shown(address)))
            except Unreachable as error:
                return Probed(warning=message("media.look_failed", problem=error.text, address=shown(address)))
            except Exception as error:  # noqa: BLE001 - what nobody foresaw is a problem of this medium only
                return _problem(error, address)

    async def _probe(self, address: str) -> Probed:
        scheme = scheme_of(address)
        if scheme == "asset":
            return Probed()
        if scheme == "data":
            return await self._in_thread(lambda: _data_facts(address))
        if scheme == "file":
            return await self._in_thread(lambda: _file_facts(address, self._media_access))
        if scheme == "store":
            return await self._in_thread(lambda: _facts_of(bucket_source(address), address))
        if scheme == "https":
            return await self._web_facts(address)
        text = message("media.bad_address", address=shown(address), problem=address_problem(address))
        raise InputError(text, code="unknown_address")

    async def _web_facts(self, address: str) -> Probed:
        remote = RemoteFile(self._web, address, self._media_access, monotonic() + self._seconds)
        try:
            source = await remote.open()
            return await self._in_thread(lambda: _facts_of(source, address))
        except ProbeFailed as failure:
            host = host_of(address)
            return Probed(warning=message("media.look_refused", address=shown(address), host=host, reason=failure.text))
        finally:
            await remote.close()

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _problem(error: Exception, address: str) -> InputError:
    if isinstance(error, InputError):
        return error
    if isinstance(error, UnsupportedMedia):
        text, code = message("media.unsupported", address=shown(address), reason=error.text), "no_medium"
    elif isinstance(error, InvalidMedia):
        text, code = message("media.damaged", address=shown(address), reason=error.text), "damaged_medium"
    else:
        name = type(error).__name__
        text, code = message("media.not_understood", address=shown(address), error=name), "damaged_medium"
    return InputError(text, code=code)


def data_bytes(address: str) -> bytes:
    """Decode a data URI.

    Raises:
        InputError: If the part after the comma is not Base64.
    """
    try:
        return base64.b64decode(address.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise InputError(message("media.bad_base64", address=shown(address)), code="broken_data_uri") from None


def _data_facts(address: str) -> Probed:
    probed = _facts_of(HeldBytes(data_bytes(address)), address)
    declared = format_of(address)
    if probed.facts is not None and declared is not None and declared != probed.facts.format:
        found = probed.facts.format
        warning = message("media.wrong_type", address=shown(address), declared=declared, found=found)
        return replace(probed, warning=warning)
    return probed


def _file_facts(address: str, media_access: MediaAccess) -> Probed:
    path = media_access.find(address)
    try:
        with open_file(path, address) as file:
            return _facts_of(LocalFile(file), address)
    except OSError as error:
        text = message("media.unreadable", address=shown(address), reason=error.strerror or str(error))
        raise InputError(text, code="unreadable_file") from error


def _facts_of(source: ByteSource, address: str) -> Probed:
    facts = None
    try:
        name = format_from(source.read_at)
        if name is not None:
            facts = MediaFacts(kind=kind_of(name), format=name, bytes=source.size)
            return _facts_inside(source, facts, address)
    except BeyondPrefix:
        return Probed(facts, message("media.look_too_far", address=shown(address), limit=MOST_REMOTE >> 20))
    except InvalidMedia:
        if facts is None or source.whole or source.size is not None:
            raise
        return Probed(facts, message("media.look_no_ranges", address=shown(address)))
    if source.whole:
        raise UnsupportedMedia(message("media.unknown_format"))
    return Probed(warning=message("media.look_unknown", address=shown(address)))


def _facts_inside(source: ByteSource, facts: MediaFacts, address: str) -> Probed:
    deadline = monotonic() + _DECODE_SECONDS
    if facts.kind == "image":
        picture = look_at_picture(source, facts.format, deadline)
        if picture.size is not None:
            facts = replace(facts, width=picture.size[0], height=picture.size[1])
        elif facts.format != "svg":
            return Probed(facts, message("media.look_unstated", address=shown(address)))
        return Probed(facts, None if picture.checked else message("media.look_undecoded", address=shown(address)))
    found = stream_facts(source, facts.format, deadline)
    facts = MediaFacts(
        kind=found.kind,
        format=found.format,
        bytes=source.size,
        width=found.width,
        height=found.height,
        seconds=found.seconds,
        fps=found.fps,
        has_audio=found.has_audio,
    )
    if facts.seconds is None or (facts.kind == "video" and facts.width is None):
        return Probed(facts, message("media.look_unstated", address=shown(address)))
    return Probed(facts)
