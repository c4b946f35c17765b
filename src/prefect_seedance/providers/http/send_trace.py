"""The trace of one create: evidence from the transport of how far it was sent."""

from __future__ import annotations

import string
from typing import Any

import httpx

_OF_AN_ID = string.ascii_letters + string.digits + "_-"
# Steps before a request is written, or after it was written. Every other step counts as writing it.
_HARMLESS_STEPS = frozenset(
    {
        "connect_tcp",
        "connect_unix_socket",
        "setup_socks5_connection",
        "start_tls",
        "retry",
        "close",
        "receive_response_headers",
        "receive_response_body",
        "response_closed",
    }
)
_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


class SendTrace:
    """Watches one request through httpx's `trace` extension.

    The class of an exception alone proves little: a proxy that stops answering while the tunnel is set up raises the
    same read timeout as a provider that stops answering after it accepted the request. The transport's steps
    distinguish them.

    Attributes:
        status: The HTTP status, once the head of the answer has arrived.
        headers: The headers of the answer.
        sent: The body so far, as it was sent.
        body: The body so far, decoded.
    """

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.sent = bytearray()
        self.body = bytearray()
        self._seen = False
        self._writing = False

    async def watch(self, event: str, info: dict[str, Any]) -> None:
        """Record one step of the transport; an unknown step counts as writing the request."""
        self._seen = True
        step = event.split(".")
        if step[-1] != "started" or len(step) < 2 or step[-2] in _HARMLESS_STEPS:
            return
        # A CONNECT request goes to the proxy, not to the provider.
        if getattr(info.get("request"), "method", b"") != b"CONNECT":
            self._writing = True

    def never_sent(self, error: Exception) -> bool:
        """Whether it is proven that no byte of the request was sent to the provider."""
        if self._writing or self.status is not None:
            return False
        return self._seen or isinstance(error, _BEFORE_SENDING)

    def received(self) -> bytes:
        """What arrived of a body that was lost, as evidence: without its last word, which may be half an id."""
        return bytes(self.body or self.sent).rstrip(_OF_AN_ID.encode())
