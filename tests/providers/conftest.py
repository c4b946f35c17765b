from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.patience import skip

Script = Callable[["Visit"], Awaitable[None]]


@dataclass
class Visit:
    """One request as a raw server sees it, and the wire to answer on."""

    head: str
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    connection: int

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, status: int, body: bytes | dict[str, Any], **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Length": str(len(content))} | {k.replace("_", "-"): v for k, v in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await self.raw(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content)

    async def say_nothing(self, seconds: float = 400.0, *, byte: bytes = b"") -> None:
        """Let the clock run ahead, with a byte every so many seconds, until the other side gives up."""
        while not self.reader.at_eof():
            await self.raw(byte)
            skip(seconds)
            await asyncio.sleep(0.01)

    def drop(self) -> None:
        """Cut the connection for real, without a word."""
        self.writer.transport.abort()


@dataclass
class Wire:
    """A server without a framework: it does to a connection exactly what a script says."""

    script: Script
    connections: int = 0
    visits: list[Visit] = field(default_factory=list)
    port: int = 0
    hang_up_first: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = self.connections
        try:
            if self.hang_up_first:
                writer.transport.abort()
                return
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next((int(x[15:]) for x in head.splitlines() if x.lower().startswith("content-length:")), 0)
                visit = Visit(head, await reader.readexactly(length), reader, writer, connection)
                self.visits.append(visit)
                await self.script(visit)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def wire() -> AsyncIterator[Callable[..., Awaitable[Wire]]]:
    servers: list[asyncio.Server] = []
    wires: list[Wire] = []

    async def start(script: Script, *, hang_up_first: bool = False) -> Wire:
        one = Wire(script, hang_up_first=hang_up_first)
        server = await asyncio.start_server(one.serve, "127.0.0.1", 0, limit=8 * 1024 * 1024)
        one.port = server.sockets[0].getsockname()[1]
        servers.append(server)
        wires.append(one)
        return one

    yield start
    for server in servers:
        server.close()
    for one in wires:
        for visit in one.visits:
            visit.writer.transport.abort()
    await asyncio.sleep(0)
