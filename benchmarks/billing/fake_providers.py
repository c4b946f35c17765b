"""Fake providers of the published clients, for one create each: they accept it, bill it, and answer with the fault."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from re import fullmatch
from typing import Any

from billing.faults import LIMITS, RETRY_AFTER, Fault

CREATED_AT = 1_760_000_000
REASONS = {200: "OK", 201: "Created", 404: "Not Found", 411: "Length Required", 429: "Too Many Requests"}


@dataclass(frozen=True)
class Dialect:
    """One provider's create endpoint.

    Attributes:
        path: Pattern of the path of a create.
        created: The answer to an accepted create, from the job's id and the address that was called.
        refused: The provider's form of an error, from the status and a sentence.
        status: The status of an accepted create.
        tls: Whether its client speaks https only.
    """

    path: str
    created: Callable[[str, str], dict[str, Any]]
    refused: Callable[[int, str], dict[str, Any]]
    status: int = 200
    tls: bool = False


def _fal(job: str, base: str) -> dict[str, Any]:
    url = f"{base}/fal-ai/bytedance/requests/{job}"
    links = {"response_url": url, "status_url": f"{url}/status", "cancel_url": f"{url}/cancel"}
    return {"status": "IN_QUEUE", "request_id": job, "queue_position": 0, **links}


def _replicate(job: str, base: str) -> dict[str, Any]:
    url = f"{base}/v1/predictions/{job}"
    links = {"get": url, "cancel": f"{url}/cancel"}
    video = "https://replicate.delivery/video.mp4"
    return {
        "id": job,
        "model": "bytedance/seedance-1-lite",
        "version": "hidden",
        "input": {},
        "logs": "",
        "output": video,
        "error": None,
        "status": "succeeded",
        "created_at": "2025-10-09T08:53:20Z",
        "urls": links,
    }


def _openai(job: str, _base: str) -> dict[str, Any]:
    settings = {"model": "sora-2", "seconds": "4", "size": "720x1280"}
    return {"id": job, "object": "video", "created_at": CREATED_AT, "status": "queued", "progress": 0, **settings}


DIALECTS = {
    "fal-client": Dialect(r"/fal-ai/.+", _fal, lambda _status, text: {"detail": text}, tls=True),
    "runwayml": Dialect(r"/v1/text_to_video", lambda job, _: {"id": job}, lambda _status, text: {"error": text}),
    "replicate": Dialect(
        r"/v1/models/[^/]+/[^/]+/predictions",
        _replicate,
        lambda status, text: {"title": text, "detail": text, "status": status},
        status=201,
    ),
    "openai": Dialect(
        r"/v1/videos",
        _openai,
        lambda status, text: {"error": {"message": text, "type": "server_error", "param": None, "code": str(status)}},
    ),
}


@dataclass
class FakeProvider:
    """One provider under one fault.

    Attributes:
        billed: Number of accepted creates. One that repeats an Idempotency-Key is not counted again.
        asked_at: When each create arrived, in seconds of the monotonic clock.
        unexpected: Requests that are not creates of its dialect.
    """

    dialect: Dialect
    fault: Fault
    port: int = 0
    billed: int = 0
    asked_at: list[float] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self.dialect.tls else 'http'}://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while await self._answer(reader, writer):
                pass
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request, and return whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        start, *lines = head.rstrip().split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "content-length" not in headers:
            self.unexpected.append(start)
            return await self._say(writer, 411, {})
        await reader.readexactly(int(headers["content-length"]))
        method, path, _ = start.split(" ")
        if method != "POST" or not fullmatch(self.dialect.path, path):
            self.unexpected.append(start)
            return await self._say(writer, 404, self.dialect.refused(404, "not found"))
        return await self._create(reader, writer, headers.get("idempotency-key"))

    async def _create(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str | None) -> bool:
        self.asked_at.append(time.monotonic())
        if self.fault is Fault.LIMIT and len(self.asked_at) <= LIMITS:
            return await self._say(writer, 429, self.dialect.refused(429, "too many requests"))
        self._bill(key)
        match self.fault:
            case Fault.CUT:
                return False
            case Fault.SILENCE:
                await reader.read()  # until the client hangs up
                return False
            case Fault.ERROR:
                return await self._say(writer, 500, self.dialect.refused(500, "internal server error"))
            case _:
                answer = self.dialect.created(f"job-{self.billed}", self.url)
                return await self._say(writer, self.dialect.status, answer)

    def _bill(self, key: str | None) -> None:
        if key is None or key not in self._keys:
            self.billed += 1
        if key is not None:
            self._keys.add(key)

    @staticmethod
    async def _say(writer: asyncio.StreamWriter, status: int, content: dict[str, Any]) -> bool:
        body = json.dumps(content).encode()
        lines = [
            f"HTTP/1.1 {status} {REASONS.get(status, 'Internal Server Error')}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        if status == 429:
            lines.append(f"Retry-After: {RETRY_AFTER}")
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return True


@contextmanager
def served(providers: list[FakeProvider], tls: ssl.SSLContext) -> Iterator[None]:
    """Serve each provider on its own loopback port while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake providers", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(_listen(providers, tls), loop).result(timeout=30)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_hang_up(), loop).result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=30)
        loop.close()


async def _listen(providers: list[FakeProvider], tls: ssl.SSLContext) -> None:
    for provider in providers:
        context = tls if provider.dialect.tls else None
        server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=context)
        provider.port = server.sockets[0].getsockname()[1]


async def _hang_up() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
