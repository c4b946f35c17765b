"""Responses that drop the TCP connection.

An ASGI application has no access to the socket. The sandbox's protocol class therefore passes the transport of each
connection to the application through the connection's lifespan state, where these responses read it.
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

TRANSPORT = "transport"


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with the transport in each request's scope (`scope["state"]["transport"]`)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport for the requests of this connection."""
        self.app_state = {**self.app_state, TRANSPORT: transport}
        super().connection_made(transport)


async def cut(scope: Scope, receive: Receive) -> None:
    """Drop the connection of a request.

    Raises:
        ConnectionResetError: The application runs without a socket (in-process).
    """
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError("the sandbox cut this connection")
    transport.close()
    # uvicorn reports an application that returns without an answer, so wait until it has seen the disconnect.
    while (await receive())["type"] != "http.disconnect":
        pass


class Cut(Response):
    """Drops the connection without sending anything."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Drop the connection."""
        await cut(scope, receive)


class CutShort(Response):
    """Sends status, headers and the first bytes of a body, and drops the connection.

    Args:
        body: The whole body, whose length is sent as Content-Length.
        sent: How many bytes of it are sent.
        status_code: HTTP status.
        headers: Further headers.
    """

    def __init__(self, body: bytes, *, sent: int, status_code: int, headers: dict[str, str]) -> None:
        super().__init__(body, status_code=status_code, headers=headers)
        self.sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a part, and drop the connection."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": bytes(self.body[: self.sent]), "more_body": True})
        await cut(scope, receive)
