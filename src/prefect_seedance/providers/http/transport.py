"""The transport: sends calls to one account's provider and returns the answers. All I/O of `providers` is here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable
from dataclasses import dataclass
from pathlib import Path

import httpx

from prefect_seedance.core.content_coding import BodyDecoder
from prefect_seedance.core.redaction import private_logs
from prefect_seedance.errors import (
    InputError,
    InvalidResponse,
    ResponseTooLarge,
    UndecodableResponse,
    UnknownOutcome,
    Unreachable,
)
from prefect_seedance.messages import message
from prefect_seedance.providers.account import Account
from prefect_seedance.providers.answers import Answer, Call
from prefect_seedance.providers.http.form import UploadForm, opened
from prefect_seedance.providers.http.send_trace import SendTrace
from prefect_seedance.providers.job_ids import jobs_named
from prefect_seedance.providers.reading import presentable, read_json

MAX_BODY = 1024 * 1024
"""Bytes of an answer, as it is sent and after each layer of compression. A longer one is read no further."""


@dataclass(frozen=True)
class Timeouts:
    """How long to wait, in seconds.

    Attributes:
        connect: For a connection.
        create: Between two bytes of the answer to a create; the gateways need minutes to relay it.
        create_whole: For a whole create, so that a very slow answer does not occupy its slot for ever.
        query: Between two bytes of the answer to any other call.
        query_whole: For any other whole call.
        upload_whole: For a whole upload; 100 MB take long over a slow line.
    """

    connect: float = 15.0
    create: float = 300.0
    create_whole: float = 660.0
    query: float = 60.0
    query_whole: float = 120.0
    upload_whole: float = 1800.0


class Transport:
    """One account's connections.

    Calls that cost money use new connections and are sent once: an idle connection may be dead, and a request lost on
    it looks the same as a lost answer. All other calls keep their connections alive. Redirects are never followed: they
    would send the key to another host.

    Args:
        account: The account that pays, with its base URL.
        timeouts: How long to wait.

    Raises:
        InputError: If address, proxy or CA settings cannot be used.
    """

    def __init__(self, account: Account, timeouts: Timeouts) -> None:
        self._account = account
        self._timeouts = timeouts
        # No limit here: the caller's limiter decides how many creates run at the same time.
        fresh = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        kept_alive = httpx.Limits(max_connections=50, max_keepalive_connections=20)
        self._fresh, self._kept = _http_clients(account, fresh, kept_alive)

    async def aclose(self) -> None:
        """Close all connections. May be called twice."""
        await self._fresh.aclose()
        await self._kept.aclose()

    async def send_once(self, call: Call) -> Answer:
        """Send a call that costs money, on a new connection and once.

        Raises:
            InputError: If the call cannot be encoded; nothing was sent.
            Unreachable: If no connection could be made; proven: nothing was sent.
            UnknownOutcome: If the answer was lost.
        """
        trace = SendTrace()
        request = self._build(self._fresh, call, self._timeouts.create, watched=trace)
        try:
            async with asyncio.timeout(self._timeouts.create_whole):
                return await self._send(self._fresh, request, trace)
        except Exception as error:  # noqa: BLE001  the trace decides what any error proves
            return self._judge_lost_create(trace, error)

    async def ask(self, call: Call) -> Answer:
        """Send a free call.

        Raises:
            InputError: If the call cannot be encoded.
            Unreachable: If no answer came.
            InvalidResponse: If the answer cannot be read.
        """
        trace = SendTrace()
        request = self._build(self._kept, call, self._timeouts.query)
        return await self._ask(self._kept, request, trace, self._timeouts.query_whole)

    async def upload(self, call: Call, path: Path, size: int) -> Answer:
        """Send a file from the disk, in pieces. Free.

        Raises:
            InputError: If the file cannot be read, or is no longer `size` bytes long.
            Unreachable: If no answer came.
            InvalidResponse: If the answer cannot be read.
        """
        if call.file is None:
            raise TypeError("an upload needs a file")
        form, trace = UploadForm.for_file(call.file), SendTrace()
        async with opened(path, self._account.provider) as file:
            body = form.pieces(file, size, path, self._account.provider)
            # On a new connection: on a dead one the whole file would be sent in vain.
            request = self._build(self._fresh, call, self._timeouts.query, form=(form, size, body))
            return await self._ask(self._fresh, request, trace, self._timeouts.upload_whole)

    def _build(
        self,
        client: httpx.AsyncClient,
        call: Call,
        read: float,
        *,
        form: tuple[UploadForm, int, AsyncIterable[bytes]] | None = None,
        watched: SendTrace | None = None,
    ) -> httpx.Request:
        if client.is_closed:
            raise Unreachable(message("provider.client_closed"), provider=self._account.provider)
        headers = {
            "Authorization": f"Bearer {self._account.api_key.get_secret_value()}",
            "Accept": "application/json",
            # A compressed answer that cannot be decompressed would lose a paid job.
            "Accept-Encoding": "identity",
            "User-Agent": "prefect-seedance",
        }
        content: bytes | AsyncIterable[bytes] | None = None
        try:
            if form is not None:
                headers |= {"Content-Type": form[0].content_type, "Content-Length": str(form[0].length(form[1]))}
                content = form[2]
            if call.json is not None:
                content = json.dumps(call.json, ensure_ascii=False, allow_nan=False).encode("utf-8")
                headers["Content-Type"] = "application/json"
            return client.build_request(
                call.method,
                self._account.base_url + call.path,
                content=content,
                headers=headers,
                timeout=httpx.Timeout(read, connect=self._timeouts.connect),
                # Tracing has a cost, and it matters only for a create how far it was sent.
                extensions={} if watched is None else {"trace": watched.watch},
            )
        except (UnicodeEncodeError, httpx.InvalidURL) as error:
            text = message("provider.text_not_sendable")
            raise InputError(text, provider=self._account.provider) from error

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request, trace: SendTrace) -> Answer:
        with private_logs():
            response = await client.send(request, stream=True, follow_redirects=False)
        try:
            trace.status = response.status_code
            trace.headers = dict(response.headers)
            decoder = BodyDecoder(trace.headers.get("content-encoding", ""), MAX_BODY)
            # Raw: httpx would decode each chunk as a whole, whatever it grows to.
            async for sent in response.aiter_raw():
                trace.sent += sent
                for piece in decoder.decode(sent):
                    trace.body += piece
            body = bytes(trace.body)
            if not decoder.complete and read_json(body) is None:
                raise UndecodableResponse("cut short")
        finally:
            await response.aclose()
        return Answer(response.status_code, trace.headers, self._account.redact_bytes(body))

    def _judge_lost_create(self, trace: SendTrace, error: Exception) -> Answer:
        """Return the answer if its head alone proves a refusal (429); else raise what the trace proves.

        A job that the answer named before it was lost is part of the error.
        """
        received = Answer(trace.status or 0, trace.headers, self._account.redact_bytes(trace.received()))
        if trace.status == 429:
            return received
        reason, provider = self._describe(error), self._account.provider
        if trace.never_sent(error):
            text = message("provider.no_connection", provider=provider, reason=reason)
            raise Unreachable(text, provider=provider) from error
        text = message("provider.answer_lost", provider=provider, reason=reason)
        named = jobs_named(received)
        if named:
            text = message("provider.names_job", words=text, what="job", job=presentable(named[0]))
        raise UnknownOutcome(
            text,
            provider=provider,
            code="lost-answer",
            http_status=trace.status,
            named_job=named[0] if len(named) == 1 else None,
        ) from error

    async def _ask(self, client: httpx.AsyncClient, request: httpx.Request, trace: SendTrace, whole: float) -> Answer:
        provider = self._account.provider
        try:
            async with asyncio.timeout(whole):
                return await self._send(client, request, trace)
        except (ResponseTooLarge, UndecodableResponse) as error:
            text = message("provider.answer_unreadable", provider=provider, reason=self._describe(error))
            raise InvalidResponse(text, provider=provider, http_status=trace.status) from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            text = message("provider.no_answer", provider=provider, reason=self._describe(error))
            raise Unreachable(text, provider=provider) from error

    def _describe(self, error: Exception) -> str:
        words = presentable(self._account.redact(str(error)))
        return f"{type(error).__name__}{': ' if words else ''}{words}"


def _http_clients(account: Account, *limits: httpx.Limits) -> list[httpx.AsyncClient]:
    try:
        context = httpx.create_ssl_context(trust_env=True)
        httpx.URL(account.base_url)
        return [
            # On loopback a proxy of the environment could not reach the sandbox, and would see its key unencrypted.
            httpx.AsyncClient(limits=limit, verify=context, trust_env=not account.on_loopback, http2=False)
            for limit in limits
        ]
    except (OSError, ImportError, ValueError, httpx.InvalidURL) as error:
        # The proxy address may contain a password, so the text of the error is not repeated.
        text = message("provider.no_http_client", provider=account.provider, error=type(error).__name__)
        raise InputError(text, provider=account.provider) from None
